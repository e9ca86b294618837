"""Turning voxel axes, never voxels: flips and permutations only, bit for bit reversible."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..volume import Affine, FloatArray, Grid, Volume


def axes_towards_ras(affine: Affine) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """How the stored voxel axes have to be taken so that they point closest to RAS.

    Parameters
    ----------
    affine
        4x4 ``ijkToRas``.

    Returns
    -------
    order, flipped
        Canonical axis ``a`` (0 right, 1 anterior, 2 superior) is stored axis ``order[a]``,
        reversed when ``flipped[a]``. Of the six permutations the one whose directions agree best
        with RAS is taken, so an oblique scan of any tilt has one answer.
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)

    def agreement(order: tuple[int, int, int]) -> tuple[float, ...]:
        turned = directions[:, list(order)]
        turned = turned * np.where(np.diag(turned) < 0, -1.0, 1.0)
        # The entries break ties (a tilt of 45 degrees) by anatomy, not by the stored order.
        return float(np.trace(turned)), *turned.ravel().tolist()

    order = max(((a, b, 3 - a - b) for a, b in itertools.permutations((0, 1, 2), 2)), key=agreement)
    i, j, k = (bool(directions[a, order[a]] < 0) for a in range(3))
    return order, (i, j, k)


def to_canonical(data: NDArray[Any], affine: Affine) -> tuple[NDArray[Any], Affine]:
    """``data`` (I, J, K) and ``affine`` with axes closest to right, anterior, superior.

    No voxel is interpolated and every voxel keeps its place in millimetres.
    """
    order, flipped = axes_towards_ras(affine)
    turned = np.transpose(data, order)
    result = affine.copy()
    result[:3, :3] = affine[:3, list(order)]
    for axis in range(3):
        if flipped[axis]:
            turned = np.flip(turned, axis)
            result[:3, 3] += result[:3, axis] * (turned.shape[axis] - 1)
            result[:3, axis] *= -1.0
    # Adding zero turns -0.0 into 0.0, so that equal affines have equal bytes.
    return np.ascontiguousarray(turned), result + 0.0


def to_stored(volume: Volume, stored: Grid) -> FloatArray:
    """Voxels of a canonical ``volume`` in the order of the file it came from.

    Parameters
    ----------
    volume
        On the canonical grid of a scan, e.g. a result restored to native space.
    stored
        `Scan.stored` of that scan.

    Returns
    -------
    float32 array of ``stored.shape``, the exact inverse of `to_canonical`.
    """
    order, flipped = axes_towards_ras(stored.affine)
    reversed_axes = tuple(axis for axis in range(3) if flipped[axis])
    turned = np.transpose(np.flip(volume.data, reversed_axes), np.argsort(order))
    if turned.shape != stored.shape:
        msg = f"a volume of shape {volume.shape} does not belong to a file of {stored.shape}"
        raise ValueError(msg)
    return np.ascontiguousarray(turned)
