"""How far `flow`'s mean network is believed over the regional model: the anchor and its fit.

The anchor itself (`generate.flow.anchor.Anchor`) goes into the bundle; it is fitted on people
whom the mean network has not seen (`flow_residual`).
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from ...generate.flow.anchor import Anchor
from ...generate.flow.painting import levels, paint_levels
from ...generate.flow.reading import REGIONS
from ...volume import Grid


def no_anchor(tracers: int) -> Anchor:
    """An anchor that leaves the network alone: before anything is fitted."""
    nothing = np.zeros((tracers, len(REGIONS)))
    return Anchor(nothing, np.ones(tracers), nothing)


def image_levels(
    images: NDArray[np.float32], grey: NDArray[np.float32], grid: Grid
) -> NDArray[np.float64]:
    """`levels` of every tracer's image (T, I, J, K): (T, R) SUVR."""
    return np.stack([levels(image, grey, grid) for image in images])


def painted_correction(
    anchor: Anchor,
    level: NDArray[np.float64],
    deviation: NDArray[np.float64],
    scale: NDArray[np.float32],
    grid: Grid,
) -> torch.Tensor:
    """What the anchor adds, (T, K, I, J) in network scale.

    Taken with all facts known: what the clinic changes goes through both sides alike.

    Parameters
    ----------
    level, deviation
        (T, R): `image_levels` of the network, and the regional model's deviation, SUVR.
    scale
        (T,) SUVR that counts as 1 in the network.
    """
    painted = [
        paint_levels(anchor.correction(level[t], deviation[t], t) / size, grid)
        for t, size in enumerate(scale)
    ]
    return torch.from_numpy(np.stack(painted).transpose(0, 3, 1, 2).copy())


def fit_anchor(
    level: NDArray[np.float64],
    deviation: NDArray[np.float64],
    own: NDArray[np.float64],
    true: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> Anchor:
    """Trust and offsets with the smallest squared error on strangers.

    Parameters
    ----------
    level
        (N, T, R): `levels` of the network's images.
    deviation
        (N, T, R): what the regional model expects beyond the average.
    own, true
        (N, T, R): the network's and the true uptake over people's own regions; NaN where not known.
    expected
        (T, R): the regional model's average.
    """
    with warnings.catch_warnings():
        # A region that the grid does not show has no level in anybody.
        warnings.simplefilter("ignore", RuntimeWarning)
        centre = np.nanmean(level - deviation, 0)
        lacking = true - own
        offset = np.nanmean(lacking, 0)
        count = np.isfinite(lacking).sum(0)
        # Shrunk towards 0 by its own uncertainty (positive-part James-Stein); one person's is not
        # known at all.
        error = np.where(count > 1, np.nanvar(lacking, 0) / np.maximum(count - 1, 1), np.inf)
        offset = offset * np.clip(1 - error / np.maximum(offset**2, 1e-12), 0, 1)
    away = np.nan_to_num(level - centre - deviation)
    wanted = true - expected - deviation
    known = np.isfinite(wanted)
    both = np.where(known, away * wanted, 0).sum((0, 2))
    size = np.where(known, away**2, 0).sum((0, 2))
    trust = np.clip(both / np.maximum(size, 1e-12), 0, 1)
    return Anchor(np.nan_to_num(centre), trust, np.nan_to_num(offset))
