"""Whether a prepared T1 looks like those a model has learnt from: eight numbers of its intensities.

The distance is Hotelling's T-squared of one new scan from n training scans: the Mahalanobis
distance that knows how few they were. It sees brightness and contrast alone, no lesion, no shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..checks import NOTHING_TO_COMPARE, Finding, Verdict
from ..volume import Volume
from .atlas_grid import atlas_on

PERCENTILES = (5, 25, 50, 75)
"""Of the brain; the 97th is 1 by scaling, so those above say little."""
FEATURES = (
    *(f"brain_p{p}" for p in PERCENTILES),
    "grey_median",
    "white_median",
    "grey_spread",
    "white_spread",
)
"""What is measured; a spread is the distance of the quartiles."""
PURE, MOSTLY = 0.9, 0.6
"""Template probabilities above which a voxel counts as white, as grey matter."""
FEWEST = 50
"""Own decision: fewer scans give no covariance of eight numbers that a scan should be judged by."""
P_RED = 0.001
"""Specification 4.6."""
P_AMBER = 0.01
"""Own decision. Of 100 simulated people, each beside the others, 4 lie below, 1 below `P_RED`."""

Array = NDArray[np.float64]


def input_features(t1: Volume, brain: Volume) -> Array:
    """`FEATURES` (8,) of a T1.

    Parameters
    ----------
    t1, brain
        As a generator sees them, on one template grid: 1 is the brain's 97th percentile.
    """
    mask = brain.mask
    grey = t1.data[mask & (atlas_on("template_gm", t1.grid).data > MOSTLY)]
    white = t1.data[mask & (atlas_on("template_wm", t1.grid).data > PURE)]
    low_grey, middle_grey, high_grey = np.percentile(grey, (25, 50, 75))
    low_white, middle_white, high_white = np.percentile(white, (25, 50, 75))
    whole = np.percentile(t1.data[mask], PERCENTILES)
    tissue = (middle_grey, middle_white, high_grey - low_grey, high_white - low_white)
    return np.array([*whole, *tissue], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class InputStatistics:
    """Mean and covariance of `FEATURES` over the scans a model was trained on.

    Attributes
    ----------
    people
        How many scans.
    mean
        (F,).
    cholesky
        (F, F) lower triangle whose square is the covariance.
    """

    people: int
    mean: Array
    cholesky: Array

    def probability(self, features: Array) -> float:
        """Share of such scans that lie farther from the mean than ``features`` (F,)."""
        n, f = self.people, len(self.mean)
        away = np.linalg.solve(self.cholesky, features - self.mean)
        t_squared = float(away @ away) * n / (n + 1.0)
        return float(special.fdtrc(f, n - f, t_squared * (n - f) / (f * (n - 1.0))))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form: the triangle's rows one after the other."""
        rows = self.cholesky[np.tril_indices(len(self.mean))]
        return {
            "features": list(FEATURES),
            "people": self.people,
            "mean": [float(f"{value:.6g}") for value in self.mean],
            "cholesky": [float(f"{value:.6g}") for value in rows],
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> InputStatistics:
        """The reverse of `as_dict`.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is none, or of other features.
        """
        size = len(FEATURES)
        mean, rows = (np.array(body[key], np.float64) for key in ("mean", "cholesky"))
        fits = mean.shape == (size,) and rows.shape == (size * (size + 1) // 2,)
        if tuple(body["features"]) != FEATURES or int(body["people"]) < FEWEST or not fits:
            msg = "input_statistics are of other features or too few people"
            raise ValueError(msg)
        cholesky = np.zeros((size, size))
        cholesky[np.tril_indices(size)] = rows
        finite = np.isfinite(mean).all() and np.isfinite(rows).all()
        if not finite or not (np.diag(cholesky) > 0.0).all():
            msg = "input_statistics hold no covariance"
            raise ValueError(msg)
        return cls(int(body["people"]), mean, cholesky)


def input_statistics(features: Array) -> InputStatistics | None:
    """Statistics of (N, F) features; None with fewer than `FEWEST` or without any scatter."""
    if len(features) < FEWEST:
        return None
    try:
        cholesky = np.linalg.cholesky(np.asarray(np.cov(features.T), dtype=np.float64))
    except np.linalg.LinAlgError:
        return None
    return InputStatistics(len(features), features.mean(axis=0), cholesky)


def input_finding(
    t1: Volume, brain: Volume, known: Mapping[str, Any] | None, simulated: bool
) -> Finding:
    """How a prepared T1 compares with those of the training.

    Parameters
    ----------
    t1, brain
        As `input_features` takes them.
    known
        ``input_statistics`` of the bundle's configuration, or None in an older bundle.
    simulated
        Whether the model learnt from simulated MRI. Every real scan is unlike those (the sample
        case has p = 1e-6 beside 100 simulated people), and the banner of such a model says what
        it is worth: then the light is amber at worst.
    """
    red = "" if simulated else f", red below {P_RED:g}"
    limit = f"p: amber below {P_AMBER:g}{red}"
    if known is None:
        return Finding(
            "t1_intensities",
            NOTHING_TO_COMPARE,
            limit,
            Verdict.GREEN,
            "Whether the intensities of the T1 are like those the model learnt from was not "
            "checked: the model does not say what they were.",
            key="t1_intensities.unknown",
        )
    statistics = InputStatistics.from_dict(known)
    p = statistics.probability(input_features(t1, brain))
    if p < P_RED:
        verdict, like = Verdict.AMBER if simulated else Verdict.RED, "are unlike those"
    elif p < P_AMBER:
        verdict, like = Verdict.AMBER, "are unusual among those"
    else:
        verdict, like = Verdict.GREEN, "are like those"
    people = f"{statistics.people} {'simulated ' if simulated else ''}people"
    return Finding(
        "t1_intensities",
        float(f"{p:.2g}"),
        limit,
        verdict,
        f"Brightness and contrast of the T1 {like} of {people} the model learnt from "
        f"(p = {p:.2g}).",
    )
