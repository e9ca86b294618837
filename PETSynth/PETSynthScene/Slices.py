"""Slice views and the volumes they show."""

from __future__ import annotations

from typing import Any

import slicer

from .Environment import SceneEnvironment
from .Layouts import columnOf


def compositeOf(env: SceneEnvironment, view: str) -> Any:
    """The node that says which volumes the slice view ``view`` shows, made when missing."""
    for node in env.nodes("vtkMRMLSliceCompositeNode"):
        if node.GetLayoutName() == view:
            return node
    # The slice logic, which comes with the view, takes the node that bears its name.
    node = slicer.vtkMRMLSliceCompositeNode()
    node.SetSingletonTag(view)
    node.SetLayoutName(view)
    node.SetName(view)
    return env.scene.AddNode(node)


def fillColumn(
    env: SceneEnvironment,
    views: list[str],
    background: Any,
    foreground: Any = None,
    opacity: float = 0.5,
) -> None:
    """Show one or two volumes in the slice views named, linked.

    A missing background (the T1 has left the scene) gives its place to the foreground.
    """
    if background is None:
        background, foreground = foreground, None
    for view in views:
        composite = compositeOf(env, view)
        wasModifying = composite.StartModify()
        composite.SetBackgroundVolumeID(background.GetID() if background is not None else None)
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        composite.SetLabelVolumeID(None)
        composite.SetForegroundOpacity(opacity if foreground is not None else 0.0)
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
        composite.EndModify(wasModifying)


def takeOut(env: SceneEnvironment, composite: Any, volume: Any, instead: Any) -> None:
    """Show ``volume`` no longer; at the back ``instead`` takes its place (None: nothing)."""
    wasModifying = composite.StartModify()
    if composite.GetForegroundVolumeID() == volume.GetID():
        composite.SetForegroundVolumeID(None)
    if composite.GetBackgroundVolumeID() == volume.GetID():
        composite.SetBackgroundVolumeID(instead.GetID() if instead is not None else None)
    composite.EndModify(wasModifying)


def layersOf(env: SceneEnvironment, composite: Any) -> list[Any]:
    """The volumes a slice view shows, those in additional layers too."""
    count = composite.Layer_Last + composite.GetNumberOfAdditionalLayers()
    volumes = [env.node(composite.GetNthLayerVolumeID(i)) for i in range(count)]
    return [volume for volume in volumes if volume is not None]


def fit(env: SceneEnvironment, layout: int) -> None:
    """Fit the slices of a layout to their background, the planes through its middle."""
    if env.applicationLogic is None:
        return
    logics = env.applicationLogic.GetSliceLogics()
    names = {name for column in range(3) for name in columnOf(layout, column)}
    for index in range(logics.GetNumberOfItems()) if logics is not None else ():
        logic = logics.GetItemAsObject(index)
        if logic.GetSliceNode() is not None and logic.GetSliceNode().GetLayoutName() in names:
            logic.FitSliceToBackground()
