"""A region's border on the brain surface, and what has no place among the eight views."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from PETSynthLib.project.surface import SIDES, Surface, surfaces
from PETSynthLib.quantify.regions import labels_of

from .Attributes import ROLE, Role
from .Colours import restrictToViews
from .Environment import SceneEnvironment
from .Layouts import SURFACE_VIEWS, surfaceViewId
from .SurfaceLook import viewIdsOf
from .Volumes import discard

COLOUR = (1.0, 1.0, 1.0)
"""Of the border: no colour of a map."""
_LIFTED_MM = 0.8
"""Above the surface, so that it is not cut by it."""
_LINE_PX = 2


def outlineOnSurface(env: SceneEnvironment, region: str, side: str) -> None:
    """Draw the border of a region in the eight views, in the place of an earlier one.

    Parameters
    ----------
    env
        The scene; without a PET on the surface nothing is drawn.
    region, side
        As in a row of the table of regions.
    """
    removeOutlines(env)
    models = env.nodes("vtkMRMLModelNode")
    if not any(node.GetAttribute(ROLE) == Role.SURFACE.value for node in models):
        return
    for one in SIDES:
        if side in ("L", "R") and side != one:
            continue
        border = _border(surfaces()[one], labels_of(region, one))
        if border is not None:
            _add(env, border, one, region)


def removeOutlines(env: SceneEnvironment) -> None:
    """Take the border away."""
    for node in env.nodes("vtkMRMLModelNode"):
        if node.GetAttribute(ROLE) == Role.OUTLINE.value:
            discard(env.scene, node)


def keepOffSurface(env: SceneEnvironment, display: Any) -> None:
    """Show something of the head's own space in the other 3D views only.

    The eight views show the template's space, where it would lie beside the brain.
    """
    ours = {surfaceViewId(name) for name in SURFACE_VIEWS.values()}
    present = {view.GetID() for view in env.nodes("vtkMRMLViewNode")}
    if present & ours:
        restrictToViews(display, sorted(present - ours))


def _border(surface: Surface, labels: tuple[int, ...] | list[int]) -> Any:
    """A line across every face of which one or two corners lie in the region; None without any."""
    inside = np.isin(surface.labels, list(labels))
    # It runs between the middles of the two edges that the border cuts.
    faces = surface.faces[inside[surface.faces].sum(axis=1) % 3 != 0]
    if len(faces) == 0:
        return None
    places = surface.vertices + _LIFTED_MM * surface.normals
    middles = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        crosses = inside[faces[:, a]] != inside[faces[:, b]]
        middle = (places[faces[:, a]] + places[faces[:, b]]) / 2.0
        middles.append(np.where(crosses[:, None], middle, np.nan))
    ends = np.stack(middles, axis=1)
    ends = ends[~np.isnan(ends[..., 0])].reshape(-1, 3)
    return _lines(ends)


def _lines(ends: np.ndarray) -> Any:
    """Poly data of one line for each two of the points (2N, 3)."""
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(ends.astype(np.float32), deep=True))
    cells = vtk.vtkCellArray()
    cells.SetData(2, numpy_to_vtkIdTypeArray(np.arange(len(ends), dtype=np.int64), deep=True))
    lines = vtk.vtkPolyData()
    lines.SetPoints(points)
    lines.SetLines(cells)
    return lines


def _add(env: SceneEnvironment, border: Any, side: str, region: str) -> None:
    display = slicer.vtkMRMLModelDisplayNode()
    display.SetColor(*COLOUR)
    display.SetLineWidth(_LINE_PX)
    display.SetLighting(False)
    display.SetVisibility2D(False)
    display.SetSaveWithScene(False)
    node = slicer.vtkMRMLModelNode()
    node.SetName(f"{region} {side} (outlined)")
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node.SetAttribute(ROLE, Role.OUTLINE.value)
    node.SetAndObserveMesh(border)
    node = env.scene.AddNode(node)
    display = env.scene.AddNode(display)
    restrictToViews(display, viewIdsOf(side))
    node.SetAndObserveDisplayNodeID(display.GetID())
