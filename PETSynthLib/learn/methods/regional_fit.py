"""Fitting `flow`'s regional model: joint moments, with penalties chosen by cross-validation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...clinical import COGNITION, FIELDS
from ...generate.flow.regional import RegionalModel

FOLDS = 5
MRI_PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
FACT_PENALTIES = (0.03, 0.3, 3.0)
"""Candidates for the ridge on the many numbers of the MRI and on the few other facts."""

Array = NDArray[np.float64]


def moments(known: Array, uptake: Array) -> RegionalModel:
    """Joint moments from people of whom something may be missing.

    Every covariance is taken over the people in whom both numbers are known.

    Parameters
    ----------
    known
        (N, D) variables, NaN where missing.
    uptake
        (N, T, R) regional SUVR, NaN where missing.

    Returns
    -------
    A model without ridge. A variable that never varies has no covariance with anything.
    """
    there = np.isfinite(known)
    count = np.maximum(there.sum(0), 1)
    mean = np.where(there, known, 0).sum(0) / count
    centred = np.where(there, known - mean, 0)
    sd = np.sqrt((centred**2).sum(0) / count)
    sd[sd < 1e-9] = 1.0
    z = centred / sd
    pairs = np.maximum(there.T.astype(float) @ there, 1)
    values, vectors = np.linalg.eigh(z.T @ z / pairs)
    # Pairwise covariances of incomplete data need not be those of any people.
    covariance = (vectors * np.clip(values, 0, None)) @ vectors.T
    seen = np.isfinite(uptake)
    expected = np.where(seen, uptake, 0).sum(0) / np.maximum(seen.sum(0), 1)
    off = np.where(seen, uptake - expected, 0)
    both = np.einsum("nd,ntr->tdr", there.astype(float), seen.astype(float))
    cross = np.einsum("nd,ntr->tdr", z, off) / np.maximum(both, 1)
    ridge = np.zeros((uptake.shape[1], known.shape[1]))
    return RegionalModel(mean, sd, covariance, cross, expected, ridge)


def folds(people: list[str], seed: int) -> NDArray[np.intp]:
    """Fold 0..`FOLDS` - 1 of every entry; entries of one person share theirs."""
    names = sorted(set(people))
    order = np.random.default_rng([seed, 5]).permutation(len(names))
    fold_of = {name: int(k) % FOLDS for name, k in zip(names, order, strict=True)}
    return np.array([fold_of[p] for p in people])


def fit_folds(
    known: Array, uptake: Array, fold: NDArray[np.intp], facts: int
) -> tuple[RegionalModel, list[RegionalModel]]:
    """The model of everybody, and one for each fold that never saw the fold's people.

    Parameters
    ----------
    known, uptake
        As in `moments`.
    fold
        (N,) of `folds`.
    facts
        How many of the last variables are no MRI numbers (clinical facts, scanner).
    """
    parts = [moments(known[fold != k], uptake[fold != k]) for k in range(FOLDS)]
    ridge = np.stack(
        [_choose(parts, known, uptake, fold, facts, t) for t in range(uptake.shape[1])]
    )
    return (
        replace(moments(known, uptake), ridge=ridge),
        [replace(part, ridge=ridge) for part in parts],
    )


def held_out_error(
    parts: list[RegionalModel], known: Array, uptake: Array, fold: NDArray[np.intp]
) -> Array:
    """(N, T, R): regional SUVR minus what the model that never saw the person expects."""
    expected = [
        parts[f].expected + parts[f].deviation(row) for row, f in zip(known, fold, strict=True)
    ]
    return np.asarray(uptake - np.stack(expected))


def _choose(
    parts: list[RegionalModel],
    known: Array,
    uptake: Array,
    fold: NDArray[np.intp],
    facts: int,
    tracer: int,
) -> Array:
    """Ridge (D,) with the smallest held-out error, with all facts and without cognition."""
    dims = known.shape[1]
    names = [None] * (dims - facts) + [*FIELDS, *[None] * (facts - len(FIELDS))]
    without = known.copy()
    without[:, [n in COGNITION for n in names]] = np.nan
    best, chosen = np.inf, np.zeros(dims)
    for mri, fact in product(MRI_PENALTIES, FACT_PENALTIES):
        ridge = np.r_[np.full(dims - facts, mri), np.full(facts, fact)]
        trial = [
            replace(
                part,
                cross=part.cross[tracer : tracer + 1],
                expected=part.expected[tracer : tracer + 1],
                ridge=ridge[None],
            )
            for part in parts
        ]
        error = sum(
            float(np.nanmean(held_out_error(trial, rows, uptake[:, [tracer]], fold) ** 2))
            for rows in (known, without)
        )
        if error < best:
            best, chosen = error, ridge
    return chosen
