"""The positive control of the check of fairness: a bias planted into the errors, looked for again.

Nobody knows whether a group that a simulator made harder matters to a model, and one person in ten
is four of forty. So a bias of known size is added to the errors of half of the judged people, drawn
at random, again and again: how often it is found says what a silence about real groups is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..evaluate.statistics import Floats, by_anatomy
from ..tidy import ALL, Row, Table, number

ALPHA = 0.05
POWER = 0.8
NEEDED = float(stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(POWER))
"""Standard errors (2.80) that a difference of two means must span to be found with `POWER`."""
PLANTED_SD = 1.0
"""The planted bias in standard deviations of the model's own signed error between anatomies. Half
of 40 people against the other half: 1 / sqrt(1/20 + 1/20) = 3.16 standard errors, power 0.89; with
`POWER` from 32 people on. In FDG a model of some minutes' training had a standard deviation of
0.07 SUVR."""
PLANTINGS = 200
SHUFFLES = 199
SHORT, FALSE_SHARE = 0.10, 0.10
"""By how much the share found may stay behind the power (three standard errors of 200 plantings at
0.8 are 0.085), and the largest share found without a bias (5 % expected, above 10 % with a chance
of 0.1 %)."""

WHAT_IT_SAYS = {
    True: "the check sees what is there",
    False: "the check does not work here: its silence and its gaps mean nothing",
    None: "too few people to tell",
}


@dataclass(frozen=True)
class Planting:
    """What became of a bias that was planted `PLANTINGS` times.

    Attributes
    ----------
    people
        Anatomies with an error.
    bias
        What was added to the signed error of half of them, SUVR.
    power
        Chance of finding it, normal approximation.
    found, false
        Share of the plantings, and of as many divisions without a bias, in which p is below
        `ALPHA`; NaN when the power does not reach `POWER`.
    """

    people: int
    bias: float
    power: float
    found: float
    false: float

    @property
    def seen(self) -> bool | None:
        """Whether a bias is found as often as it must be, and none where there is none.

        None where the people are too few for it.
        """
        if math.isnan(self.found):
            return None
        return self.found >= self.power - SHORT and self.false <= FALSE_SHARE


def power(first: int, second: int, effect_sd: float = PLANTED_SD) -> float:
    """Chance (0 to 1) of finding a difference of ``effect_sd`` between groups of these sizes.

    Normal approximation of the two-sided test at `ALPHA`; 0 when a group is empty.
    """
    if not (first and second):
        return 0.0
    shift = effect_sd / math.sqrt(1 / first + 1 / second)
    return float(stats.norm.cdf(shift - stats.norm.ppf(1 - ALPHA / 2)))


def fewest_beside(others: int) -> int | None:
    """Anatomies a group needs beside ``others`` for `power` to reach `POWER`; None: no number."""
    room = (PLANTED_SD / NEEDED) ** 2 - (1 / others if others else math.inf)
    return math.ceil(1 / room) if room > 0 else None


def permuted_gap(values: Sequence[Floats], seed: int, shuffles: int) -> tuple[float, float]:
    """Largest difference of the groups' means, and its p from shuffling people between groups.

    Parameters
    ----------
    values
        One array (n,) a group: a number an anatomy.
    seed
        Of the shuffles.
    shuffles
        Their number; p is (1 + hits) / (1 + shuffles).
    """
    pooled = np.concatenate(values)
    sizes = np.array([len(v) for v in values])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def gaps(rows: Floats) -> Floats:
        means = np.add.reduceat(rows, starts, axis=1) / sizes
        return np.asarray(np.ptp(means, axis=1))

    observed = float(gaps(pooled[None])[0])
    rng = np.random.default_rng([seed, 37])
    shuffled = rng.permuted(np.tile(pooled, (shuffles, 1)), axis=1)
    # A shuffle that ties with the observed order counts as a hit despite rounding.
    hits = int((gaps(shuffled) >= observed * (1 - 1e-12)).sum())
    return observed, (1 + hits) / (1 + shuffles)


def plant(errors: Floats, anatomies: Sequence[str], seed: int) -> Planting:
    """Add a bias to half of the people, `PLANTINGS` times, and look for it.

    Parameters
    ----------
    errors
        (N, S): signed errors, one row a subject, one column a training seed; NaN where there is
        no such PET.
    anatomies
        Whose brain it is (N,).
    seed
        Of the divisions and of the tests.
    """
    own = by_anatomy(errors, anatomies).mean(axis=1)
    people, half = len(own), len(own) // 2
    bias = PLANTED_SD * float(own.std(ddof=1)) if people > 1 else math.nan
    chance = power(half, people - half)
    if chance < POWER:
        return Planting(people, bias, chance, math.nan, math.nan)
    rng = np.random.default_rng([seed, 41])
    found = false = 0
    for n in range(PLANTINGS):
        order = rng.permutation(own)
        hit, others = order[:half], order[half:]
        found += permuted_gap([hit + bias, others], seed + n, SHUFFLES)[1] < ALPHA
        false += permuted_gap([hit, others], seed + n, SHUFFLES)[1] < ALPHA
    return Planting(people, bias, chance, found / PLANTINGS, false / PLANTINGS)


def planting_rows(model: str, tracer: str, information: str, planting: Planting) -> list[Row]:
    """The planting as tidy rows ``fairness_planted_bias.*``."""
    where = (model, 0, tracer, information, ALL, ALL, ALL, "")
    figures = {
        "n": planting.people,
        "suvr": planting.bias,
        "power": planting.power,
        "found_share": planting.found,
        "false_share": planting.false,
    }
    return [Row(*where, f"fairness_planted_bias.{name}", v) for name, v in figures.items()]


def planting_table(plantings: dict[tuple[str, str], Planting]) -> Table:
    """One line a (model, tracer). It tests this check and not the model, so it is no claim."""
    return Table(
        "Positive control: a bias planted in half of the people",
        ("Model", "Tracer", "Anatomies", "Planted bias, SUVR", "Expected to be found",
         "Found", "Found without a bias", "What it says"),
        tuple(
            (model, tracer, str(p.people), number(p.bias), f"{p.power:.0%}", _share(p.found),
             _share(p.false), WHAT_IT_SAYS[p.seen])
            for (model, tracer), p in plantings.items()
        ),
    )  # fmt: skip


def _share(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.0%}"
