"""Putting results into views: slice layers, opacity, windows, outlines."""

from __future__ import annotations

from typing import Any

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.tracers import tracer

from .Arrangement import switchTo
from .Attributes import WHOLE, Role, isSynthetic, roleOf
from .Colours import lookOf, paint, restrictToViews, setEnds, windowOf
from .Environment import SceneEnvironment
from .Exploratory import keepTogether, mayShowMiddle
from .Importing import ResultNodes
from .Layouts import (
    EXPECTED,
    FUSED,
    FUSED_VIEWS,
    LEGEND_VIEW,
    TRIPTYCH,
    columnOf,
    viewIdOf,
)
from .Legends import legendOf, showLegendIn
from .Slices import compositeOf, fillColumn, fit


def resultLayout(tracerKey: str) -> int:
    """The layout a result of that tracer is shown in first."""
    return TRIPTYCH if tracer(tracerKey).exploratory else FUSED


def showResult(
    env: SceneEnvironment, nodes: ResultNodes, opacity: float = 0.5, *, switchLayout: bool = True
) -> None:
    """Show a result as it may be shown: fused, or the triptych of an exploratory tracer."""
    show = showTriptych if nodes.exploratory else showFused
    show(env, nodes, opacity, switchLayout=switchLayout)


def showFused(
    env: SceneEnvironment, nodes: ResultNodes, opacity: float = 0.5, *, switchLayout: bool = True
) -> None:
    """MRI, PET and the PET over the MRI, in three planes.

    Parameters
    ----------
    env
        The scene.
    nodes
        The result. Of an exploratory tracer the triptych is shown: the middle never stands alone.
    opacity
        Of the PET over the MRI, 0..1.
    switchLayout
        False fills the views and leaves the arrangement alone.
    """
    if nodes.exploratory:
        showTriptych(env, nodes, opacity, switchLayout=switchLayout)
        return
    if switchLayout:
        switchTo(env, FUSED)
    fillColumn(env, columnOf(FUSED, 0), nodes.t1)
    fillColumn(env, columnOf(FUSED, 1), nodes.pet)
    fillColumn(env, columnOf(FUSED, 2), nodes.t1, nodes.pet, opacity)
    _annotate(env, nodes, list(FUSED_VIEWS), LEGEND_VIEW)
    fit(env, FUSED)


def showTriptych(
    env: SceneEnvironment, nodes: ResultNodes, opacity: float = 0.5, *, switchLayout: bool = True
) -> None:
    """Low, middle and high over the MRI, in one window.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when low or high is missing: the middle is not shown alone.
    """
    if nodes.low is None or nodes.high is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "The low and high PET of this tracer are missing.",
            "Run the synthesis again.",
        )
    if switchLayout:
        switchTo(env, TRIPTYCH)
    for column, volume in enumerate((nodes.low, nodes.pet, nodes.high)):
        # Under another layout Slicer's own views are left alone; the middle comes with the layout.
        if column != 1 or mayShowMiddle(env):
            fillColumn(env, columnOf(TRIPTYCH, column), nodes.t1, volume, opacity)
    keepTogether(env)
    views = [name for column in range(3) for name in columnOf(TRIPTYCH, column)]
    _annotate(env, nodes, views, columnOf(TRIPTYCH, 2)[2])
    fit(env, TRIPTYCH)


def showExpected(env: SceneEnvironment, nodes: ResultNodes, *, switchLayout: bool = True) -> None:
    """The PET, what is expected at this age and sex, and what the model added to it.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when the result has no expected PET, or the tracer is exploratory.
    """
    if nodes.expected is None or nodes.difference is None or nodes.exploratory:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "This result has no mean for age and sex to compare with.",
            "Choose another model, or look at the fused views.",
        )
    if switchLayout:
        switchTo(env, EXPECTED)
    for column, volume in enumerate((nodes.pet, nodes.expected, nodes.difference)):
        fillColumn(env, columnOf(EXPECTED, column), volume)
    _annotate(env, nodes, [], columnOf(EXPECTED, 0)[2])
    showLegendIn(env, nodes.difference, columnOf(EXPECTED, 2)[2])
    fit(env, EXPECTED)


def _fusedComposites(env: SceneEnvironment) -> list[Any]:
    """Slice views that show something synthetic over something else."""
    return [
        composite
        for composite in env.nodes("vtkMRMLSliceCompositeNode")
        if composite.GetBackgroundVolumeID()
        and isSynthetic(env.node(composite.GetForegroundVolumeID()))
    ]


def setOpacity(env: SceneEnvironment, value: float) -> None:
    """Opacity, 0..1, of every synthetic volume that lies over another one."""
    for composite in _fusedComposites(env):
        composite.SetForegroundOpacity(min(max(value, 0.0), 1.0))


def opacity(env: SceneEnvironment) -> float | None:
    """That opacity; None when no view is fused."""
    fused = _fusedComposites(env)
    return fused[0].GetForegroundOpacity() if fused else None


def shown(env: SceneEnvironment) -> Any:
    """The PET in Slicer's own views (the fused column), or None."""
    for view in FUSED_VIEWS:
        composite = compositeOf(env, view)
        for layer in (composite.GetForegroundVolumeID(), composite.GetBackgroundVolumeID()):
            volume = env.node(layer)
            if roleOf(volume) is Role.PET:
                return volume
            if volume is not None and volume.GetNodeReference(WHOLE) is not None:
                return volume.GetNodeReference(WHOLE)
    return None


def setWindow(env: SceneEnvironment, nodes: ResultNodes, low: float, high: float) -> None:
    """One window for all volumes of a result that are compared with each other."""
    for volume in _comparable(env, nodes):
        setEnds(volume, (low, high))


def setColours(env: SceneEnvironment, nodes: ResultNodes, name: str) -> None:
    """One colour map, in the present window, for the same volumes."""
    for volume in _comparable(env, nodes):
        paint(env, volume, name, windowOf(volume))


def defaultLook(env: SceneEnvironment, nodes: ResultNodes) -> None:
    """Colour map and window of the tracer registry."""
    for volume in _comparable(env, nodes):
        paint(env, volume, *lookOf(Role.PET, nodes.tracer))


def _comparable(env: SceneEnvironment, nodes: ResultNodes) -> list[Any]:
    """All of the result, and of its comparisons, in SUVR of this tracer."""
    beside = [
        volume
        for volume in env.nodes("vtkMRMLScalarVolumeNode")
        if volume.GetNodeReference(WHOLE) is nodes.pet
        and roleOf(volume) in (Role.SAMPLE, Role.SMOOTHED, Role.ALIGNED, Role.WHAT_IF)
    ]
    return [*nodes.volumes(), *beside]


def setOutlinesVisible(nodes: ResultNodes, visible: bool) -> None:
    """Show or hide the outlines of the tracer's target region."""
    if nodes.regions is not None:
        nodes.regions.GetDisplayNode().SetVisibility(visible)


def setLegendVisible(nodes: ResultNodes, visible: bool) -> None:
    """Show or hide the colour legends."""
    for volume in [*nodes.volumes(), nodes.sd, *nodes.samples, nodes.difference]:
        legend = legendOf(volume)
        if legend is not None:
            legend.SetVisibility(visible)


def _annotate(
    env: SceneEnvironment, nodes: ResultNodes, outlineViews: list[str], legendView: str
) -> None:
    """Outlines over the fused views and one legend; those of other results are put away."""
    for volume in nodes.volumes():
        showLegendIn(env, volume, legendView)
    for other in env.nodes("vtkMRMLSegmentationNode"):
        if roleOf(other) is Role.REGIONS and other.GetDisplayNode() is not None:
            mine = other is nodes.regions
            views = [viewIdOf(view) for view in outlineViews] if mine else []
            restrictToViews(other.GetDisplayNode(), views)
