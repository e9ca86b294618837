"""Regional values as bars beside what is normal, for Slicer's plot view."""

from __future__ import annotations

from typing import Any

import vtk

from PETSynthLib.quantify.regions import HEADLINE, title_of

from .Environment import SceneEnvironment
from .RegionTable import UNKNOWN, number, rowsOf

BAR_COLOUR = (0.27, 0.52, 0.79)
BAND_COLOUR = (0.35, 0.35, 0.35)
_BAND = {"normal_low": "Normal from (5th percentile)", "normal_high": "Normal to (95th)"}
"""Column of the table -> words of the line."""


def makeChart(env: SceneEnvironment, table: Any, target: str, yTitle: str) -> tuple[Any, list[Any]]:
    """A chart of the headline regions: bars of SUVR, the normal band as two lines where known.

    With normals those regions that have some (composites as a whole), else left and right. No
    point is left out of a line: a number that is not there would be saved as 0.

    Parameters
    ----------
    env
        The scene.
    table
        The whole table (`RegionTable.makeTable`).
    target
        The tracer's target region, shown first.
    yTitle
        Words at the axis.

    Returns
    -------
    The chart, and the nodes it rests on (a table of numbers, series).
    """
    wanted = {name: place for place, name in enumerate((target, *HEADLINE))}
    rows = [r for r in rowsOf(table) if r["region"] in wanted and r["suvr"] != UNKNOWN]
    beside = [row for row in rows if row["normal_low"] != UNKNOWN]
    rows = beside or [row for row in rows if row["side"] in ("L", "R")]
    rows.sort(key=lambda row: (wanted[row["region"]], row["side"]))
    data = env.scene.AddNewNodeByClass("vtkMRMLTableNode")
    data.AddColumn(_texts("Region", [_words(row) for row in rows]))
    data.AddColumn(_numbers("Place", [float(n) for n in range(len(rows))]))
    data.AddColumn(_numbers("SUVR", [number(row["suvr"]) for row in rows]))
    series = [_series(env, data, "SUVR", True)]
    for name, column in _BAND.items() if beside else ():
        data.AddColumn(_numbers(column, [number(row[name]) for row in rows]))
        series.append(_series(env, data, column, False))
    data.SetLocked(True)
    chart = env.scene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    for one in series:
        chart.AddAndObservePlotSeriesNodeID(one.GetID())
    chart.SetYAxisTitle(yTitle)
    chart.SetXAxisTitle("")
    return chart, [data, *series]


def _words(row: dict[str, str]) -> str:
    side = "" if row["side"] in ("both", "B") else f" {row['side']}"
    return f"{title_of(row['region'])}{side}"


def _series(env: SceneEnvironment, data: Any, column: str, bars: bool) -> Any:
    node = env.scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", column)
    node.SetAndObserveTableNodeID(data.GetID())
    node.SetPlotType(node.PlotTypeBar if bars else node.PlotTypeLine)
    node.SetLabelColumnName("Region")
    node.SetYColumnName(column)
    node.SetColor(*(BAR_COLOUR if bars else BAND_COLOUR))
    if not bars:
        node.SetXColumnName("Place")
        node.SetMarkerStyle(node.MarkerStyleNone)
        node.SetLineStyle(node.LineStyleDash)
    return node


def _numbers(name: str, values: list[float]) -> Any:
    array = vtk.vtkDoubleArray()
    array.SetName(name)
    for value in values:
        array.InsertNextValue(value)
    return array


def _texts(name: str, values: list[str]) -> Any:
    array = vtk.vtkStringArray()
    array.SetName(name)
    for value in values:
        array.InsertNextValue(value)
    return array
