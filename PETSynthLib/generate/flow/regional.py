"""What a region's anatomy, the whole brain and the clinic say of its uptake: `flow`'s linear path.

The numbers of `reading`, the clinical facts and the scanner are a region's *variables*. For some
tracers people are of two *kinds*, with the pathology and without, and hardly anybody lies between.
Within a kind variables and uptake are taken as jointly Gaussian, so that the expected uptake given
whatever happens to be known is one linear solve, ``E[y | z_S, k] = m_k + (z_S - z_kS) (W_SS +
ridge)^-1 X_kS``: a ridge regression for each information set. Of which kind somebody is, the same
moments say by Fisher's linear discriminant (its penalty is another one). What the model leaves
unknown is drawn (`RegionalModel.draw`): the kind, and errors on people it had not seen, which
neighbouring regions share.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

KINDS = 2
LARGEST_Z = 4.0
"""Variables are held within this many standard deviations: beyond them a line is a guess."""
LEAST_LEFT = 0.01
"""Share of a region's variance that nobody can be told."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegionalModel:
    """Joint law of D variables and the uptake of each of R regions, for T tracers and K kinds.

    Attributes
    ----------
    mean, sd
        (R, D): centre and scale of the variables.
    covariance
        (R, D, D): of the scaled variables, over people of every kind.
    share
        (T, K): how many people are of each kind; 1 and 0 where there is one kind.
    shift
        (T, K, R, D): mean of a kind's scaled variables.
    cross
        (T, K, R, D): covariance of the scaled variables with the uptake within a kind, SUVR.
    level, variance
        (T, K, R): mean of a kind's uptake, SUVR, and its variance.
    ridge
        (T, D): added to the diagonal of the covariance when uptake is expected.
    kind_ridge
        (T, D): the same when the kind is told; infinite for what does not speak of it. The others
        are alike in all regions.
    shared
        (T, K, R, E): what the errors on unseen people have in common, SUVR; their covariance is
        ``shared shared' + diag(own^2)``.
    own
        (T, K, R): standard deviation of what each region errs alone, SUVR.
    """

    mean: Array
    sd: Array
    covariance: Array
    share: Array
    shift: Array
    cross: Array
    level: Array
    variance: Array
    ridge: Array
    kind_ridge: Array
    shared: Array
    own: Array

    @cached_property
    def expected(self) -> Array:
        """(T, R): mean uptake of everybody, SUVR."""
        return np.asarray(np.einsum("tk,tkr->tr", self.share, self.level))

    def deviation(self, known: Array) -> Array:
        """Expected uptake minus `expected` given ``known`` (R, D), NaN for unknown: (T, R) SUVR."""
        return np.asarray(self.deviations(known[None])[0])

    def deviations(self, known: Array) -> Array:
        """`deviation` of several people: ``known`` (N, R, D) to (N, T, R) SUVR."""
        mean = np.einsum("ntk,ntkr->ntr", self.chances(known), self.by_kind(known))
        return np.asarray(mean - self.expected)

    def chances(self, known: Array) -> Array:
        """(N, T, K): how likely people of ``known`` (N, R, D) are of each kind."""
        z, odds = self._scaled(known)[:, 0], np.empty((len(known), len(self.share)))
        with np.errstate(divide="ignore"):
            prior = np.log(self.share[:, 1]) - np.log(self.share[:, 0])
        for there, people in _alike(known):
            for t, ridge in enumerate(self.kind_ridge):
                told = there[np.isfinite(ridge[there])]
                inner = self._within(told)[t, 0] + np.diag(ridge[told])
                low, high = self.shift[t, :, 0, told].T
                direction = np.linalg.solve(inner, high - low)
                odds[people, t] = (z[people][:, told] - (low + high) / 2) @ direction + prior[t]
        upper = expit(odds)
        return np.stack([1 - upper, upper], -1)

    def by_kind(self, known: Array) -> Array:
        """(N, T, K, R): the uptake that people of ``known`` (N, R, D) would have of each kind."""
        z = self._scaled(known)
        result = np.empty((len(known), *self.level.shape))
        for there, people in _alike(known):
            off = z[people][:, None, None, :, there] - self.shift[:, :, :, there]
            gain = np.einsum("tkrs,ntkrs->ntkr", self._weights(there), off)
            result[people] = self.level + gain
        return result

    def spread(self, known: Array) -> Array:
        """(T, R): standard deviation of each region given ``known`` (R, D), SUVR."""
        chance, levels = self.chances(known[None])[0], self.by_kind(known[None])[0]
        middle = np.einsum("tk,tkr->tr", chance, levels)
        alone = ((self.shared**2).sum(3) + self.own**2) * self._growth(known)
        every = alone + (levels - middle[:, None]) ** 2
        return np.asarray(np.sqrt(np.einsum("tk,tkr->tr", chance, every)))

    def draw(self, known: Array, tracer: int, rng: np.random.Generator) -> Array:
        """One draw of what the model does not know of a tracer's regions: (R,) SUVR around 0.

        The errors of `shared` and `own` are those of unseen people with whatever was known of them,
        for most nearly everything; with less known they grow as the model's own variance does.
        """
        chance = self.chances(known[None])[0, tracer]
        levels = self.by_kind(known[None])[0, tracer]
        kind = int(rng.random() < chance[1])
        errors = self.shared[tracer, kind] @ rng.normal(size=self.shared.shape[3])
        errors = errors + self.own[tracer, kind] * rng.normal(size=levels.shape[1])
        growth = np.sqrt(self._growth(known)[tracer, kind])
        return np.asarray(levels[kind] - chance @ levels + errors * growth)

    def _scaled(self, known: Array) -> Array:
        return np.clip((known - self.mean) / self.sd, -LARGEST_Z, LARGEST_Z)

    def _growth(self, known: Array) -> Array:
        """(T, K, R): how many times the variance of somebody of whom everything is known."""
        there = np.flatnonzero(np.isfinite(known[0]))
        return np.asarray(self._left(there) / self._left(np.arange(known.shape[1])))

    def _left(self, there: NDArray[np.intp]) -> Array:
        """Variance of the uptake within a kind (T, K, R) that the variables ``there`` leave."""
        told = (self._weights(there) * self.cross[..., there]).sum(3)
        return np.asarray(np.maximum(self.variance - told, LEAST_LEFT * self.variance + 1e-12))

    def _within(self, there: NDArray[np.intp]) -> Array:
        """Covariance of the variables ``there`` within a kind, over all kinds: (T, R, S, S)."""
        shift = self.shift[..., there]
        between = np.einsum("tk,tkrs,tkru->trsu", self.share, shift, shift)
        return np.asarray(self.covariance[:, there[:, None], there] - between)

    def _weights(self, there: NDArray[np.intp]) -> Array:
        """The uptake's regression on the variables ``there`` within each kind: (T, K, R, S)."""
        inner = self._within(there) + self.ridge[:, None, there, None] * np.eye(len(there))
        cross = self.cross[..., there].transpose(0, 2, 3, 1)
        return np.asarray(np.linalg.solve(inner, cross).transpose(0, 3, 1, 2))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Every attribute as float32, for a bundle."""
        return {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> RegionalModel:
        """The inverse of `arrays`."""
        return cls(**{name: value.astype(np.float64) for name, value in arrays.items()})


def _alike(known: Array) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Each set of variables that somebody knows, and who: a fact is known in all regions alike."""
    sets, which = np.unique(np.isfinite(known[:, 0]), axis=0, return_inverse=True)
    return [(np.flatnonzero(there), which == number) for number, there in enumerate(sets)]
