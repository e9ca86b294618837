"""Uncertainty of a statistic over people: resample anatomies, never rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
LEVEL = 0.95


def resamples(anatomies: Sequence[str], seed: int, draws: int = DRAWS) -> list[NDArray[np.intp]]:
    """Row indices of ``draws`` cohorts made of as many anatomies, drawn with replacement.

    All rows of a drawn anatomy come along, as often as it was drawn.
    """
    rng = np.random.default_rng([seed, 31])
    _, owner = np.unique(np.asarray(anatomies), return_inverse=True)
    rows = [np.flatnonzero(owner == i) for i in range(owner.max() + 1)]
    picks = rng.integers(0, len(rows), (draws, len(rows)))
    return [np.concatenate([rows[i] for i in pick]) for pick in picks]


def interval(values: NDArray[np.float64], level: float = LEVEL) -> tuple[float, float]:
    """Central interval of the resampled statistic; cohorts where it is not defined are left out."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
