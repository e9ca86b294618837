"""How the estimators are run, and what one walk over the data finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..tidy import Row
from .results import Image, ImageCase, Regional, Results
from .zmap import RegionalNorm

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""
Look = Callable[[ImageCase], list[Row]]
"""A check that looks at one image."""


@dataclass(frozen=True)
class Plan:
    """How the estimators are run.

    Attributes
    ----------
    samples
        Random samples a subject beside the mean (0 to 64).
    seed
        Of samples and of the shuffled controls.
    primary
        Tracers whose shuffled controls are sampled as the model is: those that carry a claim.
    keep
        Folder of finished parts (`kept.Kept`); None keeps none.
    """

    samples: int = 16
    seed: int = 0
    primary: tuple[str, ...] = ()
    keep: Path | None = None


@dataclass(eq=False)
class Gathered:
    """What one walk over the data has found.

    Attributes
    ----------
    results
        Regional values.
    norms
        Tracer -> regional values of healthy training people.
    rows
        One number a subject and image.
    cluster_rows
        What `Look` returned.
    calibration_people
        (model, tracer, information) -> people its intervals were calibrated on, None if unknown.
    slices
        (model, tracer, n) -> axial slices (3, I, J) of T1, true and synthetic PET, first seed.
    model_seconds, total_seconds
        Time inside the models, and of everything, of parts that an earlier run made too.
    """

    results: Results
    norms: dict[str, RegionalNorm]
    rows: list[Row] = field(default_factory=list)
    cluster_rows: list[Row] = field(default_factory=list)
    calibration_people: dict[tuple[str, str, str], int | None] = field(default_factory=dict)
    slices: dict[tuple[str, str, int], Image] = field(default_factory=dict)
    model_seconds: float = 0.0
    total_seconds: float = 0.0


@dataclass(eq=False)
class Part:
    """What one model made of everybody with one tracer and one information set.

    Attributes
    ----------
    regional
        Its values.
    rows, cluster_rows
        As in `Gathered`.
    slices
        n -> axial slices (3, I, J) of T1, true and synthetic PET.
    people
        How many its intervals were calibrated on, None if unknown.
    seconds
        Time inside the model.
    """

    regional: Regional
    rows: list[Row] = field(default_factory=list)
    cluster_rows: list[Row] = field(default_factory=list)
    slices: dict[int, Image] = field(default_factory=dict)
    people: int | None = None
    seconds: float = 0.0
