"""The eight views of the brain surface: their cameras, their letters, and what they show.

Left and right are those of the composed page (`PETSynthLib.project.views`), of which these cameras
are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import slicer

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.project.surface import surfaces
from PETSynthLib.project.views import VIEWS, View

from .Arrangement import switchTo
from .Attributes import Role, roleOf
from .Environment import SceneEnvironment
from .Layouts import PAGE_VIEW, SSP, SSP_PAGE, SURFACE_VIEWS, surfaceViewId
from .Legends import legendOf
from .Slices import fillColumn
from .SurfaceLook import lookDefault, lookOfSurface, paintSurface, showBar
from .SurfaceOutline import keepOffSurface
from .Surfaces import SurfaceNodes, requireOwn

DISTANCE_MM = 500.0
HALF_HEIGHT_MM = 115.0
"""Of every view: a whole brain lengthwise in a square view, with room for letters."""
RAISED_MM = 12.0
"""The brain stands above the middle: the marks stand at the lower edge."""
_DRESSED = "PETSynth.SurfaceView"
"""Attribute of a view that was set up once; what the user changes afterwards stays."""
VIEW_OF = {SURFACE_VIEWS[view.name]: view for view in VIEWS}
"""Name of a 3D view -> view of the library."""
_ALONG_X = 0.9
"""Cosine beyond which a picture's edges are the patient's left and right."""
_AS_MADE = 0.97
"""Cosine beyond which a view is still the one that its name says: 14 degrees."""


def showSurface(env: SceneEnvironment, nodes: SurfaceNodes, *, switchLayout: bool = True) -> None:
    """Show a PET on the surface in the eight views; those of other PETs are put away.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it may be shown as a page only; ``BAD_DATA`` when it is of another
        image than its PET is now.
    """
    if not nodes.models:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "An exploratory tracer is shown as low, middle and high only: eight views of one of "
            "them would say too much.",
            "Look at the page, which has all three.",
        )
    requireOwn(env, nodes)
    if lookOfSurface(nodes) is None:
        paintSurface(env, nodes, lookDefault(nodes))
    for other in env.nodes("vtkMRMLModelNode"):
        if roleOf(other) is Role.SURFACE and other.GetDisplayNode() is not None:
            mine = other in nodes.models.values()
            other.GetDisplayNode().SetVisibility(mine)
            if legendOf(other) is not None:
                legendOf(other).SetVisibility(mine)
    makeSurfaceViews(env)
    for other in env.nodes("vtkMRMLModelNode"):
        # A row that was clicked before the eight views were made.
        if roleOf(other) is Role.HIGHLIGHT and other.GetDisplayNode() is not None:
            keepOffSurface(env, other.GetDisplayNode())
    if switchLayout:
        switchTo(env, SSP)
    showBar(env, nodes)


def showPage(
    env: SceneEnvironment, nodes: SurfaceNodes, part: str = "ssp", *, switchLayout: bool = True
) -> None:
    """Show a composed page in a slice view of its own.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when there is no such page; ``BAD_DATA`` as `showSurface`.
    """
    if part not in nodes.pages:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "There is no such page of this PET.",
            "Choose another, or lay the PET on the surface with normals.",
        )
    requireOwn(env, nodes)
    if switchLayout:
        switchTo(env, SSP_PAGE)
    fillColumn(env, [PAGE_VIEW], nodes.pages[part])
    _fitPage(env)


def _fitPage(env: SceneEnvironment) -> None:
    logics = None if env.applicationLogic is None else env.applicationLogic.GetSliceLogics()
    for index in range(logics.GetNumberOfItems()) if logics is not None else ():
        logic = logics.GetItemAsObject(index)
        if logic.GetSliceNode() is not None and logic.GetSliceNode().GetLayoutName() == PAGE_VIEW:
            logic.FitSliceToBackground()


def isPageOnly(env: SceneEnvironment, viewName: str) -> bool:
    """Whether a slice view shows nothing but a composed page: its edges are no left and right."""
    for composite in env.nodes("vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName() == viewName:
            ids = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
            shown = [node for node in map(env.node, ids) if node is not None]
            return bool(shown) and all(roleOf(node) is Role.PAGE for node in shown)
    return False


# --- views and cameras ----------------------------------------------------------------------------
def makeSurfaceViews(env: SceneEnvironment) -> None:
    """Make what is missing of the eight views and set them up once; a user's changes stay."""
    for name, view in VIEW_OF.items():
        node = env.node(surfaceViewId(name))
        if node is None:
            node = slicer.vtkMRMLViewNode()
            node.SetSingletonTag(name)
            node.SetLayoutName(name)
            node.SetName(name)
            node.SetLayoutLabel(view.name)
            node = env.scene.AddNode(node)
    dressSurfaceViews(env)


def dressSurfaceViews(env: SceneEnvironment) -> None:
    """Set up once those of the eight views that are there, whoever made them."""
    for name, view in VIEW_OF.items():
        node = env.node(surfaceViewId(name))
        if node is not None and node.GetAttribute(_DRESSED) is None:
            _dress(node)
            _aim(_cameraOf(env, name), view)


def resetSurfaceViews(env: SceneEnvironment) -> None:
    """The eight cameras as the page has them."""
    for name, view in VIEW_OF.items():
        _aim(_cameraOf(env, name), view)


def _dress(node: Any) -> None:
    """Black, parallel, without box and axes; linked by `SurfaceLink`, not by Slicer."""
    wasModifying = node.StartModify()
    node.SetRenderMode(node.Orthographic)
    # A view gives its field to its camera as parallel scale when the two meet.
    node.SetFieldOfView(HALF_HEIGHT_MM)
    node.SetBackgroundColor(0.0, 0.0, 0.0)
    node.SetBackgroundColor2(0.0, 0.0, 0.0)
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    node.SetLinkedControl(False)
    node.SetAttribute(_DRESSED, "1")
    node.EndModify(wasModifying)


def cameraOf(env: SceneEnvironment, name: str) -> Any:
    """The camera of one of the eight views, or None."""
    for camera in env.nodes("vtkMRMLCameraNode"):
        if camera.GetLayoutName() == name:
            return camera
    return None


def _cameraOf(env: SceneEnvironment, name: str) -> Any:
    camera = cameraOf(env, name)
    if camera is None:
        # A view takes the camera that bears its layout name, and makes one where there is none.
        camera = slicer.vtkMRMLCameraNode()
        camera.SetLayoutName(name)
        camera.SetName(f"{name} camera")
        camera = env.scene.AddNode(camera)
    return camera


def _aim(camera: Any, view: View) -> None:
    centre = centreOf(view)
    place(camera, centre, axesOf(view), HALF_HEIGHT_MM)


def centreOf(view: View) -> np.ndarray:
    """What a view looks at, RAS mm: a little below the middle of what it shows."""
    seen = np.concatenate([surfaces()[side].vertices for side in view.sides])
    return (seen.min(axis=0) + seen.max(axis=0)) / 2.0 - RAISED_MM * np.array(view.up)


def axesOf(view: View) -> np.ndarray:
    """Rows: RAS directions to the right, to the top and towards the reader of a view."""
    return np.array([view.right, view.up, view.towards])


def place(camera: Any, centre: np.ndarray, axes: np.ndarray, halfHeight: float) -> None:
    """Let a camera look at ``centre`` along ``axes`` (rows right, up, towards the reader)."""
    with _changing(camera):
        camera.SetParallelProjection(True)
        camera.SetFocalPoint(*centre)
        camera.SetPosition(*(centre + DISTANCE_MM * axes[2]))
        camera.SetViewUp(*axes[1])
        camera.SetParallelScale(halfHeight)
        camera.ResetClippingRange()


@contextmanager
def _changing(node: Any) -> Iterator[None]:
    wasModifying = node.StartModify()
    try:
        yield
    finally:
        node.EndModify(wasModifying)


def poseOf(camera: Any) -> tuple[np.ndarray, np.ndarray]:
    """Focal point and axes (rows right, up, towards the reader) of a camera."""
    focus, place, up = (
        np.array(values)
        for values in (camera.GetFocalPoint(), camera.GetPosition(), camera.GetViewUp())
    )
    towards = (place - focus) / np.linalg.norm(place - focus)
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    return focus, np.array([right, np.cross(towards, right), towards])


def lettersOfView(env: SceneEnvironment, viewNode: Any) -> tuple[str, str] | None:
    """Letters at the left and right edge of one of the eight views, from its camera as it is now.

    None where the edges are not the patient's left and right: lateral and medial views show one
    hemisphere, which their name tells (`nameOfView`).
    """
    name = viewNode.GetLayoutName()
    camera = cameraOf(env, name) if name in VIEW_OF else None
    if camera is None:
        return None
    along = poseOf(camera)[1][0][0]
    if abs(along) < _ALONG_X:
        return None
    return ("L", "R") if along > 0 else ("R", "L")


def nameOfView(env: SceneEnvironment, viewNode: Any) -> str:
    """Name of one of the eight views, as on the page; empty for others and once it was turned."""
    name = viewNode.GetLayoutName()
    camera = cameraOf(env, name) if name in VIEW_OF else None
    if camera is None:
        return ""
    view = VIEW_OF[name]
    same = float(poseOf(camera)[1][2] @ np.array(view.towards))
    return view.name if same > _AS_MADE else ""
