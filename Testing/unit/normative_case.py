"""Normal people whose numbers are drawn, and databases built from them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from PETSynthLib.normative.build import Description, build
from PETSynthLib.normative.database import Database
from PETSynthLib.normative.measure import Measured, brain_index
from PETSynthLib.normative.regression import Person
from PETSynthLib.project.surface import SIDES, surfaces
from PETSynthLib.quantify.region_means import region_keys

MEAN, PER_YEAR, SD = 1.5, -0.004, 0.12
"""Uptake at 70 years everywhere, its change with age, its scatter."""
REFERENCES = {"GLB": 1.25, "THL": 1.5, "CBL": 1.0, "PNS": 0.75}


def drawn_people(n: int) -> list[Person]:
    """Ages from 55 to 85, women and men in turn."""
    return [Person(55.0 + 30.0 * i / (n - 1), "FM"[i % 2]) for i in range(n)]


def measured(person: Person, rng: np.random.Generator) -> Measured:
    """One normal's numbers: everywhere independent."""
    mean = MEAN + PER_YEAR * (person.age - 70.0)

    def draw(size: int) -> np.ndarray:
        return mean + SD * rng.standard_normal(size)

    return Measured(
        roi=draw(len(region_keys())),
        surface={side: draw(len(surfaces()[side].vertices)) for side in SIDES},
        references=REFERENCES,
        volume=draw(len(brain_index())).astype(np.float32),
    )


def drawn(people: list[Person], seed: int = 0) -> Iterator[Measured]:
    """`measured` of everybody."""
    rng = np.random.default_rng(seed)
    return (measured(person, rng) for person in people)


@cache
def database(n: int = 40, tracer: str = "fdg", bundle: str = "", demo: bool = False) -> Database:
    """A database of ``n`` drawn normals."""
    kind = "synthetic" if bundle else "acquired"
    who = drawn_people(n)
    return build(Description(tracer, kind, bundle, demo=demo), who, drawn(who))
