"""Regional values as a table node: the cells of the command line's file, digit by digit.

All columns hold text. A table node is saved with six digits, and a number that is not there would
come back from a file as 0.0; ``n/a`` stays what it is. Unit and codes stand in the schema;
`numbers` reads a column.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import slicer
import vtk

from PETSynthLib.export.columns import columns
from PETSynthLib.quantify.regions import COMPOSITES, SIDE_WORDS, title_of

from .Environment import SceneEnvironment

UNKNOWN = "n/a"
HEADER = "PETSynth.Header"
"""Attribute: what has to be said before any number, a line each."""
SHORT_OF = "PETSynth.ShortOf"
"""Reference from the panel's short table to the whole one."""
_ROW = "row"
DOWN, UP = "\N{BLACK DOWN-POINTING TRIANGLE}", "\N{BLACK UP-POINTING TRIANGLE}"


def makeTable(
    env: SceneEnvironment, names: tuple[str, ...], rows: list[list[str]], synthetic: bool
) -> Any:
    """A locked table node of text cells with titles, units and codes in its schema.

    Parameters
    ----------
    env
        The scene.
    names
        Of the columns, as in the file.
    rows
        Cells as in the file.
    synthetic
        Whether the PET is: quantities of a computed PET carry the mark.
    """
    node = env.scene.AddNewNodeByClass("vtkMRMLTableNode")
    wasModifying = node.StartModify()
    for number, column in enumerate(columns(names, synthetic)):
        node.AddColumn(_texts(column.name, [row[number] for row in rows]))
        node.SetColumnTitle(column.name, column.title)
        node.SetColumnDescription(column.name, column.description)
        if column.unit is not None:
            node.SetColumnUnitLabel(column.name, column.unit.value)
            _code(node, column.name, "unit", column.unit)
        if column.quantity is not None:
            _code(node, column.name, "quantity", column.quantity)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.EndModify(wasModifying)
    return node


def _code(node: Any, column: str, prefix: str, code: Any) -> None:
    node.SetColumnProperty(column, f"{prefix}CodeValue", code.value)
    node.SetColumnProperty(column, f"{prefix}CodingSchemeDesignator", code.scheme)
    node.SetColumnProperty(column, f"{prefix}CodeMeaning", code.meaning)


def _texts(name: str, cells: list[str]) -> Any:
    array = vtk.vtkStringArray()
    array.SetName(name)
    array.SetNumberOfValues(len(cells))
    for number, cell in enumerate(cells):
        array.SetValue(number, cell)
    return array


def rowsOf(table: Any) -> list[dict[str, str]]:
    """Every row of a table node, column name -> cell."""
    inner = table.GetTable()
    names = [inner.GetColumnName(c) for c in range(inner.GetNumberOfColumns())]
    arrays = [inner.GetColumn(c) for c in range(len(names))]
    return [
        {
            name: array.GetVariantValue(r).ToString()
            for name, array in zip(names, arrays, strict=True)
        }
        for r in range(inner.GetNumberOfRows())
    ]


def numbers(table: Any, column: str) -> np.ndarray:
    """A column as numbers, shape (rows,); NaN where nothing is shown."""
    return np.array([number(row[column]) for row in rowsOf(table)])


def number(cell: str | None) -> float:
    """A cell as number, NaN for ``n/a`` and for words."""
    try:
        return float(cell) if cell not in (None, "", UNKNOWN) else math.nan
    except ValueError:
        return math.nan


def shortRows(rows: list[dict[str, str]], decrease: bool) -> list[tuple[int, list[str]]]:
    """What the panel shows of a table: flagged regions first, then by z, then as in the file.

    Returns
    -------
    Pairs of the row's place in the whole table and the cells region, side, SUVR, 90 %, z, flag.
    """
    arrow = f"{DOWN} low" if decrease else f"{UP} high"

    def rank(place: int) -> tuple[bool, float, int]:
        z = number(rows[place].get("z"))
        return rows[place].get("flag") != "yes", -z if math.isfinite(z) else math.inf, place

    sided = {row["region"] for row in rows if row["side"] == "L"} - set(COMPOSITES)
    # An atlas region stands there once for each side, a composite as a whole too.
    places = [
        n for n, row in enumerate(rows) if row["side"] != "both" or row["region"] not in sided
    ]
    return [(place, _short(rows[place], arrow)) for place in sorted(places, key=rank)]


def _short(row: dict[str, str], arrow: str) -> list[str]:
    low, high = number(row.get("interval90_low")), number(row.get("interval90_high"))
    suvr, z = number(row["suvr"]), number(row.get("z"))
    return [
        title_of(row["region"]),
        "L+R" if row["side"] == "both" else SIDE_WORDS[row["side"]][:1].upper(),
        f"{suvr:.2f}" if math.isfinite(suvr) else row.get("note", UNKNOWN),
        f"{low:.2f}\N{EN DASH}{high:.2f}" if math.isfinite(low) else "",
        f"{z:.1f}" if math.isfinite(z) else "",
        arrow if row.get("flag") == "yes" else "",
    ]


def shortTable(env: SceneEnvironment, table: Any, decrease: bool) -> Any:
    """The panel's short table of a whole one, made when missing; not saved, not listed."""
    for node in env.nodes("vtkMRMLTableNode"):
        if node.GetNodeReference(SHORT_OF) is table:
            return node
    rows = shortRows(rowsOf(table), decrease)
    node = slicer.vtkMRMLTableNode()
    node.SetName(f"{table.GetName()} (short)")
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node = env.scene.AddNode(node)
    wasModifying = node.StartModify()
    titles = ("Region", "Side", "SUVR", "90 %", f"z{DOWN if decrease else UP}", "Flag")
    for place, title in enumerate(titles):
        column = [cells[place] for _, cells in rows]
        # Without normals nothing is flagged, but with them it is told where nothing is.
        if any(column) or (title == "Flag" and any(cells[place - 1] for _, cells in rows)):
            node.AddColumn(_texts(title, column))
            node.SetColumnTitle(title, title)
    node.SetAttribute(_ROW, " ".join(str(place) for place, _ in rows))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetNodeReferenceID(SHORT_OF, table.GetID())
    node.EndModify(wasModifying)
    return node


def regionOfRow(short: Any, row: int) -> tuple[str, str] | None:
    """Region and side of a row of the short table; None for a row that is not there."""
    table = short.GetNodeReference(SHORT_OF)
    places = (short.GetAttribute(_ROW) or "").split()
    if table is None or not 0 <= row < len(places):
        return None
    found = rowsOf(table)[int(places[row])]
    return found["region"], found["side"]


def headerOf(table: Any) -> list[str]:
    """What has to be said before any number of a table."""
    return (table.GetAttribute(HEADER) or "").splitlines()
