"""Where DICOM puts the voxels: planes of rows and columns, one behind the other, in LPS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import ErrorCode, PETSynthError
from ...preprocess.transform import LPS
from ...read.orientation import axes_towards_ras, to_stored
from ...volume import Affine, FloatArray, Grid, Volume

SAME_PLACE_MM = 0.1
"""Two grids whose corners are nearer than this are one: converters round what a scanner says."""
_RIGHT_ANGLE = 1e-3
_RAS_TO_LPS = LPS[:3, :3]


@dataclass(frozen=True, eq=False)
class Lattice:
    """A stack of planes.

    Attributes
    ----------
    grid
        Axes: column (along a row), row (down a column), plane. The planes follow each other in the
        direction of (along a row) x (down a column), as DICOM readers sort them.
    """

    grid: Grid

    @property
    def orientation(self) -> list[float]:
        """Image Orientation (Patient): unit vectors along a row and down a column, LPS."""
        axes = _RAS_TO_LPS @ self.grid.affine[:3, :2] / np.array(self.grid.spacing[:2])
        return [float(value) for value in axes.T.ravel()]

    @property
    def pixel_spacing(self) -> list[float]:
        """Pixel Spacing in mm: between rows, between columns."""
        along_row, down_column, _ = self.grid.spacing
        return [down_column, along_row]

    @property
    def slice_mm(self) -> float:
        """Distance between planes in mm."""
        return self.grid.spacing[2]

    def position(self, plane: int) -> list[float]:
        """Image Position (Patient) of a plane: centre of its first pixel, LPS mm."""
        place = self.grid.affine @ np.array([0.0, 0.0, plane, 1.0])
        return [float(value) for value in _RAS_TO_LPS @ place[:3]]

    def planes(self, volume: Volume) -> FloatArray:
        """Voxels of a canonical volume as (plane, row, column).

        Raises
        ------
        ValueError
            When the volume does not lie on this lattice.
        """
        if not canonical(self.grid).same_as(volume.grid, SAME_PLACE_MM):
            msg = "a volume on another grid than that of its DICOM objects"
            raise ValueError(msg)
        return np.ascontiguousarray(to_stored(volume, self.grid).transpose(2, 1, 0))


def canonical(grid: Grid) -> Grid:
    """The grid with its axes turned as `read.to_canonical` turns the voxels."""
    order, flipped = axes_towards_ras(grid.affine)
    i, j, k = (grid.shape[axis] for axis in order)
    affine: Affine = grid.affine[:, [*order, 3]].copy()
    for axis, length in enumerate((i, j, k)):
        if flipped[axis]:
            affine[:3, 3] += affine[:3, axis] * (length - 1)
            affine[:3, axis] *= -1.0
    return Grid((i, j, k), affine, grid.name)


def lattice_of(grid: Grid) -> Lattice:
    """The lattice on which the voxels of a file keep their order, but for that of the planes.

    Parameters
    ----------
    grid
        As stored in the file.

    Raises
    ------
    PETSynthError
        ``BAD_GEOMETRY`` where the axes are not at right angles: DICOM cannot say such a place.
    """
    require_right_angles(grid.affine)
    affine = grid.affine.copy()
    lps = _RAS_TO_LPS @ affine[:3, :3]
    if np.linalg.det(lps) < 0.0:
        affine[:3, 3] += affine[:3, 2] * (grid.shape[2] - 1)
        affine[:3, 2] *= -1.0
    return Lattice(Grid(grid.shape, affine, grid.name))


def require_right_angles(affine: NDArray[np.float64]) -> None:
    """Refuse sheared voxels (see `lattice_of`)."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > _RIGHT_ANGLE:
        raise PETSynthError(
            ErrorCode.BAD_GEOMETRY,
            "The voxels of the T1 are sheared, and DICOM has no way to say so.",
            "Resample the T1 to a grid with right angles first.",
        )


def from_planes(
    orientation: list[float], spacing: list[float], positions: NDArray[np.float64], shape: list[int]
) -> Grid:
    """The grid of planes in DICOM's words.

    Parameters
    ----------
    orientation
        Six numbers, LPS.
    spacing
        Between rows, between columns, mm.
    positions
        (planes, 3) LPS mm in the order of the planes, evenly spaced.
    shape
        Rows, columns.
    """
    axes = np.array(orientation, float).reshape(2, 3)
    step = (
        (positions[-1] - positions[0]) / (len(positions) - 1)
        if len(positions) > 1
        else np.cross(axes[0], axes[1])
    )
    affine = np.eye(4)
    affine[:3, 0] = _RAS_TO_LPS @ axes[0] * spacing[1]
    affine[:3, 1] = _RAS_TO_LPS @ axes[1] * spacing[0]
    affine[:3, 2] = _RAS_TO_LPS @ step
    affine[:3, 3] = _RAS_TO_LPS @ positions[0]
    return Grid((shape[1], shape[0], len(positions)), affine)
