"""Voxels and places of MRML volumes: reading, arrays, grids, resampling."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, numpy_to_vtk, vtk_to_numpy

from PETSynthLib.errors import ErrorCode, PETSynthError

SAME_PLACE_VOXELS = 0.1
"""Two grids whose corners differ by less than this share of a voxel are the same grid."""
FWHM_PER_SIGMA = 2.3548


def readVolume(path: Path, *, labels: bool = False) -> Any:
    """A volume node with the voxels of ``path``; in no scene, without a storage node.

    The file belongs to a job folder that will be deleted, so the node must not point to it.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when the file is missing or unreadable.
    """
    node = slicer.vtkMRMLLabelMapVolumeNode() if labels else slicer.vtkMRMLScalarVolumeNode()
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.SetSingleFile(1)
    if not path.is_file() or not storage.ReadData(node, True) or node.GetImageData() is None:
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The image {path.name} cannot be read.",
            "Run the synthesis again.",
        )
    return node


def arrayOf(node: Any) -> np.ndarray:
    """Voxels of a volume node, shape (K, J, I); a view, not a copy."""
    image = node.GetImageData()
    i, j, k = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i)


def setArray(node: Any, array: np.ndarray) -> None:
    """Give a volume node new voxels, shape (K, J, I); its place stays."""
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    flat = np.ascontiguousarray(array).ravel()
    scalars = numpy_to_vtk(flat, deep=True, array_type=get_vtk_array_type(flat.dtype))
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    node.SetAndObserveImageData(image)


def voxelsDigest(node: Any) -> str:
    """SHA-256 of a volume's shape and voxels, whatever it is called and wherever it lies."""
    array = np.ascontiguousarray(arrayOf(node))
    digest = hashlib.sha256(f"{array.shape} {array.dtype.str}".encode())
    digest.update(array)
    return digest.hexdigest()


def discard(scene: Any, node: Any) -> None:
    """Remove a volume with its display nodes and legend; alone they would be saved for ever."""
    displays = [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]
    scene.RemoveNode(node)
    for display in displays:
        if display is not None:
            scene.RemoveNode(display)


def numpyMatrix(matrix: Any) -> np.ndarray:
    """A ``vtkMatrix4x4`` as array (4, 4)."""
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])


def vtkMatrix(array: np.ndarray) -> Any:
    """An array (4, 4) as ``vtkMatrix4x4``."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, dtype=float).ravel().tolist())
    return matrix


def ijkToRas(node: Any) -> np.ndarray:
    """Voxel indices to the volume's own RAS millimetres (without its parent transform)."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return numpyMatrix(matrix)


def shapeOf(node: Any) -> tuple[int, int, int]:
    """Number of voxels along i, j, k; zeros for a volume without voxels."""
    image = node.GetImageData()
    return image.GetDimensions() if image is not None else (0, 0, 0)


def adoptGrid(node: Any, target: Any) -> bool:
    """Put ``node`` exactly on the grid of ``target`` when it already is there but for rounding.

    A file holds its place in single precision, and Slicer's reader turns left-handed volumes over:
    the same voxels, stored in another order. Afterwards grids and order are equal to the last bit.

    Returns
    -------
    Whether the two have the same voxels; if not, ``node`` is left as it is.
    """
    between = np.linalg.solve(ijkToRas(target), ijkToRas(node))
    step = np.round(between[:3, :3])
    # Row: axis of the target, column: axis of the node; exactly one step of one voxel each.
    if not (np.abs(step).sum(axis=0) == 1).all() or not (np.abs(step).sum(axis=1) == 1).all():
        return False
    order = [int(np.argmax(np.abs(row))) for row in step]
    if tuple(shapeOf(node)[axis] for axis in order) != tuple(shapeOf(target)):
        return False
    signs = [step[row, axis] for row, axis in enumerate(order)]
    exact = np.eye(4)
    exact[:3, :3] = step
    ends = [0 if sign > 0 else n - 1 for sign, n in zip(signs, shapeOf(target), strict=True)]
    exact[:3, 3] = ends
    corners = _corners(shapeOf(node))
    if np.abs((between - exact) @ corners)[:3].max() > SAME_PLACE_VOXELS:
        return False
    if not np.array_equal(exact, np.eye(4)):
        reordered = np.transpose(np.transpose(arrayOf(node)), order)  # (I, J, K) of the target
        flips = tuple(axis for axis, sign in enumerate(signs) if sign < 0)
        setArray(node, np.transpose(np.flip(reordered, flips)))
    matrix = vtk.vtkMatrix4x4()
    target.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    return True


def _corners(shape: tuple[int, int, int]) -> np.ndarray:
    """Indices of the eight corner voxels as homogeneous columns (4, 8)."""
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij"), dtype=float)
    return np.vstack([ends.reshape(3, -1), np.ones(8)])


def onGridOf(source: Any, target: Any, *, linear: bool = True, step: int = 1) -> np.ndarray:
    """Voxels of ``source`` sampled on the grid of ``target``, where both appear in the world.

    Parent transforms of both take part, linear or not.

    Parameters
    ----------
    source, target
        Volume nodes.
    linear
        False samples the nearest voxel (labels).
    step
        Only every so many voxels of ``target`` along each axis, for a quick look.

    Returns
    -------
    Array (K, J, I) as ``arrayOf(target)[::step, ::step, ::step]``; zero outside ``source``.
    """
    ownToOwn = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        target.GetParentTransformNode(), source.GetParentTransformNode(), ownToOwn
    )
    # Indices of the target -> its space -> the source's space -> indices of the source.
    toIndices = vtk.vtkGeneralTransform()
    toIndices.PostMultiply()
    toIndices.Concatenate(vtkMatrix(ijkToRas(target) @ np.diag([step, step, step, 1.0])))
    toIndices.Concatenate(ownToOwn)
    toIndices.Concatenate(vtkMatrix(np.linalg.inv(ijkToRas(source))))
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(_withoutPlace(source.GetImageData()))
    reslice.SetResliceTransform(toIndices)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputSpacing(1, 1, 1)
    i, j, k = (-(-n // step) for n in shapeOf(target))
    reslice.SetOutputExtent(0, i - 1, 0, j - 1, 0, k - 1)
    reslice.SetInterpolationModeToLinear() if linear else (
        reslice.SetInterpolationModeToNearestNeighbor()
    )
    reslice.SetBackgroundLevel(0)
    reslice.SetOutputScalarType(vtk.VTK_FLOAT)
    reslice.Update()
    return vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars()).reshape(k, j, i).copy()


def _withoutPlace(image: Any) -> Any:
    """The image with origin 0 and spacing 1 (shared voxels), as MRML keeps it."""
    plain = vtk.vtkImageData()
    plain.ShallowCopy(image)
    plain.SetOrigin(0, 0, 0)
    plain.SetSpacing(1, 1, 1)
    return plain


def smoothed(array: np.ndarray, node: Any, fwhmMm: float) -> np.ndarray:
    """``array`` (K, J, I) blurred by a Gaussian of ``fwhmMm``, on the grid of ``node``."""
    if fwhmMm <= 0:
        return array
    from scipy import ndimage  # 0.2 s, and only comparing needs it

    sigma = [fwhmMm / FWHM_PER_SIGMA / spacing for spacing in node.GetSpacing()[::-1]]
    return ndimage.gaussian_filter(array.astype(np.float32), sigma, mode="constant")
