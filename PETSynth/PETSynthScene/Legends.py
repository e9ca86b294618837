"""Colour legends: one a volume, in the views named."""

from __future__ import annotations

from typing import Any

import slicer

from .Attributes import Role, roleOf
from .Colours import restrictToViews
from .Environment import SceneEnvironment
from .Layouts import viewIdOf


def addLegend(volume: Any, title: str, viewIds: list[str]) -> Any:
    """A colour legend for ``volume``, in the views named only.

    The legend of an earlier call is used again.
    """
    display = volume.GetDisplayNode()
    legend = legendOf(volume)
    if legend is None:
        legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(display)
    wasModifying = legend.StartModify()
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.1f")
    legend.SetNumberOfLabels(5)
    legend.SetMaxNumberOfColors(256)
    legend.SetSize(0.12, 0.55)
    legend.SetPosition(0.97, 0.5)
    restrictToViews(legend, viewIds)
    legend.EndModify(wasModifying)
    return legend


def legendOf(volume: Any) -> Any:
    """The colour legend of a volume, or None."""
    if volume is None or volume.GetDisplayNode() is None:
        return None
    return slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume.GetDisplayNode())


def showLegendIn(env: SceneEnvironment, volume: Any, view: str) -> None:
    """Show the legend of a volume in the slice view of that name only."""
    legend = legendOf(volume)
    if legend is None:
        return
    viewId = viewIdOf(view)
    if viewId not in viewIdsOf(legend):
        legend = renew(env, legend)
    restrictToViews(legend, [viewId])


def renewLegendsIn(env: SceneEnvironment, viewId: str) -> None:
    """Make our legends in a view once more, because the view came later than they did."""
    for legend in env.nodes("vtkMRMLColorLegendDisplayNode"):
        if roleOf(legend) is Role.LEGEND and viewId in viewIdsOf(legend):
            renew(env, legend)


def renew(env: SceneEnvironment, legend: Any) -> Any:
    """A legend like ``legend`` in its place.

    A view draws the legends that are made while it is there and no others; so it is in Slicer 5.12.
    """
    display = legend.GetPrimaryDisplayNode()
    viewIds = viewIdsOf(legend)
    if display is None:
        return legend
    env.scene.RemoveNode(legend)
    fresh = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(display)
    wasModifying = fresh.StartModify()
    fresh.Copy(legend)
    restrictToViews(fresh, viewIds)
    fresh.EndModify(wasModifying)
    return fresh


def viewIdsOf(display: Any) -> list[str]:
    """IDs of the views a display node is restricted to."""
    return [display.GetNthViewNodeID(i) for i in range(display.GetNumberOfViewNodeIDs())]
