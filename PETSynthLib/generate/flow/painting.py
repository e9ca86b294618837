"""Regional values as an image, and an image's regional values: between 85 numbers and voxels."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...preprocess.atlas_grid import atlas_on
from ...volume import Grid
from ..atlas.forward import atlas_labels, grid_key_of, scanner_blur
from .reading import CEREBELLUM, REGIONS

PAINT_FWHM_MM = 6.0
SOFTEST = 0.05
"""Keeps `paint_levels` from answering a small region with a huge value."""

Array = NDArray[np.float64]


def levels(image: NDArray[np.floating], grey: NDArray[np.float32], grid: Grid) -> Array:
    """Mean of an image (I, J, K) over the grey matter of each territory: (R,), NaN without any."""
    labels, size = _territories(grid).ravel(), REGIONS[-1] + 1
    weight = np.bincount(labels, grey.ravel(), minlength=size)[list(REGIONS)]
    total = np.bincount(labels, (grey * image).ravel(), minlength=size)[list(REGIONS)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weight > 0, total / weight, np.nan))


def paint(values: Array, grid: Grid) -> NDArray[np.float32]:
    """Regional values (R,) on a grid (I, J, K): every territory its value, borders softened."""
    return np.asarray(scanner_blur(_table(values)[_territories(grid)], PAINT_FWHM_MM, grid))


@cache
def _brush(
    grid_key: tuple[tuple[int, int, int], bytes],
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    shape, affine = grid_key
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), "")
    shares = np.stack([paint(row, grid) for row in np.eye(len(REGIONS))])
    slices = []
    for k in range(shape[2]):
        there = np.flatnonzero(shares[..., k].max((1, 2)) > 0)
        slices.append((there, shares[there, :, :, k].reshape(len(there), shape[0] * shape[1])))
    return slices


def paint_slices(
    values: NDArray[np.float32], ks: NDArray[np.intp], grid: Grid
) -> NDArray[np.float32]:
    """Axial slices ``ks`` of `paint` for several sets of values at once.

    Parameters
    ----------
    values
        (T, R).

    Returns
    -------
    Array (len(ks), T, I, J).
    """
    brush = _brush(grid_key_of(grid))
    drawn = [values[:, brush[k][0]] @ brush[k][1] for k in ks]
    return np.stack(drawn).reshape(len(ks), len(values), *grid.shape[:2])


def paint_levels(values: Array, grid: Grid) -> NDArray[np.float32]:
    """An image whose mean over each atlas region is nearly ``values`` (R,).

    Softened borders and neighbours take some of a painted value away; it is put on in advance.
    """
    seen = _seen_by_regions(grid_key_of(grid))
    inner = seen.T @ seen + SOFTEST * np.eye(len(seen))
    return paint(np.asarray(np.linalg.solve(inner, seen.T @ values), dtype=np.float64), grid)


@cache
def _seen_by_regions(grid_key: tuple[tuple[int, int, int], bytes]) -> Array:
    """(R, R): mean over each atlas region of each territory's brush; 0 for an empty region."""
    shape, affine = grid_key
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), "")
    regions, territories = atlas_on("regions", grid).data, _territories(grid)
    labels = np.where(regions > 0, regions, np.where(territories >= CEREBELLUM, territories, 0))
    total = np.zeros((REGIONS[-1] + 1, len(REGIONS)))
    for k, (there, weights) in enumerate(_brush(grid_key)):
        of = labels[:, :, k].ravel().astype(np.intp)
        for s, row in zip(there, weights, strict=True):
            total[:, s] += np.bincount(of, row, minlength=len(total))
    size = np.bincount(labels.ravel().astype(np.intp), minlength=len(total))
    return np.asarray((total / np.maximum(size, 1)[:, None])[list(REGIONS)])


def _table(values: Array) -> NDArray[np.float32]:
    table = np.zeros(REGIONS[-1] + 1, np.float32)
    table[list(REGIONS)] = values
    return table


def _territories(grid: Grid) -> NDArray[np.uint8]:
    territories, _ = atlas_labels(grid_key_of(grid))
    return territories
