"""Reading planes: scanner axes, AC-PC, hippocampal axis, by the tilt of the slice views alone.

No voxel is resampled and no transform lies over any data: values, tables and exports stay what they
are. The way from the scan to the template, which the PET carries as an attribute, tells where the
template's landmarks lie in this head; of a result under a linear transform, where they lie now.

The mid-sagittal plane is where that way leads to x = 0. Its normal is the left-right axis of both
tilted planes, and the front axis lies in it, so the three axes are at right angles even where the
affine shears.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import vtk

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.preprocess.transform import NativeToTemplate

from .Attributes import NATIVE_TO_TEMPLATE
from .Environment import SceneEnvironment
from .Layouts import FUSED_VIEWS, PLANES, planeOf, viewIdOf
from .Volumes import numpyMatrix

AC = (0.0, 3.0, -5.0)
PC = (0.0, -25.0, -2.5)
"""Anterior and posterior commissure in template RAS mm, read off the mid-sagittal plane of the
shipped ``template_t1.nii.gz``: both are white matter between fluid, AC brightest at y = 3 from back
to front, PC at z = -2.5 from below to above. An error of 1 mm tilts by 2 degrees. The line from PC
to AC runs 5.1 degrees down from the template's own y axis."""

HIPPOCAMPAL_PITCH = -38.7
"""Degrees from the template's y axis down to the hippocampus's long axis, towards its head.

The direction of largest variance of the atlas's hippocampal voxels (``regions.nii.gz``, 1694 voxels
of 2 mm), seen from the side: -38.7 degrees left and right. The two sides part by 3 and 1 degrees to
the front; slices take no side, so that is left out. To the AC-PC line it is 33.6 degrees."""

TRANSFORM_FILE = Path("space") / "native_to_template.tfm"
"""Where a finished job keeps its way to the template."""

_SAME = 1e-4
"""Axes that differ by less are the same (a hundredth of a degree is 1.7e-4)."""


class ReadingPlanes(StrEnum):
    """Which axes the slices follow."""

    NATIVE = "native"
    ACPC = "acpc"
    HIPPOCAMPUS = "hippocampus"


def keepTransform(pet: Any, folder: Path) -> None:
    """Write a job's way to the template onto its PET; a job without one leaves none."""
    path = Path(folder) / TRANSFORM_FILE
    if path.is_file():
        matrix = NativeToTemplate.read(path).matrix
        pet.SetAttribute(NATIVE_TO_TEMPLATE, " ".join(repr(float(n)) for n in matrix[:3].ravel()))


def whyNoPlanes(pet: Any) -> str:
    """Why the tilted planes of a PET are not known, as a sentence; empty when they are."""
    if not pet.GetAttribute(NATIVE_TO_TEMPLATE):
        return "This PET does not know its way to the template. Make it again for these planes."
    above = pet.GetParentTransformNode()
    if above is not None and not above.IsTransformToWorldLinear():
        return "This PET is under a non-linear transform: its planes are not flat."
    return ""


def axesOf(pet: Any, planes: ReadingPlanes) -> np.ndarray:
    """Right, front and up of the reading planes of a head.

    Parameters
    ----------
    pet
        The PET of a result; for the scanner's axes it may be None.
    planes
        Which.

    Returns
    -------
    (3, 3), columns of unit length at right angles, in world RAS.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` where `whyNoPlanes` says why.
    """
    if planes is ReadingPlanes.NATIVE:
        return np.eye(3)
    if reason := whyNoPlanes(pet):
        raise PETSynthError(ErrorCode.BAD_REQUEST, reason, "Choose the scanner's own axes.")
    toTemplate = _worldToTemplate(pet)
    right = _unit(toTemplate[0, :3])
    front = _unit(np.linalg.solve(toTemplate[:3, :3], _frontInTemplate(planes)))
    return np.column_stack([right, front, np.cross(right, front)])


def setPlanes(env: SceneEnvironment, pet: Any, planes: ReadingPlanes) -> None:
    """Tilt the slice views of our layouts, and Slicer's own three, to the planes of a head.

    The point where Slicer's own planes meet stays in view.

    Raises
    ------
    PETSynthError
        As `axesOf`; no view has moved then.
    """
    axes = axesOf(pet, planes)
    point = _meetingPoint(env)
    for node in _views(env):
        _tilt(node, axes)
        if point is not None:
            node.JumpSliceByOffsetting(*point)


def planesOn(env: SceneEnvironment, pet: Any) -> ReadingPlanes | None:
    """The planes that Slicer's own views show of a head; None for any others.

    Read from the views alone: so it is right after loading, and when a view was turned by hand.
    """
    views = _ownViews(env)
    for planes in ReadingPlanes:
        if planes is not ReadingPlanes.NATIVE and (pet is None or whyNoPlanes(pet)):
            continue
        axes = axesOf(pet, planes)
        if all(np.abs(_axesIn(node) - axes).max() < _SAME for node in views):
            return planes
    return None


def followPlanes(env: SceneEnvironment, viewIds: set[str]) -> None:
    """Give views that were made later the planes of a head that Slicer's own views show."""
    if not viewIds or planesOn(env, None) is ReadingPlanes.NATIVE:
        return
    for pet in env.nodes("vtkMRMLScalarVolumeNode"):
        planes = planesOn(env, pet) if pet.GetAttribute(NATIVE_TO_TEMPLATE) else None
        if planes is not None:
            axes = axesOf(pet, planes)
            for node in _views(env):
                if node.GetID() in viewIds:
                    _tilt(node, axes)
            return


def _views(env: SceneEnvironment) -> list[Any]:
    nodes = env.nodes("vtkMRMLSliceNode")
    return [node for node in nodes if planeOf(node.GetLayoutName()) is not None]


def _ownViews(env: SceneEnvironment) -> list[Any]:
    found = (env.node(viewIdOf(name)) for name in FUSED_VIEWS)
    return [node for node in found if node is not None]


def _worldToTemplate(pet: Any) -> np.ndarray:
    matrix = np.eye(4)
    numbers = [float(number) for number in pet.GetAttribute(NATIVE_TO_TEMPLATE).split()]
    matrix[:3] = np.reshape(numbers, (3, 4))
    above = pet.GetParentTransformNode()
    if above is not None:
        toWorld = vtk.vtkMatrix4x4()
        above.GetMatrixTransformToWorld(toWorld)
        matrix = matrix @ np.linalg.inv(numpyMatrix(toWorld))
    return matrix


def _frontInTemplate(planes: ReadingPlanes) -> np.ndarray:
    """The planes' front axis in the template; in the mid-sagittal plane."""
    if planes is ReadingPlanes.ACPC:
        return np.subtract(AC, PC)
    pitch = np.deg2rad(HIPPOCAMPAL_PITCH)
    return np.array([0.0, np.cos(pitch), np.sin(pitch)])


@cache
def _preset(plane: str) -> np.ndarray:
    """Slice axes (3, 3) of Slicer's own Axial, Coronal and Sagittal."""
    axes = {
        "Axial": ((-1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "Coronal": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
        "Sagittal": ((0, -1, 0), (0, 0, 1), (-1, 0, 0)),
    }
    return np.array(axes[plane], dtype=float).T


def _tilt(node: Any, axes: np.ndarray) -> None:
    turned = axes @ _preset(planeOf(node.GetLayoutName()))
    matrix = node.GetSliceToRAS()
    wasModifying = node.StartModify()
    for row in range(3):
        for column in range(3):
            matrix.SetElement(row, column, turned[row, column])
    node.UpdateMatrices()
    node.EndModify(wasModifying)


def _axesIn(node: Any) -> np.ndarray:
    """Right, front and up that a view's slice follows."""
    turned = numpyMatrix(node.GetSliceToRAS())[:3, :3]
    return np.asarray(turned @ np.linalg.inv(_preset(planeOf(node.GetLayoutName()))))


def _meetingPoint(env: SceneEnvironment) -> np.ndarray | None:
    """Where Slicer's own three planes meet; None when they do not meet in one point."""
    views = _ownViews(env)
    if len(views) != len(PLANES):
        return None
    matrices = [numpyMatrix(node.GetSliceToRAS()) for node in views]
    normals = np.array([m[:3, 2] for m in matrices])
    if abs(np.linalg.det(normals)) < 0.1:
        return None
    return np.linalg.solve(normals, [n @ m[:3, 3] for n, m in zip(normals, matrices, strict=True)])


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))
