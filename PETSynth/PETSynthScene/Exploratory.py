"""Low, middle and high of an exploratory tracer stay together, as the release policy wants.

The middle column of the triptych are Slicer's own Red, Green and Yellow. In any other layout these
would show the middle alone, as if the MRI had determined it.
"""

from __future__ import annotations

from typing import Any

from PETSynthLib.tracers import all_tracers

from .Attributes import SOURCE_T1, TRACER, WHOLE, Role, isSynthetic, partOf, roleOf
from .Environment import SceneEnvironment
from .Layouts import TRIPTYCH, columnOf, slicesOf
from .Slices import compositeOf, fillColumn, layersOf, takeOut


def isExploratory(volume: Any) -> bool:
    """Whether a volume is a synthetic PET of a tracer that MRI does not determine.

    A page of the surface is none: it shows low, middle and high.
    """
    if not isSynthetic(volume) or volume.IsA("vtkMRMLLabelMapVolumeNode"):
        return False
    if roleOf(volume) is Role.PAGE:
        return False
    tracer = all_tracers().get(volume.GetAttribute(TRACER) or "")
    return tracer is not None and tracer.exploratory


def mayShowMiddle(env: SceneEnvironment) -> bool:
    """Whether Slicer's own views stand between low and high (or nothing lays out views)."""
    node = env.layoutNode
    return node is None or node.GetViewArrangement() == TRIPTYCH


def keepTogether(env: SceneEnvironment) -> None:
    """In the triptych the middle stands between its low and high; elsewhere it is taken away."""
    if env.layoutNode is None:
        return
    sides = [*columnOf(TRIPTYCH, 0), *columnOf(TRIPTYCH, 2)]
    middles = _middles(env) if mayShowMiddle(env) else {}
    for composite in env.nodes("vtkMRMLSliceCompositeNode"):
        view = composite.GetLayoutName()
        if view in sides:
            continue
        for volume in layersOf(env, composite):
            if isExploratory(volume) and volume is not middles.get(view):
                takeOut(env, composite, volume, volume.GetNodeReference(SOURCE_T1))
    for view, middle in middles.items():
        if middle not in layersOf(env, compositeOf(env, view)):
            opacity = compositeOf(env, columnOf(TRIPTYCH, 0)[0]).GetForegroundOpacity()
            fillColumn(env, [view], middle.GetNodeReference(SOURCE_T1), middle, opacity)


def _middles(env: SceneEnvironment) -> dict[str, Any]:
    """View of the middle column -> the PET whose low and high stand beside it."""
    shown = {
        composite.GetLayoutName(): layersOf(env, composite)
        for composite in env.nodes("vtkMRMLSliceCompositeNode")
    }
    middles = {}
    for low, middle, high in slicesOf(TRIPTYCH):
        for volume in shown.get(low, []):
            pet = volume.GetNodeReference(WHOLE) if isExploratory(volume) else None
            if pet is not None and partOf(pet, Role.HIGH) in shown.get(high, []):
                middles[middle] = pet
    return middles
