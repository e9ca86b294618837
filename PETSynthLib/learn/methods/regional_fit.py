"""Fitting `flow`'s regional model: joint moments, with penalties chosen by cross-validation.

Of each penalty that one is taken whose held-out error is smallest over two information sets: all
facts, and those without cognition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...clinical import COGNITION
from ...generate.flow.reading import FLAIR_NUMBERS, OWN, variable_names
from ...generate.flow.regional import RegionalModel
from ...request import SCANNERS
from .regional_kinds import has_kinds, kinds

FOLDS = 5
OWN_PENALTIES = (0.1, 0.3, 1.0, 10.0)
CEREBRAL_PENALTIES = (0.1, 0.3, 1.0, 10.0)
FACT_PENALTIES = (0.05, 0.2, 1.0)
"""Candidates for the ridge on a region's own numbers, on the cerebrum's, and on all other facts."""
MRI_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
TOLD_PENALTIES = (0.1, 0.3, 1.0, 3.0)
"""The same when the kind is told: on what the MRI shows of the whole brain, and on facts."""
EVERY = 3
"""Every so many regions have a say in the penalties, which all regions share."""
SHARED_ERRORS = 8
"""Directions in which errors of regions are drawn together."""

Array = NDArray[np.float64]


def moments(known: Array, uptake: Array, belongs: Array) -> RegionalModel:
    """Joint moments from people of whom something may be missing.

    Every covariance is taken over the people in whom both numbers are known.

    Parameters
    ----------
    known
        (N, R, D) variables, NaN where missing.
    uptake
        (N, T, R) regional SUVR, NaN where missing.
    belongs
        (N, T, K) of `kinds`.

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
    tracers, count_of_kinds = uptake.shape[1], belongs.shape[2]
    of_kind = [
        [_of_kind(z, seen_z, uptake[:, t], belongs[:, t, k]) for k in range(count_of_kinds)]
        for t in range(tracers)
    ]
    shift, cross, level, variance = (
        np.array([[kind[number] for kind in row] for row in of_kind]) for number in range(4)
    )
    size = belongs.sum(0)
    share = size / np.maximum(size.sum(1, keepdims=True), 1e-9)
    # What the smaller kind has too few people to tell, it borrows from the other.
    pooled = np.einsum("tk,tkrd->trd", share, cross)[:, None]
    cross = np.where(share[:, :, None, None] > 0, (cross + pooled) / 2, 0.0)
    errors = (tracers, count_of_kinds, level.shape[2])
    return RegionalModel(
        mean,
        sd,
        covariance,
        share,
        shift,
        cross,
        level,
        variance,
        ridge=np.zeros((tracers, known.shape[2])),
        kind_ridge=np.full((tracers, known.shape[2]), np.inf),
        shared=np.zeros((*errors, SHARED_ERRORS)),
        own=np.zeros(errors),
    )


def _of_kind(z: Array, seen: Array, uptake: Array, belongs: Array) -> tuple[Array, ...]:
    """One kind's `shift` and `cross` (R, D), `level` and `variance` (R,).

    Parameters
    ----------
    z, seen
        (N, R, D) scaled variables, 0 where missing, and whether they are there.
    uptake
        (N, R), NaN where missing.
    belongs
        (N,).
    """
    there = np.isfinite(uptake)
    weight = belongs[:, None] * there
    people = np.maximum(weight.sum(0), 1e-9)
    level = (weight * np.where(there, uptake, 0)).sum(0) / people
    off = np.where(there, uptake - level, 0)
    variance = (weight * off**2).sum(0) / people
    shift = np.einsum("n,nrd->rd", belongs, z) / np.maximum(
        np.einsum("n,nrd->rd", belongs, seen), 1e-9
    )
    both = np.einsum("nr,nrd->rd", weight, seen)
    moved = (z - shift) * seen
    cross = np.einsum("nr,nr,nrd->rd", weight, off, moved) / np.maximum(both, 1e-9)
    return shift, cross, level, variance


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
    two = has_kinds(uptake)
    belongs = kinds(uptake, two)
    whole = moments(known, uptake, belongs)
    parts = [
        moments(known[fold != k], uptake[fold != k], kinds(uptake[fold != k], two))
        for k in range(FOLDS)
    ]
    tracers = range(uptake.shape[1])
    chosen = {
        "ridge": np.stack([_choose_ridge(parts, known, uptake, belongs, fold, t) for t in tracers]),
        "kind_ridge": np.stack(
            [
                _choose_kind_ridge(parts, known, belongs, fold, t)
                if two[t]
                else whole.kind_ridge[t]
                for t in tracers
            ]
        ),
    }
    parts = [replace(part, **chosen) for part in parts]
    errors = uptake[:, :, None] - of_strangers(parts, known, fold, RegionalModel.by_kind)
    shared, own = split_errors(errors, belongs)
    found = {**chosen, "shared": shared, "own": own}
    return replace(whole, **found), [replace(part, **found) for part in parts]


def of_strangers(
    parts: list[RegionalModel],
    known: Array,
    fold: NDArray[np.intp],
    ask: Callable[[RegionalModel, Array], Array],
) -> Array:
    """(N, ...): what the model that never saw a person answers of that person's variables."""
    answers = [ask(part, known[fold == k]) for k, part in enumerate(parts)]
    result = np.empty((len(known), *answers[0].shape[1:]))
    for k, answer in enumerate(answers):
        result[fold == k] = answer
    return result


def held_out_error(
    parts: list[RegionalModel], known: Array, uptake: Array, fold: NDArray[np.intp]
) -> Array:
    """(N, T, R): regional SUVR minus what the model that never saw the person expects."""
    expects = of_strangers(
        parts, known, fold, lambda part, rows: part.deviations(rows) + part.expected
    )
    return np.asarray(uptake - expects)


def split_errors(errors: Array, belongs: Array) -> tuple[Array, Array]:
    """Errors (N, T, K, R) as what regions share (T, K, R, E) and what each errs alone (T, K, R).

    The leading eigenvectors of their second moment over those who belong to a kind (N, T, K), and
    what is left of its diagonal. A missing value counts as no error.
    """
    filled = np.nan_to_num(errors)
    weight = belongs / np.maximum(belongs.sum(0), 1e-9)
    moment = np.einsum("ntk,ntkr,ntks->tkrs", weight, filled, filled, optimize=True)
    values, vectors = np.linalg.eigh(moment)
    kept = min(SHARED_ERRORS, values.shape[-1])
    leading = np.sqrt(np.clip(values[..., None, -kept:], 0, None)) * vectors[..., -kept:]
    alone = np.diagonal(moment, axis1=2, axis2=3) - (leading**2).sum(3)
    return leading, np.sqrt(np.clip(alone, 0, None))


def _sets(known: Array) -> tuple[Array, Array]:
    """Variables with all facts, and without cognition."""
    without = known.copy()
    without[:, :, [n in COGNITION for n in variable_names(list(SCANNERS))]] = np.nan
    return known, without


def _choose_ridge(
    parts: list[RegionalModel],
    known: Array,
    uptake: Array,
    belongs: Array,
    fold: NDArray[np.intp],
    tracer: int,
) -> Array:
    """Ridge (D,) with the smallest squared error within the kinds."""
    names = variable_names(list(SCANNERS))
    some = slice(None, None, EVERY)
    sets = _sets(known[:, some])
    target, weight = uptake[:, tracer, None, some], belongs[:, tracer, :, None]
    tried = [_only(part, tracer, some) for part in parts]
    best, chosen = np.inf, np.zeros(len(names))
    for own, cerebral, fact in product(OWN_PENALTIES, CEREBRAL_PENALTIES, FACT_PENALTIES):
        ridge = np.r_[
            np.full(len(OWN), own),
            np.full(len(OWN), cerebral),
            np.full(len(names) - 2 * len(OWN), fact),
        ]
        trial = [replace(part, ridge=ridge[None]) for part in tried]
        error = sum(
            float(
                np.nansum(
                    weight
                    * (target - of_strangers(trial, rows, fold, RegionalModel.by_kind)[:, 0]) ** 2
                )
            )
            for rows in sets
        )
        if error < best:
            best, chosen = error, ridge
    return chosen


def _choose_kind_ridge(
    parts: list[RegionalModel],
    known: Array,
    belongs: Array,
    fold: NDArray[np.intp],
    tracer: int,
) -> Array:
    """Ridge (D,) with which people held out are told apart best (likelihood of their kind)."""
    names = variable_names(list(SCANNERS))
    one = slice(0, 1)
    sets = _sets(known[:, one])
    tried = [_only(part, tracer, one) for part in parts]
    best, chosen = np.inf, np.full(len(names), np.inf)
    for seen, told in product(MRI_PENALTIES, TOLD_PENALTIES):
        shown = len(OWN) + len(FLAIR_NUMBERS)
        ridge = np.r_[
            np.full(len(OWN), np.inf),
            np.full(shown, seen),
            np.full(len(names) - len(OWN) - shown, told),
        ]
        trial = [replace(part, kind_ridge=ridge[None]) for part in tried]
        loss = 0.0
        for rows in sets:
            chance = of_strangers(trial, rows, fold, RegionalModel.chances)[:, 0]
            loss -= float((belongs[:, tracer] * np.log(np.maximum(chance, 1e-6))).sum())
        if loss < best:
            best, chosen = loss, ridge
    return chosen


def _only(part: RegionalModel, tracer: int, regions: slice) -> RegionalModel:
    """The model of one tracer and some regions: trials of a penalty need no more."""
    t = slice(tracer, tracer + 1)
    return RegionalModel(
        part.mean[regions],
        part.sd[regions],
        part.covariance[regions],
        part.share[t],
        part.shift[t, :, regions],
        part.cross[t, :, regions],
        part.level[t, :, regions],
        part.variance[t, :, regions],
        part.ridge[t],
        part.kind_ridge[t],
        part.shared[t, :, regions],
        part.own[t, :, regions],
    )
