"""Agreement of synthetic with true regional values over subjects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
LIMITS = 1.96


@dataclass(frozen=True)
class Icc:
    """Intraclass correlation ICC(2,1) with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How well ``synthetic`` stands for ``true``, both (n,) in SUVR.

    Attributes
    ----------
    n
        Number of pairs.
    bias, sd
        Mean and standard deviation of synthetic - true.
    limits
        Bland-Altman limits of agreement: bias -+ 1.96 sd.
    trend
        Slope of the difference on the mean of the two (proportional bias).
    mape
        Mean absolute error in percent of the true value, where that is not 0.
    r
        Pearson correlation.
    ccc
        Lin's concordance correlation.
    icc
        Absolute agreement, two-way random, single measure.
    slope
        Of synthetic on true: below 1 is regression to the mean.
    """

    n: int
    bias: float
    sd: float
    limits: tuple[float, float]
    trend: float
    mape: float
    r: float
    ccc: float
    icc: Icc
    slope: float


def _slope(x: Floats, y: Floats) -> float:
    spread = float(((x - x.mean()) ** 2).sum())
    return float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0 else math.nan


def _correlation(x: Floats, y: Floats) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


def concordance(x: Floats, y: Floats) -> float:
    """Lin's concordance correlation (1989), with population (1/n) moments."""
    scale = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return float(2.0 * covariance / scale) if scale > 0 else math.nan


def icc_2_1(table: Floats, confidence: float = 0.95) -> Icc:
    """ICC(2,1) of Shrout and Fleiss (1979): every target measured by the same k raters.

    Parameters
    ----------
    table
        (n targets, k raters).
    confidence
        Of the interval (McGraw and Wong 1996, ICC(A,1)).
    """
    n, k = table.shape
    if n < 2:
        return Icc(math.nan, math.nan, math.nan)
    grand = table.mean()
    targets = k * float(((table.mean(1) - grand) ** 2).sum()) / (n - 1)
    raters = n * float(((table.mean(0) - grand) ** 2).sum()) / (k - 1)
    total = float(((table - grand) ** 2).sum())
    error = (total - (n - 1) * targets - (k - 1) * raters) / ((n - 1) * (k - 1))
    scale = targets + (k - 1) * error + k * (raters - error) / n
    if scale <= 0:
        return Icc(math.nan, math.nan, math.nan)
    value = (targets - error) / scale
    if error <= 0 or value >= 1:
        return Icc(value, value, value)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    freedom = (a * raters + b * error) ** 2 / (
        (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    tail = 1 - (1 - confidence) / 2
    f_low = float(stats.f.ppf(tail, n - 1, freedom))
    f_high = float(stats.f.ppf(tail, freedom, n - 1))
    within = k * raters + (k * n - k - n) * error
    low = n * (targets - f_low * error) / (f_low * within + n * targets)
    high = n * (f_high * targets - error) / (within + n * f_high * targets)
    return Icc(float(value), float(low), float(high))


def agreement(true: Floats, synthetic: Floats) -> Agreement:
    """Agreement over subjects; pairs with a missing value are left out."""
    known = np.isfinite(true) & np.isfinite(synthetic)
    x, y = true[known], synthetic[known]
    if len(x) < 2:
        nothing = math.nan
        none = Icc(nothing, nothing, nothing)
        return Agreement(
            len(x), nothing, nothing, (nothing, nothing), nothing, nothing, nothing, nothing,
            none, nothing,
        )  # fmt: skip
    difference = y - x
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    return Agreement(
        n=len(x),
        bias=bias,
        sd=sd,
        limits=(bias - LIMITS * sd, bias + LIMITS * sd),
        trend=_slope((x + y) / 2, difference),
        mape=100.0 * float((np.abs(difference[x != 0]) / np.abs(x[x != 0])).mean())
        if x.any()
        else math.nan,
        r=_correlation(x, y),
        ccc=concordance(x, y),
        icc=icc_2_1(np.stack([x, y], 1)),
        slope=_slope(x, y),
    )
