"""Slicer's own plot and table views, for the results of a measurement."""

from __future__ import annotations

from typing import Any

import slicer

from .Environment import SceneEnvironment


def showChart(env: SceneEnvironment, chart: Any) -> None:
    """Show a chart in Slicer's plot view, beside the four views."""
    _select(env).SetActivePlotChartID(chart.GetID())
    _arrange(env, slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView)
    if env.applicationLogic is not None:
        env.applicationLogic.PropagatePlotChartSelection()
    for view in env.nodes("vtkMRMLPlotViewNode"):
        view.SetPlotChartNodeID(chart.GetID())


def showTable(env: SceneEnvironment, table: Any) -> None:
    """Show a table in Slicer's table view, beside the four views."""
    _select(env).SetActiveTableID(table.GetID())
    _arrange(env, slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
    if env.applicationLogic is not None:
        env.applicationLogic.PropagateTableSelection()
    for view in env.nodes("vtkMRMLTableViewNode"):
        view.SetTableNodeID(table.GetID())


def _select(env: SceneEnvironment) -> Any:
    """The scene's selection node, made when missing."""
    logic = env.applicationLogic
    node = logic.GetSelectionNode() if logic is not None else None
    if node is None:
        node = env.scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    return node if node is not None else env.scene.AddNewNodeByClass("vtkMRMLSelectionNode")


def _arrange(env: SceneEnvironment, layout: int) -> None:
    if env.layoutNode is not None:
        env.layoutNode.SetViewArrangement(layout)
