"""How a surface is painted: which map, from which threshold, in which palette and direction.

Everything here changes display nodes and one colour table a surface; the maps stay as they are, so
that a slider moves as fast as the views can draw.

The colour table carries the threshold: below it every entry is the grey of the bare brain. A stripe
of hatching is that same grey, cut into the map beforehand (`Surfaces`, arrays "... hatched"): a
reliable deviation is painted whole, an unreliable one in stripes, and no colour of the bar ever
means anything but its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from PETSynthLib import colour_maps
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.ssp import SPREAD_WINDOW
from PETSynthLib.project.paint import PALETTES, Z_WINDOW
from PETSynthLib.project.references import REFERENCES
from PETSynthLib.project.views import VIEWS
from PETSynthLib.tracers import tracer

from .Attributes import ROLE, TRACER, Role, isSynthetic
from .Colours import restrictToViews
from .Environment import SceneEnvironment
from .Layouts import SURFACE_VIEWS, surfaceViewId
from .Legends import addLegend, legendOf
from .Surfaces import HATCHED, SPREAD, UPTAKE, SurfaceNodes, zName

GREY = 0.42
"""Of the bare brain, before light."""
COLOURS = "PETSynth.SurfaceColours"
"""Reference from a surface's display node to its colour table."""
CLASSIC, UNIFORM = "classic", "uniform"
DECREASE, INCREASE = "decrease", "increase"
UPTAKE_MAP, SPREAD_MAP = "uptake", "sd"
MAPS = (UPTAKE_MAP, SPREAD_MAP, *REFERENCES)
"""What can be painted: uptake, its standard deviation, z against one of four references."""
_BAR_VIEW = SURFACE_VIEWS["LT.MED"]
_ENTRIES = 256
_AMBIENT, _DIFFUSE = 0.18, 0.92
_LOOK = "PETSynth.SurfaceLook"
"""Attribute of the models: how they are painted, for the panel."""


@dataclass(frozen=True)
class SurfaceLook:
    """How a surface is painted.

    Attributes
    ----------
    shown
        One of `MAPS`.
    threshold
        z below which the grey brain shows; of the other maps everything is painted.
    direction
        `DECREASE` paints where z of a decrease is positive, `INCREASE` where it is negative.
    palette
        `CLASSIC` or `UNIFORM`.
    hatch
        Whether z within its own uncertainty is hatched.
    """

    shown: str = UPTAKE_MAP
    threshold: float = 2.0
    direction: str = DECREASE
    palette: str = CLASSIC
    hatch: bool = True

    @property
    def isZ(self) -> bool:
        """Whether a map of z is painted."""
        return self.shown in REFERENCES


def lookDefault(nodes: SurfaceNodes) -> SurfaceLook:
    """z against the pons (or the first reference there is) in the tracer's direction, else SUVR."""
    found = nodes.references
    if not found:
        return SurfaceLook()
    direction = tracer(nodes.models["L"].GetAttribute(TRACER)).abnormal
    return SurfaceLook("PNS" if "PNS" in found else found[0], direction=direction)


def paintSurface(env: SceneEnvironment, nodes: SurfaceNodes, look: SurfaceLook) -> None:
    """Paint both hemispheres.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when the surface has no such map.
    """
    name = _arrayOf(nodes, look)
    window = _window(nodes, look)
    table = _tableOf(env, nodes)
    _fill(table, _colours(look, window))
    for side, model in nodes.models.items():
        display = model.GetDisplayNode() or _newDisplay(env, model, side)
        wasModifying = display.StartModify()
        display.SetAndObserveColorNodeID(table.GetID())
        display.SetActiveScalar(name, vtk.vtkAssignAttribute.POINT_DATA)
        display.SetScalarVisibility(True)
        display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
        display.SetScalarRange(*window)
        display.EndModify(wasModifying)
        model.SetAttribute(_LOOK, _asText(look))
    legend = legendOf(nodes.models["L"])
    if legend is not None:
        legend.SetTitleText(_title(nodes, look))


def showBar(env: SceneEnvironment, nodes: SurfaceNodes) -> None:
    """The colour bar of a surface, in the last of the eight views.

    Made anew: a view draws the legends that were made while it was there and no others.
    """
    look = lookOfSurface(nodes)
    if look is None:
        return
    before = legendOf(nodes.models["L"])
    if before is not None:
        env.scene.RemoveNode(before)
    bar = addLegend(nodes.models["L"], _title(nodes, look), [surfaceViewId(_BAR_VIEW)])
    bar.SetAttribute(ROLE, Role.LEGEND.value)
    bar.SetName(f"{nodes.models['L'].GetName()} legend")


def _title(nodes: SurfaceNodes, look: SurfaceLook) -> str:
    facts = tracer(nodes.models["L"].GetAttribute(TRACER))
    name = marks.title(facts) if isSynthetic(nodes.models["L"]) else f"{facts.label} PET"
    if look.isZ:
        return f"{name}\nz of a decrease\n{REFERENCES[look.shown]}"
    return f"{name}\n{'SD, % of SUVR' if look.shown == SPREAD_MAP else 'SUVR'}"


def lookOfSurface(nodes: SurfaceNodes) -> SurfaceLook | None:
    """How a surface is painted now, after loading too; None before it was painted."""
    text = nodes.models["L"].GetAttribute(_LOOK) if nodes.models else None
    return _fromText(text) if text else None


def _arrayOf(nodes: SurfaceNodes, look: SurfaceLook) -> str:
    there = {UPTAKE_MAP: bool(nodes.models), SPREAD_MAP: nodes.spread}
    there |= {key: key in nodes.references for key in REFERENCES}
    if not there.get(look.shown, False):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "This surface has no such map.",
            "Choose another map; z needs a normative database that this PET may be held against.",
        )
    if look.isZ:
        return zName(look.shown) + (HATCHED if look.hatch and nodes.uncertain else "")
    return {UPTAKE_MAP: UPTAKE, SPREAD_MAP: SPREAD}[look.shown]


def _window(nodes: SurfaceNodes, look: SurfaceLook) -> tuple[float, float]:
    """Values at the two ends of the colour table."""
    if look.isZ:
        high = Z_WINDOW[1]
        return (0.0, high) if look.direction == DECREASE else (-high, 0.0)
    if look.shown == SPREAD_MAP:
        return SPREAD_WINDOW
    low, high = tracer(nodes.models["L"].GetAttribute(TRACER)).window
    return low, high


def _colours(look: SurfaceLook, window: tuple[float, float]) -> np.ndarray:
    """The table's colours, shape (256, 3), 0..1; value by value those of the page."""
    kind = "z" if look.isZ else {UPTAKE_MAP: "uptake", SPREAD_MAP: "uncertainty"}[look.shown]
    name = PALETTES[look.palette][kind]
    step = (window[1] - window[0]) / _ENTRIES
    values = window[0] + step * (np.arange(_ENTRIES) + 0.5)
    if not look.isZ:
        return colour_maps.colourize(values, window, name) / 255.0
    away = np.abs(values)
    colours = colour_maps.colourize(away, Z_WINDOW, name) / 255.0
    # The entry of z = 0 is the stripes of the hatching: bare brain at any threshold.
    colours[(away < look.threshold) | (away < step)] = GREY
    return colours


def _tableOf(env: SceneEnvironment, nodes: SurfaceNodes) -> Any:
    """The colour table of a surface, made when missing; kept in the scene and saved with it."""
    model = nodes.models["L"]
    node = model.GetNodeReference(COLOURS)
    if node is None:
        node = slicer.vtkMRMLColorTableNode()
        node.SetName(f"{model.GetName()} colours")
        node.SetTypeToUser()
        node.SetNumberOfColors(_ENTRIES)
        node.SetAttribute(ROLE, Role.COLOURS.value)
        for number in range(_ENTRIES):
            node.SetColor(number, f"{number}", 0.0, 0.0, 0.0, 1.0)
        node = env.scene.AddNode(node)
        node.AddDefaultStorageNode()
        for one in nodes.models.values():
            one.SetNodeReferenceID(COLOURS, node.GetID())
    return node


def _fill(table: Any, colours: np.ndarray) -> None:
    """New colours for a table, in one go."""
    rgba = np.full((_ENTRIES, 4), 255, np.uint8)
    rgba[:, :3] = (colours * 255.0).round()
    wasModifying = table.StartModify()
    lookup = table.GetLookupTable()
    lookup.SetTable(numpy_to_vtk(rgba, deep=True, array_type=vtk.VTK_UNSIGNED_CHAR))
    table.StorableModified()
    table.Modified()
    table.EndModify(wasModifying)


def _newDisplay(env: SceneEnvironment, model: Any, side: str) -> Any:
    display = slicer.vtkMRMLModelDisplayNode()
    display.SetAmbient(_AMBIENT)
    display.SetDiffuse(_DIFFUSE)
    display.SetSpecular(0.0)
    display.SetInterpolation(slicer.vtkMRMLDisplayNode.GouraudInterpolation)
    display.SetColor(GREY, GREY, GREY)
    display.SetBackfaceCulling(False)
    display.SetVisibility2D(False)
    display = env.scene.AddNode(display)
    restrictToViews(display, viewIdsOf(side))
    model.SetAndObserveDisplayNodeID(display.GetID())
    return display


def viewIdsOf(side: str) -> list[str]:
    """IDs of the 3D views that show a hemisphere: its own lateral and medial ones, and the rest."""
    return [surfaceViewId(SURFACE_VIEWS[view.name]) for view in VIEWS if side in view.sides]


def _asText(look: SurfaceLook) -> str:
    hatch = "hatched" if look.hatch else "plain"
    return " ".join((look.shown, f"{look.threshold:g}", look.direction, look.palette, hatch))


def _fromText(text: str) -> SurfaceLook:
    shown, threshold, direction, palette, hatch = text.split(" ")
    return SurfaceLook(shown, float(threshold), direction, palette, hatch == "hatched")
