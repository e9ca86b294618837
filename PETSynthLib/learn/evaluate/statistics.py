"""Statistics of an evaluation: intervals, tests, corrections. The anatomy is the unit.

Every function is tested against values worked out by hand or published.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

RESAMPLES = 2000
FLIPS = 99_999
EXACT_UP_TO = 14
"""Up to this many anatomies all sign patterns are counted instead of drawn."""


def by_anatomy(values: Floats, anatomies: Sequence[Hashable]) -> Floats:
    """Mean over the subjects of each anatomy.

    Parameters
    ----------
    values
        (N,) or (N, S): one row a subject, one column a training seed; NaN is left out.
    anatomies
        (N,): whose brain each row is.

    Returns
    -------
    Array (A, S) in the order of first appearance, without anatomies that have no value.
    """
    table = values.reshape(len(values), -1)
    groups: dict[Hashable, list[int]] = {}
    for row, anatomy in enumerate(anatomies):
        if np.isfinite(table[row]).all():
            groups.setdefault(anatomy, []).append(row)
    if not groups:
        return np.empty((0, table.shape[1]))
    return np.stack([table[rows].mean(0) for rows in groups.values()])


def two_level_bootstrap(
    table: Floats, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the grand mean of ``table`` (A anatomies, S seeds).

    Anatomies and training seeds are crossed (every seed sees every anatomy), so both are drawn
    with replacement, independently. NaN for fewer than two anatomies.
    """
    anatomies, seeds = table.shape
    if anatomies < 2:
        return math.nan, math.nan
    rng = np.random.default_rng([seed, anatomies, seeds])
    rows = rng.integers(anatomies, size=(resamples, anatomies))
    columns = rng.integers(seeds, size=(resamples, seeds))
    means = table[rows[:, :, None], columns[:, None, :]].mean((1, 2))
    tail = 100.0 * (1.0 - confidence) / 2.0
    low, high = np.percentile(means, [tail, 100.0 - tail])
    return float(low), float(high)


def sign_flip_p(differences: Floats, *, flips: int = FLIPS, seed: int = 0) -> float:
    """Two-sided p of the mean of paired differences (n,), by flipping their signs.

    Exact for up to `EXACT_UP_TO` pairs; else ``(1 + hits) / (1 + flips)``, which is never 0.
    """
    n = len(differences)
    if n < 2:
        return math.nan
    observed = abs(differences.sum())
    # A pattern that ties with the observed one counts as a hit despite rounding.
    limit = observed - 1e-12 * (1.0 + np.abs(differences).sum())
    if n <= EXACT_UP_TO:
        patterns = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float((np.abs((1.0 - 2.0 * patterns) @ differences) >= limit).mean())
    rng = np.random.default_rng([seed, n])
    hits, left = 0, flips
    while left:
        block = min(left, 10_000)
        signs = 2.0 * rng.integers(0, 2, (block, n)) - 1.0
        hits += int((np.abs(signs @ differences) >= limit).sum())
        left -= block
    return (1 + hits) / (1 + flips)


def paired_t_p(differences: Floats) -> float:
    """Two-sided p of Student's paired t test (NaN for fewer than two or constant differences)."""
    if len(differences) < 2 or np.ptp(differences) == 0.0:
        return math.nan
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values of Holm (1979); a missing one (NaN) counts as tested and stays NaN."""
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(p), np.nan)
    running = 0.0
    for rank, index in enumerate(np.argsort(p)):  # NaN sorts last
        if np.isnan(p[index]):
            break
        running = max(running, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = running
    return [float(v) for v in adjusted]


def coverage_band(
    calibration: int | None, test: int, *, nominal: float = 0.90, acceptance: float = 0.99
) -> tuple[float, float]:
    """Shares of covered test subjects that a valid split-conformal interval may show.

    With ``k = ceil((n + 1) nominal)`` of ``n`` calibration subjects the true coverage is
    Beta(k, n + 1 - k) (Vovk 2012), so that the number covered among ``test`` subjects is
    beta-binomial. 500 and 500 subjects give 84.8-94.4 % at a nominal 90 %.

    Parameters
    ----------
    calibration
        Number of calibration subjects; None when the coverage is taken as exactly nominal, which
        leaves the binomial band.
    test
        Number of test subjects.
    """
    tail = (1.0 - acceptance) / 2.0
    if calibration is None:
        spread = stats.binom(test, nominal)
    else:
        k = min(math.ceil((calibration + 1) * nominal), calibration)
        spread = stats.betabinom(test, k, calibration + 1 - k)
    return float(spread.ppf(tail)) / test, float(spread.ppf(1.0 - tail)) / test


def crps_gaussian(mean: Floats, sd: Floats, truth: Floats) -> Floats:
    """Continuous ranked probability score of a Gaussian forecast (Gneiting and Raftery 2007).

    In the unit of ``truth``; a forecast without spread (sd 0) scores its absolute error.
    """
    spread = np.maximum(sd, 1e-12)
    z = (truth - mean) / spread
    score = z * (2.0 * stats.norm.cdf(z) - 1.0) + 2.0 * stats.norm.pdf(z) - 1.0 / math.sqrt(math.pi)
    return np.asarray(spread * score)


def crps_samples(draws: Floats, truth: Floats) -> Floats:
    """Fair CRPS of K draws: ``mean|x - y| - sum_ij |x_i - x_j| / (2 K (K - 1))``.

    Parameters
    ----------
    draws
        (N, K, ...), K at least 2.
    truth
        (N, ...).
    """
    count = draws.shape[1]
    distance = np.abs(draws - truth[:, None]).mean(1)
    # sum_ij |x_i - x_j| = 2 sum_i (2 i - K + 1) x_(i) over the sorted draws, i from 0.
    weights = (2.0 * np.arange(count) - count + 1.0).reshape(1, count, *[1] * (draws.ndim - 2))
    spread = (weights * np.sort(draws, axis=1)).sum(1) / (count * (count - 1))
    return np.asarray(distance - spread)


def truth_ranks(draws: Floats, truth: Floats) -> NDArray[np.int64]:
    """How many of the K draws (N, K) lie below the truth (N,): 0..K, even when calibrated."""
    return np.asarray((draws < truth[:, None]).sum(1), dtype=np.int64)


def evenness_p(values: Floats, bins: int) -> float:
    """p of the chi-squared test that ``values`` in 0..1 fill ``bins`` equal bins evenly."""
    inside = values[np.isfinite(values)]
    if len(inside) < bins:
        return math.nan
    counts = np.histogram(inside, bins=bins, range=(0.0, 1.0))[0]
    return float(stats.chisquare(counts).pvalue)
