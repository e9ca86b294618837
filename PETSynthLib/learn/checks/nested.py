"""Nested cross-validation by anatomy, and the two measures of a classifier.

The strength of the penalty is chosen inside the people a model is fitted on, and nobody's brain is
on both sides. Linear models with a ridge penalty: with some dozens of people anything richer
measures luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import BaseCrossValidator, GroupKFold, StratifiedGroupKFold

from ..evaluate.regression import Standard
from .arms import Arm, Array

Answer = Callable[[Array], Array]
"""A fitted model: features to probabilities or scores."""
OUTER_FOLDS, INNER_FOLDS = 5, 3
MIN_CLASS = 10
"""Anatomies that a diagnosis needs to be a class of its own: two in each outer fold."""
OTHER = "other"
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
"""Inverse penalties of the classifier; the ridge's penalties are ten times their inverses."""


class RareClass(Exception):
    """A class of which a fold leaves nobody to fit on; its name is the message."""


def diagnosis_classes(diagnoses: Sequence[str], anatomies: Sequence[str]) -> list[str]:
    """Class of each person; empty for those who enter no comparison.

    A diagnosis of fewer than `MIN_CLASS` anatomies joins `OTHER`; when that stays too small as
    well, its people are left out, as are those without a diagnosis.
    """
    size = Counter(d for d, _ in {(d, a) for d, a in zip(diagnoses, anatomies, strict=True) if d})
    named = [d if size[d] >= MIN_CLASS else OTHER for d in diagnoses]
    rest = {a for n, d, a in zip(named, diagnoses, anatomies, strict=True) if n == OTHER and d}
    keep_rest = len(rest) >= MIN_CLASS
    return [
        name if diagnosis and (name != OTHER or keep_rest) else ""
        for name, diagnosis in zip(named, diagnoses, strict=True)
    ]


def classify(arm: Arm, classes: NDArray[np.str_], anatomies: NDArray[np.str_], seed: int) -> Array:
    """Probabilities (N, C) of `numpy.unique` (classes) for people outside the fit.

    Parameters
    ----------
    arm
        The evidence.
    classes
        Class of each person (N,), at least two different ones.
    anatomies
        Whose brain it is (N,).
    seed
        Of the division into folds; the same seed divides every arm alike.

    Raises
    ------
    RareClass
        When a class is missing among the people of a fit, in the outer or the inner folds.
    """
    names = np.unique(classes)

    def fit(features: Array, target: NDArray[np.str_], strength: float) -> Answer:
        for absent in sorted(set(names.tolist()) - set(target.tolist())):
            raise RareClass(absent)
        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000, tol=1e-3)
        return model.fit(features, target).predict_proba  # type: ignore[no-any-return]

    def miss(answer: Array, target: NDArray[np.str_]) -> float:
        return -balanced_accuracy(answer, target, names)

    folds = StratifiedGroupKFold(OUTER_FOLDS, shuffle=True, random_state=seed)
    inner = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    found = np.full((len(classes), len(names)), np.nan)
    for people, asked in folds.split(arm.test, classes, anatomies):
        found[asked] = _nested(arm, people, asked, classes, anatomies, inner, fit, miss)
    return found


def predict_score(arm: Arm, scores: Array, anatomies: NDArray[np.str_], seed: int) -> Array:
    """Test score (N,) predicted for people outside the fit; parameters as `classify`."""

    def fit(features: Array, target: Array, strength: float) -> Answer:
        return Ridge(alpha=10.0 / strength).fit(features, target).predict  # type: ignore[no-any-return]

    def miss(answer: Array, target: Array) -> float:
        return float(((answer - target) ** 2).mean())

    folds = GroupKFold(OUTER_FOLDS, shuffle=True, random_state=seed)
    inner = GroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    found = np.full(len(scores), np.nan)
    for people, asked in folds.split(arm.test, scores, anatomies):
        found[asked] = _nested(arm, people, asked, scores, anatomies, inner, fit, miss)
    return found


def _nested(
    arm: Arm,
    people: NDArray[np.intp],
    asked: NDArray[np.intp],
    target: NDArray[Any],
    anatomies: NDArray[np.str_],
    inner: BaseCrossValidator,
    fit: Callable[[Array, NDArray[Any], float], Answer],
    miss: Callable[[Array, NDArray[Any]], float],
) -> Array:
    """What a model fitted on ``people`` says of ``asked``; its strength is chosen among people.

    A person's rows in several matrices stay together in the inner folds.
    """
    copies = len(arm.fit)
    rows = np.vstack([matrix[people] for matrix in arm.fit])
    wanted, owners = np.tile(target[people], copies), np.tile(anatomies[people], copies)
    misses = np.zeros(len(STRENGTHS))
    for some, others in inner.split(rows, wanted, owners):
        seen, unseen = standardised(rows[some], rows[others])
        for i, strength in enumerate(STRENGTHS):
            misses[i] += miss(fit(seen, wanted[some], strength)(unseen), wanted[others])
    seen, unseen = standardised(rows, arm.test[asked])
    return fit(seen, wanted, STRENGTHS[int(misses.argmin())])(unseen)


def standardised(fit: Array, asked: Array) -> tuple[Array, Array]:
    """Both matrices with features of mean 0 and spread 1 in ``fit``.

    Missing numbers become the mean of ``fit``, with a flag beside. More features than people are
    turned onto the people's own axes: a ridge penalty does not see the difference, a computer does.
    """
    known = np.isfinite(fit)
    centre = np.where(known, fit, 0).sum(0) / np.maximum(known.sum(0), 1)
    sometimes = known.any(0) & ~known.all(0)

    def filled(table: Array) -> Array:
        there = np.isfinite(table)
        return np.hstack([np.where(there, table, centre), ~there[:, sometimes]])

    standard = Standard.of(filled(fit))
    seen, unseen = standard.apply(filled(fit)), standard.apply(filled(asked))
    if seen.shape[1] > len(seen):
        _, _, axes = np.linalg.svd(seen, full_matrices=False)
        seen, unseen = seen @ axes.T, unseen @ axes.T
    return seen, unseen


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a positive scores above a negative (ties count half)."""
    difference = scores[positive][:, None] - scores[~positive][None]
    if difference.size == 0:
        return float("nan")
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def mean_auc(probabilities: Array, classes: NDArray[np.str_], names: NDArray[np.str_]) -> float:
    """One class against the rest, averaged over the classes; NaN when a class is absent."""
    if len(names) == 2:
        return auc(probabilities[:, 1], classes == names[1])
    return float(np.mean([auc(probabilities[:, i], classes == n) for i, n in enumerate(names)]))


def balanced_accuracy(
    probabilities: Array, classes: NDArray[np.str_], names: NDArray[np.str_]
) -> float:
    """Share found of each class, averaged over the classes; NaN when a class is absent."""
    chosen = names[probabilities.argmax(1)]
    shares = [np.mean(chosen[classes == n] == n) if (classes == n).any() else np.nan for n in names]
    return float(np.mean(shares))
