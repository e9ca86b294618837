"""A database held against healthy people it has never seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ErrorCode, PETSynthError
from ..quantify.region_means import region_keys
from .calibration import Calibration, calibration_finding, calibration_of
from .database import Database
from .flags import usual_percent
from .measure import Measured, judged
from .regression import FEWEST, Person
from .score import score

NINETY_NINE = 2.576
"""z beyond which 1 % of a normal distribution lie on both sides together."""


@dataclass(frozen=True)
class Fresh:
    """What normals outside the database get.

    Attributes
    ----------
    calibration
        Their z over all regions.
    flagged_percent
        Share of them with any flag; 5 is right over many databases.
    usual_percent
        What it is by chance with a database of this size and this many new people.
    usual_mean
        How far from 0 the mean z lies by chance, 99 % (`usual_mean`).
    """

    calibration: Calibration
    flagged_percent: float
    usual_percent: tuple[float, float]
    usual_mean: float

    @property
    def flags_as_usual(self) -> bool:
        """Whether chance alone explains the share with flags."""
        low, high = self.usual_percent
        return low <= self.flagged_percent <= high

    def sentences(self) -> list[str]:
        """The numbers in words."""
        mean = (
            f"Chance alone, with so many normals and fresh people, puts their mean within "
            f"{self.usual_mean:.2f} of 0."
        )
        low, high = self.usual_percent
        chance = "" if self.flags_as_usual else "; chance does not explain it"
        flags = (
            f"{self.flagged_percent:.1f} % of them have any flag (5 % expected, {low:.1f} to "
            f"{high:.1f} % by chance with so many normals and fresh people{chance})."
        )
        return [self.calibration.sentence("Fresh people"), mean, flags]


def check_fresh(database: Database, people: Iterable[tuple[Person, Measured]]) -> Fresh:
    """z and flags of healthy people who are not in the database.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the database carries no z, or nobody is given.
    """
    keys = [region_keys()[position] for position in judged()]
    rows, flagged = [], 0
    for person, one in people:
        scores = score(database, person, dict(zip(region_keys(), one.roi, strict=True)))
        if database.meta.n < FEWEST:
            raise PETSynthError(
                ErrorCode.BAD_DATA, scores.findings[0].sentence, "Add people to the database."
            )
        z = {row.key: row.z for row in scores.rows}
        rows.append([z.get(key, float("nan")) for key in keys])
        flagged += any(row.flagged for row in scores.rows)
    if not rows:
        raise PETSynthError(ErrorCode.BAD_DATA, "There are no people.", "Fill in the table.")
    z_of_all = np.array(rows, dtype=np.float64)
    return Fresh(
        calibration_of(z_of_all),
        100.0 * flagged / len(rows),
        usual_percent(database.meta.n, len(rows)),
        usual_mean(np.nanmean(z_of_all, axis=1), database.meta.n),
    )


def usual_mean(means: NDArray[np.floating], n: int) -> float:
    """How far from 0 the mean z of people may lie by chance alone: 99 %, either side.

    ``2.58 s sqrt(1 / n + 1 / m)``: who is in a database of ``n`` is chance as much as who the
    ``m`` others are. The regions of a person rise and fall together, so that s is not small.

    Parameters
    ----------
    means
        (m,): every person's own mean z, of which s is the SD. One person says nothing of it: 0.
    n
        Normals of the database.
    """
    m = len(means)
    spread = float(np.std(means, ddof=1)) if m > 1 else 0.0
    return NINETY_NINE * spread * float(np.sqrt(1.0 / n + 1.0 / m))


def own_sentences(database: Database) -> list[str]:
    """The stored calibrations in words, each with its verdict."""
    return [
        f"[{finding.verdict.value}] {finding.sentence}"
        for name, found in database.meta.calibration.items()
        for finding in [calibration_finding(name, name.replace("_", " "), found)]
    ]
