"""Fitting `flow`'s regional model: joint moments, with penalties chosen by cross-validation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...clinical import COGNITION
from ...generate.flow.reading import OWN, variable_names
from ...generate.flow.regional import RegionalModel
from ...request import SCANNERS

FOLDS = 5
OWN_PENALTIES = (0.1, 0.3, 1.0, 10.0)
CEREBRAL_PENALTIES = (0.1, 0.3, 1.0, 10.0)
FACT_PENALTIES = (0.05, 0.2, 1.0)
"""Candidates for the ridge on a region's own numbers, on the cerebrum's, and on all other facts."""
EVERY = 3
"""Every so many regions have a say in the penalties, which all regions share."""
SHARED_ERRORS = 8
"""Directions in which errors of regions are drawn together."""

Array = NDArray[np.float64]


def moments(known: Array, uptake: Array) -> RegionalModel:
    """Joint moments from people of whom something may be missing.

    Every covariance is taken over the people in whom both numbers are known.

    Parameters
    ----------
    known
        (N, R, D) variables, NaN where missing.
    uptake
        (N, T, R) regional SUVR, NaN where missing.

    Returns
    -------
    A model without ridge and without errors. A variable that never varies has no covariance with
    anything.
    """
    there = np.isfinite(known)
    count = np.maximum(there.sum(0), 1)
    mean = np.where(there, known, 0).sum(0) / count
    centred = np.where(there, known - mean, 0)
    sd = np.sqrt((centred**2).sum(0) / count)
    sd[sd < 1e-9] = 1.0
    z, seen_z = centred / sd, there.astype(float)
    pairs = np.maximum(np.einsum("nrd,nre->rde", seen_z, seen_z), 1)
    values, vectors = np.linalg.eigh(np.einsum("nrd,nre->rde", z, z) / pairs)
    # Pairwise covariances of incomplete data need not be those of any people.
    covariance = (vectors * np.clip(values, 0, None)[:, None]) @ vectors.transpose(0, 2, 1)
    seen = np.isfinite(uptake)
    number = np.maximum(seen.sum(0), 1)
    expected = np.where(seen, uptake, 0).sum(0) / number
    off = np.where(seen, uptake - expected, 0)
    both = np.einsum("nrd,ntr->trd", seen_z, seen.astype(float))
    cross = np.einsum("nrd,ntr->trd", z, off) / np.maximum(both, 1)
    tracers, regions = expected.shape
    return RegionalModel(
        mean,
        sd,
        covariance,
        cross,
        expected,
        variance=(off**2).sum(0) / number,
        ridge=np.zeros((tracers, known.shape[2])),
        shared=np.zeros((tracers, regions, SHARED_ERRORS)),
        own=np.zeros((tracers, regions)),
    )


def folds(people: list[str], seed: int) -> NDArray[np.intp]:
    """Fold 0..`FOLDS` - 1 of every entry; entries of one person share theirs."""
    names = sorted(set(people))
    order = np.random.default_rng([seed, 5]).permutation(len(names))
    fold_of = {name: int(k) % FOLDS for name, k in zip(names, order, strict=True)}
    return np.array([fold_of[p] for p in people])


def fit_folds(
    known: Array, uptake: Array, fold: NDArray[np.intp]
) -> tuple[RegionalModel, list[RegionalModel]]:
    """The model of everybody, and one for each fold that never saw the fold's people.

    Parameters
    ----------
    known, uptake
        As in `moments`.
    fold
        (N,) of `folds`.
    """
    parts = [moments(known[fold != k], uptake[fold != k]) for k in range(FOLDS)]
    ridge = np.stack([_choose(parts, known, uptake, fold, t) for t in range(uptake.shape[1])])
    parts = [replace(part, ridge=ridge) for part in parts]
    shared, own = split_errors(held_out_error(parts, known, uptake, fold))
    whole = replace(moments(known, uptake), ridge=ridge, shared=shared, own=own)
    return whole, parts


def held_out_error(
    parts: list[RegionalModel], known: Array, uptake: Array, fold: NDArray[np.intp]
) -> Array:
    """(N, T, R): regional SUVR minus what the model that never saw the person expects."""
    errors = np.empty_like(uptake)
    for k, part in enumerate(parts):
        of_it = fold == k
        errors[of_it] = uptake[of_it] - part.expected - part.deviations(known[of_it])
    return errors


def split_errors(errors: Array) -> tuple[Array, Array]:
    """Errors (N, T, R) as what regions share (T, R, `SHARED_ERRORS`) and what each errs alone.

    The leading eigenvectors of their second moment, and what is left of its diagonal. A missing
    value counts as no error.
    """
    filled = np.nan_to_num(errors).transpose(1, 0, 2)
    moment = filled.transpose(0, 2, 1) @ filled / len(errors)
    values, vectors = np.linalg.eigh(moment)
    kept = min(SHARED_ERRORS, values.shape[1])
    leading = np.sqrt(np.clip(values[:, None, -kept:], 0, None)) * vectors[:, :, -kept:]
    alone = np.diagonal(moment, axis1=1, axis2=2) - (leading**2).sum(2)
    return leading, np.sqrt(np.clip(alone, 0, None))


def _choose(
    parts: list[RegionalModel], known: Array, uptake: Array, fold: NDArray[np.intp], tracer: int
) -> Array:
    """Ridge (D,) with the smallest held-out error, with all facts and without cognition."""
    names = variable_names(list(SCANNERS))
    some = slice(None, None, EVERY)
    seen, target = known[:, some], uptake[:, tracer : tracer + 1, some]
    without = seen.copy()
    without[:, :, [n in COGNITION for n in names]] = np.nan
    tried = [
        replace(
            part,
            mean=part.mean[some],
            sd=part.sd[some],
            covariance=part.covariance[some],
            cross=part.cross[tracer : tracer + 1, some],
            expected=part.expected[tracer : tracer + 1, some],
        )
        for part in parts
    ]
    best, chosen = np.inf, np.zeros(len(names))
    for own, cerebral, fact in product(OWN_PENALTIES, CEREBRAL_PENALTIES, FACT_PENALTIES):
        ridge = np.r_[
            np.full(len(OWN), own),
            np.full(len(OWN), cerebral),
            np.full(len(names) - 2 * len(OWN), fact),
        ]
        trial = [replace(part, ridge=ridge[None]) for part in tried]
        error = sum(
            float(np.nanmean(held_out_error(trial, rows, target, fold) ** 2))
            for rows in (seen, without)
        )
        if error < best:
            best, chosen = error, ridge
    return chosen
