"""Ridge regression of regional values on what is known of a person: the simple rivals.

Fitted on the training split only. The penalty of each target is the one with the smallest
leave-one-out error, in closed form; that error is also the spread the rival states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS
from ..store import Store, Subject
from .predictor import known_to

Floats = NDArray[np.float64]

PENALTIES = tuple(float(v) for v in np.logspace(-2, 5, 15))
"""Candidates for standardised features; in units of one observation."""
ALMOST_NONE = (1e-3,)
"""Penalty of the age/sex mean: it only keeps tiny cohorts solvable."""


class Standard(NamedTuple):
    """Centre and scale of features, taken from the training split."""

    centre: Floats
    scale: Floats

    @classmethod
    def of(cls, features: Floats) -> Standard:
        """Mean and standard deviation of each column (n, p); a constant column gets scale 1."""
        scale = features.std(0)
        return cls(features.mean(0), np.where(scale > 1e-9, scale, 1.0))

    def apply(self, features: Floats) -> Floats:
        """Standardised features (n, p)."""
        return (features - self.centre) / self.scale


def person_features(subjects: tuple[Subject, ...], information: str, centre: Floats) -> Floats:
    """Clinical features (n, 13): values (missing ones at ``centre``), which are known, age squared.

    Parameters
    ----------
    subjects
        n people.
    information
        What is used: ``base`` sees age and sex, ``clinic`` everything; ``mri`` as ``base`` and
        ``both`` as ``clinic`` (the MRI's own features are added by the caller).
    centre
        (6,): mean of each field over the training split.
    """
    numbers = raw_fields(subjects, information)
    known = np.isfinite(numbers)
    filled = np.where(known, numbers, centre)
    age = filled[:, [list(FIELDS).index("age")]] - centre[list(FIELDS).index("age")]
    return np.hstack([filled, known.astype(float), age**2 / 100.0])


def raw_fields(subjects: tuple[Subject, ...], information: str) -> Floats:
    """Clinical fields (n, 6) in the order of `FIELDS`, NaN when missing or not to be used."""
    rows = [known_to(information, s.clinical).numbers().values() for s in subjects]
    return np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)


def field_centre(subjects: tuple[Subject, ...]) -> Floats:
    """(6,): mean of each clinical field where it is known, 0 where it never is."""
    numbers = raw_fields(subjects, "both")
    known = np.isfinite(numbers)
    count = known.sum(0)
    return np.asarray(np.where(known, numbers, 0.0).sum(0) / np.maximum(count, 1))


def volume_features(store: Store, subjects: tuple[Subject, ...]) -> Floats:
    """(n, R + 1): grey matter of each region as a share of the brain, and the brain in litres."""
    brain = np.array([max(s.brain_ml, 1.0) for s in subjects])
    volumes = store.volumes[[s.row for s in subjects]].astype(float)
    return np.hstack([np.nan_to_num(volumes) / brain[:, None], brain[:, None] / 1000.0])


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted ridge regression of T targets on p features.

    Attributes
    ----------
    standard
        Centre and scale of the features.
    weights
        (p, T) on standardised features.
    intercept
        (T,).
    sd
        (T,): root mean squared leave-one-out error.
    penalty
        (T,): chosen penalty.
    """

    standard: Standard
    weights: Floats
    intercept: Floats
    sd: Floats
    penalty: Floats

    def predict(self, features: Floats) -> Floats:
        """(n, T) for features (n, p)."""
        return np.asarray(self.standard.apply(features) @ self.weights + self.intercept)


def fit_ridge(features: Floats, targets: Floats, penalties: tuple[float, ...] = PENALTIES) -> Ridge:
    """Fit with the penalty of the smallest leave-one-out error, target by target.

    The leave-one-out residual of a linear smoother is ``e_i / (1 - h_i)`` with ``h`` the diagonal
    of its hat matrix (here with the intercept's 1/n).

    Parameters
    ----------
    features
        (n, p).
    targets
        (n, T); a target with a missing value is NaN throughout the fit.
    penalties
        Candidates.
    """
    standard = Standard.of(features)
    x = standard.apply(features)
    x = x - x.mean(0)
    intercept = targets.mean(0)
    y = np.nan_to_num(targets - intercept)
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    rotated = left.T @ y
    n, best = len(x), np.full(targets.shape[1], np.inf)
    weights = np.zeros((x.shape[1], targets.shape[1]))
    penalty = np.full(targets.shape[1], penalties[0])
    for candidate in penalties:
        shrink = singular**2 / (singular**2 + candidate)
        hat = (left**2) @ shrink + 1.0 / n
        residual = (y - left @ (shrink[:, None] * rotated)) / np.maximum(1.0 - hat, 1e-6)[:, None]
        error = (residual**2).mean(0)
        better = error < best
        best = np.where(better, error, best)
        penalty = np.where(better, candidate, penalty)
        inverse = singular / (singular**2 + candidate)
        weights[:, better] = (right.T @ (inverse[:, None] * rotated))[:, better]
    unknown = np.isnan(intercept)
    sd = np.where(unknown, np.nan, np.sqrt(best))
    return Ridge(standard, weights, np.asarray(intercept), np.asarray(sd), penalty)
