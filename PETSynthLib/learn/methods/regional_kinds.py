"""Whether people are of two kinds for a tracer, and of which: what `regional_fit` begins with.

Amyloid is there or not, tau has spread or not; between the two lies hardly anybody. Two Gaussians
of the regions' leading direction say so when they explain it much better than one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...generate.flow.regional import KINDS

FEWEST_PEOPLE, FEWEST_OF_A_KIND = 40, 8
CLEARLY = 6.0
"""Difference of Bayesian information criteria that counts as strong evidence (Raftery 1995)."""
ROUNDS = 200
LEAST_VARIANCE = 1e-3
"""Of a kind, over everybody's."""
STARTS = (0.25, 0.9)
"""Quantiles where the two kinds are looked for first."""

Array = NDArray[np.float64]


def has_kinds(uptake: Array) -> NDArray[np.bool_]:
    """(T,): whether people of ``uptake`` (N, T, R) are clearly of two kinds."""
    answers = []
    for t in range(uptake.shape[1]):
        values = leading(uptake[:, t])
        values = values[np.isfinite(values)]
        if len(values) < FEWEST_PEOPLE or np.ptp(values) == 0:
            answers.append(False)
            continue
        upper, gain = two_gaussians(values)
        fewest = min(upper.sum(), len(upper) - upper.sum())
        answers.append(bool(gain > CLEARLY and fewest >= FEWEST_OF_A_KIND))
    return np.array(answers)


def kinds(uptake: Array, two: NDArray[np.bool_]) -> Array:
    """(N, T, K): how much everybody belongs to each kind; nothing for those without the PET.

    Parameters
    ----------
    uptake
        (N, T, R) regional SUVR, NaN where missing.
    two
        `has_kinds`.
    """
    there = np.asarray(np.isfinite(uptake).any(2))
    belongs = np.zeros((*uptake.shape[:2], KINDS))
    belongs[..., 0] = there
    for t in np.flatnonzero(two):
        upper, _ = two_gaussians(leading(uptake[there[:, t], t]))
        belongs[there[:, t], t] = np.stack([1 - upper, upper], 1)
    return belongs


def leading(uptake: Array) -> Array:
    """(N,): the direction in which regions (N, R) differ most, upwards; NaN without a region."""
    there = np.isfinite(uptake)
    known = there.any(1)
    mean = np.where(there, uptake, 0).sum(0) / np.maximum(there.sum(0), 1)
    centred = np.where(there, uptake - mean, 0.0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    direction = vectors[:, -1] * (1.0 if vectors[:, -1].sum() >= 0 else -1.0)
    return np.asarray(np.where(known, centred @ direction, np.nan))


def two_gaussians(values: Array) -> tuple[Array, float]:
    """How much each of ``values`` (N,) belongs to the upper of two Gaussians, by EM.

    Returns
    -------
    (N,), and by how much the Bayesian information criterion prefers two to one.
    """
    whole = max(float(values.var()), 1e-12)
    mean, variance = np.quantile(values, STARTS), np.full(KINDS, whole / 4)
    share = np.full(KINDS, 1 / KINDS)
    for _ in range(ROUNDS):
        logs = np.log(share) - 0.5 * (np.log(variance) + (values[:, None] - mean) ** 2 / variance)
        total = np.logaddexp(logs[:, 0], logs[:, 1])
        belongs = np.exp(logs - total[:, None])
        size = np.maximum(belongs.sum(0), 1e-9)
        share = size / size.sum()
        mean = (belongs * values[:, None]).sum(0) / size
        variance = (belongs * (values[:, None] - mean) ** 2).sum(0) / size
        variance = np.maximum(variance, LEAST_VARIANCE * whole)
    one, price = -0.5 * len(values) * (np.log(whole) + 1), np.log(len(values))
    gain = 2 * float(total.sum() - one) - 3 * price  # five parameters against two
    return belongs[:, int(np.argmax(mean))], float(gain)
