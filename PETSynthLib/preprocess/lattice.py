"""Upright, isotropic grids to work on: the same for every way a head was stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Grid, Volume

MARGIN_MM = 10.0


def grid_around(mask: Volume, spacing: float) -> Grid:
    """A grid along RAS with ``spacing`` mm around a mask, with a margin on all sides."""
    points = _ends(mask.mask) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    return _grid_over(points.min(0) - MARGIN_MM, points.max(0) + MARGIN_MM, spacing)


def _ends(inside: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First and last voxel (n, 3) of every column along k: the extremes in any direction."""
    columns = np.argwhere(inside.any(axis=2))
    lines = inside[columns[:, 0], columns[:, 1]]
    first, last = lines.argmax(axis=1), lines.shape[1] - 1 - lines[:, ::-1].argmax(axis=1)
    return np.concatenate([np.column_stack([columns, ends]) for ends in (first, last)])


def grid_over(grid: Grid, spacing: float) -> Grid:
    """A grid along RAS with ``spacing`` mm that holds the whole field of view of ``grid``."""
    corners = grid.corners()
    return _grid_over(corners.min(0), corners.max(0), spacing)


def _grid_over(low: NDArray[np.float64], high: NDArray[np.float64], spacing: float) -> Grid:
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    i, j, k = (int(n) + 1 for n in np.ceil((high - low) / spacing))
    return Grid((i, j, k), affine)


def centre_of(mask: Volume) -> NDArray[np.float64]:
    """Centre of mass (3,) of a mask in RAS mm."""
    centre = np.argwhere(mask.mask).mean(0)
    return np.asarray(centre @ mask.affine[:3, :3].T + mask.affine[:3, 3])
