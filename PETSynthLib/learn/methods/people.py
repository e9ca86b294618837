"""What every method does with people: which facts are hidden in an example, how they are scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...clinical import COGNITION, FIELDS
from ..settings import setting
from ..store import Subject

SCALES = {"pbr28": 0.8}
"""SUVR that counts as 1 in the network, for tracers where it is not 1."""


@dataclass(frozen=True)
class HidingConfig:
    """How often an example does without a fact, so that every information set is learnt."""

    no_clinic: float = setting(0.25, "share of examples without any clinical fact", low=0, high=1)
    no_cognition: float = setting(
        0.25, "share of the others without MMSE, ADAS-Cog-13 and APOE4", low=0, high=1
    )
    one_field: float = setting(0.15, "chance that a single field is hidden", low=0, high=1)
    no_flair: float = setting(0.35, "share of examples without FLAIR", low=0, high=1)
    average_scanner: float = setting(
        0.3, "share of examples whose scanner is not told", low=0, high=1
    )


def hidden_clinic(
    subject: Subject, config: HidingConfig, rng: np.random.Generator
) -> dict[str, float | None]:
    """The clinical numbers of a subject as an example shows them (hidden: None)."""
    numbers = subject.clinical.numbers()
    nothing, no_scores = rng.random() < config.no_clinic, rng.random() < config.no_cognition
    alone = rng.random(len(FIELDS)) < config.one_field
    hide = {
        name: nothing or (no_scores and name in COGNITION) or bool(one)
        for name, one in zip(FIELDS, alone, strict=True)
    }
    return {name: None if hide[name] else value for name, value in numbers.items()}


def clinical_scaling(subjects: tuple[Subject, ...]) -> dict[str, list[float]]:
    """Field -> [mean, sd] over the subjects in whom it is known (never an sd of 0)."""
    table: dict[str, list[float]] = {}
    for name in FIELDS:
        known = [v for s in subjects if (v := s.clinical.numbers()[name]) is not None]
        sd = float(np.std(known)) if known else 0.0
        table[name] = [round(float(np.mean(known)), 4) if known else 0.0, round(sd, 4) or 1.0]
    return table


def suvr_scale(tracers: list[str]) -> dict[str, float]:
    """Tracer -> SUVR that counts as 1 in the network."""
    return {t: SCALES.get(t, 1.0) for t in tracers}
