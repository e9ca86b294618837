"""What a region's anatomy, the whole brain and the clinic say of its uptake: `flow`'s linear path.

The numbers of `reading`, the clinical facts and the scanner are a region's *variables*. Variables
and uptake are taken as jointly Gaussian, so that the expected uptake given whatever happens to be
known is one linear solve, ``E[y | z_S] = m + (z_S - m_S) (C_SS + ridge)^-1 C_Sy``: a ridge
regression for each information set, all from one covariance. What the model leaves unknown is drawn
(`RegionalModel.draw`): errors on people it had not seen, which neighbouring regions share.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_Z = 4.0
"""Variables are held within this many standard deviations: beyond them a line is a guess."""
LEAST_LEFT = 0.01
"""Share of a region's variance that nobody can be told."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegionalModel:
    """Joint Gaussian of D variables and the uptake of each of R regions, for T tracers.

    Attributes
    ----------
    mean, sd
        (R, D): centre and scale of the variables.
    covariance
        (R, D, D): of the scaled variables.
    cross
        (T, R, D): covariance of the scaled variables with the uptake, SUVR.
    expected, variance
        (T, R): mean of the uptake, SUVR, and its variance.
    ridge
        (T, D): added to the diagonal of every `covariance`, by tracer.
    shared
        (T, R, K): what the errors on unseen people have in common, SUVR; their covariance is
        ``shared shared' + diag(own^2)``.
    own
        (T, R): standard deviation of what each region errs alone, SUVR.
    """

    mean: Array
    sd: Array
    covariance: Array
    cross: Array
    expected: Array
    variance: Array
    ridge: Array
    shared: Array
    own: Array

    def deviation(self, known: Array) -> Array:
        """Expected uptake minus `expected` given ``known`` (R, D), NaN for unknown: (T, R) SUVR."""
        return np.asarray(self.deviations(known[None])[0])

    def deviations(self, known: Array) -> Array:
        """`deviation` of several people: ``known`` (N, R, D) to (N, T, R) SUVR."""
        z = np.clip((known - self.mean) / self.sd, -LARGEST_Z, LARGEST_Z)
        result = np.empty((len(known), *self.expected.shape))
        # A fact is known of a person or not, in all regions alike; FLAIR and facts vary.
        sets, which = np.unique(np.isfinite(known[:, 0]), axis=0, return_inverse=True)
        for number, there in enumerate(sets):
            weights, people = self._weights(np.flatnonzero(there)), which == number
            result[people] = np.einsum("trs,nrs->ntr", weights, z[people][:, :, there])
        return np.asarray(result)

    def draw(self, known: Array, tracer: int, rng: np.random.Generator) -> Array:
        """One draw of what the model does not know of a tracer's regions: (R,) SUVR around 0.

        The errors of `shared` and `own` are those of unseen people with whatever was known of them,
        for most nearly everything; with less known they grow as the model's own variance does.
        """
        errors = self.shared[tracer] @ rng.normal(size=self.shared.shape[2])
        errors = errors + self.own[tracer] * rng.normal(size=len(self.own[tracer]))
        there = np.flatnonzero(np.isfinite(known[0]))
        more = self._left(there) / self._left(np.arange(known.shape[1]))
        return np.asarray(errors * np.sqrt(more[tracer]))

    def _left(self, there: NDArray[np.intp]) -> Array:
        """Variance of the uptake (T, R) that the variables ``there`` leave."""
        told = (self._weights(there) * self.cross[:, :, there]).sum(2)
        return np.asarray(np.maximum(self.variance - told, LEAST_LEFT * self.variance + 1e-12))

    def _weights(self, there: NDArray[np.intp]) -> Array:
        """The uptake's regression on the variables ``there``: (T, R, S)."""
        inner = self.covariance[:, there[:, None], there]
        ridge = self.ridge[:, None, there, None] * np.eye(len(there))
        cross = self.cross[:, :, there, None]
        return np.asarray(np.linalg.solve(inner + ridge, cross)[..., 0])

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Every attribute as float32, for a bundle."""
        return {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> RegionalModel:
        """The inverse of `arrays`."""
        return cls(**{name: value.astype(np.float64) for name, value in arrays.items()})
