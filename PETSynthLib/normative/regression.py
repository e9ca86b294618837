"""Age and sex regression of normal uptake, and the distance of a person from it.

W = (expected - observed) / (sd sqrt(1 + x (X'X)^-1 x')): the regression form of Crawford and
Howell's t (Clin Neuropsychol 1998;12:482-486), which it is when there is nothing but a mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..errors import ErrorCode, PETSynthError

MIDDLE_AGE = 70.0
TERMS = ("mean", "age", "sex", "age2")
FEWEST = 20
"""Fewer normals carry no z at all: the relative error of their SD is 16 % and more."""
ENOUGH = 40
"""With fewer, z is provisional and comes from Student's t."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Person:
    """One healthy person.

    Attributes
    ----------
    age
        Years.
    sex
        ``"F"`` or ``"M"``.
    """

    age: float
    sex: str


def known_person(age: float | None, sex: str | None) -> Person:
    """The person whose normals are wanted.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when age or sex is not known: nobody is normal for an unknown age.
    """
    if age is None or sex is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "What is normal depends on age and sex, and they are not both given.",
            "Name them with --age and --sex.",
        )
    return Person(age, sex)


def terms_of(people: Sequence[Person], age_squared: bool = False) -> tuple[str, ...]:
    """The terms that these people can tell apart: age and sex only where they vary."""
    terms = ["mean"]
    if np.ptp([p.age for p in people]) > 0.0:
        terms.append("age")
    if len({p.sex for p in people}) > 1:
        terms.append("sex")
    if age_squared and "age" in terms:
        terms.append("age2")
    return tuple(terms)


def design(people: Sequence[Person], terms: Sequence[str]) -> Array:
    """Design matrix (N, K): 1, age - 70, 1 for men, (age - 70)^2 / 100."""
    off = np.array([p.age - MIDDLE_AGE for p in people])
    columns = {
        "mean": np.ones(len(people)),
        "age": off,
        "sex": np.array([float(p.sex == "M") for p in people]),
        "age2": off**2 / 100.0,
    }
    return np.stack([columns[term] for term in terms], axis=1)


@dataclass(frozen=True, eq=False)
class Regression:
    """Uptake of M places (regions, vertices or voxels) on age and sex.

    Attributes
    ----------
    beta
        (K, M) coefficients.
    sd
        (M,) residual standard deviation.
    """

    beta: NDArray[np.floating]
    sd: NDArray[np.floating]

    def expected(self, x: Array) -> Array:
        """(M,) uptake at one row (K,) of the design."""
        return np.asarray(x @ self.beta.astype(np.float64))


class Sums:
    """What a regression needs of the people, added up one by one.

    Whole-brain arrays of a thousand people need not be in memory together.

    Parameters
    ----------
    x
        Design matrix (N, K).
    places
        M, regions or vertices or voxels.
    """

    def __init__(self, x: Array, places: int) -> None:
        self.x = x
        self.inverse = inverse_of(x)
        self._first: Array | None = None
        self._cross = np.zeros((x.shape[1], places))
        self._squares = np.zeros(places)

    def add(self, row: int, y: NDArray[np.floating]) -> None:
        """Person ``row`` of the design has uptake ``y`` (M,)."""
        values = np.asarray(y, dtype=np.float64)
        if self._first is None:
            # Differences from the first person keep their digits in a sum of squares.
            self._first = values
        off = values - self._first
        self._cross += self.x[row][:, None] * off
        self._squares += off**2

    def regression(self) -> Regression:
        """The least-squares fit to everybody added."""
        assert self._first is not None, "nobody was added"
        beta = self.inverse @ self._cross
        n, k = self.x.shape
        residual = np.maximum(self._squares - (beta * self._cross).sum(axis=0), 0.0)
        beta[0] += self._first  # the first term is the mean
        return Regression(beta, np.sqrt(residual / (n - k)))


def inverse_of(x: Array) -> Array:
    """(X'X)^-1, (K, K).

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when there are too few people for the terms.
    """
    n, k = x.shape
    if n <= k + 1 or np.linalg.matrix_rank(x) < k:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"{n} people cannot tell apart {k} terms of age and sex.",
            "Add people of other ages and of both sexes.",
        )
    return np.asarray(np.linalg.inv(x.T @ x))


def fit(x: Array, y: NDArray[np.floating]) -> Regression:
    """Least-squares fit of (N, M) uptake on the design (N, K)."""
    sums = Sums(x, y.shape[1])
    for row, values in enumerate(y):
        sums.add(row, values)
    return sums.regression()


def widening(x: Array, inverse: Array) -> float:
    """sqrt(1 + x (X'X)^-1 x'): the normals' own uncertainty at one row (K,) of the design."""
    return float(np.sqrt(1.0 + x @ inverse @ x))


def crawford_howell(observed: float, mean: float, sd: float, n: int) -> tuple[float, float]:
    """t and its one-sided p that a normal lies as low: t = (x - mean) / (sd sqrt(1 + 1/n))."""
    t = (observed - mean) / (sd * np.sqrt(1.0 + 1.0 / n))
    return float(t), float(special.stdtr(n - 1, t))


def as_z(w: NDArray[np.floating], n: int, k: int, own: bool = False) -> Array:
    """W as z: from `ENOUGH` people on W itself, below them the z of the same tail probability.

    Parameters
    ----------
    w
        Any shape; distributed as Student's t with n - k degrees of freedom.
    n, k
        People of the database and terms of the fit.
    own
        Whether ``w`` are the database's own people, each against the others (`left_out`): one
        degree of freedom less, but z by the same rule as a new person's.
    """
    values = np.asarray(w, dtype=np.float64)
    if n >= ENOUGH:
        return values
    # By the upper tail of |w|: precise however far out.
    z = -special.ndtri(special.stdtr(n - k - own, -np.abs(values)))
    return np.asarray(np.sign(values) * z)


def ninety_percent(n: int, k: int) -> float:
    """W beyond which 5 % of the normals lie on either side (`as_z` makes it 1.645)."""
    tail = 0.05
    return -float(special.ndtri(tail) if n >= ENOUGH else special.stdtrit(n - k, tail))


def sd_widening(n: int, k: int, own: bool = False) -> float:
    """Factor on an SD after which z = 2 is as rare among normals as it should be, 2.3 %.

    For maps, which know mean and SD only; 1 from `ENOUGH` people on. Parameters as `as_z`.
    """
    if n >= ENOUGH:
        return 1.0
    return -float(special.stdtrit(n - k - own, special.ndtr(-2.0)) / 2.0)


def without_each(x: Array, y: NDArray[np.floating]) -> tuple[Array, Array]:
    """What the others say of each normal: expected uptake and widened SD, both (N, M).

    In closed form (deleted residuals); the same numbers as N fits without one person each.
    """
    inverse = inverse_of(x)
    n, k = x.shape
    leverage = np.einsum("ik,kl,il->i", x, inverse, x)[:, None]
    values = np.asarray(y, dtype=np.float64)
    residual = values - x @ (inverse @ (x.T @ values))
    squares = (residual**2).sum(axis=0) - residual**2 / (1.0 - leverage)
    sd = np.sqrt(np.maximum(squares, 0.0) / (n - k - 1) / (1.0 - leverage))
    return values - residual / (1.0 - leverage), sd


def left_out(x: Array, y: NDArray[np.floating]) -> Array:
    """W of every normal against all the others, (N, M); positive is lower than expected."""
    expected, sd = without_each(x, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((expected - y) / sd)
