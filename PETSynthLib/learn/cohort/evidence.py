"""What MRI and clinic see of the hidden state: p(a | L) and p(c | L), drawn and weighed.

The MRI depends on L only through the recorded numbers a; the clinic's scores c through the burden
of disease. Both laws stand here once, as a way to draw and as a log likelihood.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from ...assets import region_names
from .parameters import CLINIC, DIAGNOSES, DISEASE, RECORDED_LAW, Configuration
from .people import People, Vector

RECORDED = (
    "atrophy_left",
    "atrophy_right",
    "frontal_atrophy",
    "occipital_atrophy",
    "global_atrophy",
    "lesion_load",
)
TINY = 1e-300


@dataclass(frozen=True)
class Focal:
    """A focal loss of FDG uptake in one region of one side.

    Attributes
    ----------
    label
        Region label; 0: there is none.
    depth
        Share of the region's uptake that is lost.
    visible
        Whether the MRI shows it.
    """

    label: int
    depth: float
    visible: bool


@dataclass(frozen=True)
class Shown:
    """The recorded numbers: all that the MRI shows of the hidden state.

    Attributes
    ----------
    numbers
        One for each of `RECORDED`.
    focal_label, focal_extent
        Region of a visible focal loss (0: none seen) and how much of it the MRI seems to have
        lost.
    """

    numbers: tuple[float, ...]
    focal_label: int
    focal_extent: float


@dataclass(frozen=True)
class Scores:
    """What the clinic measured; None is missing."""

    mmse: float | None
    adas13: float | None


def focal_labels() -> NDArray[np.int64]:
    """Cortical regions that are large enough for a focal loss."""
    small = {"frontalpole", "temporalpole", "transversetemporal", "bankssts", "entorhinal"}
    deep = {
        "thalamusproper", "caudate", "putamen", "pallidum", "accumbensarea", "hippocampus",
        "amygdala", "brainstem", "cerebellum",
    }  # fmt: skip
    return np.array([k for k, (name, _) in region_names().items() if name not in small | deep])


def draw_focal(rng: np.random.Generator) -> Focal:
    """A focal loss or none: `parameters.Disease.focal`."""
    seen, hidden = DISEASE.focal
    chance = rng.random()
    label, depth = int(rng.choice(focal_labels())), float(rng.uniform(*DISEASE.focal_depth))
    if chance >= seen + hidden:
        return Focal(0, 0.0, False)
    return Focal(label, depth, bool(chance < seen))


def recorded_mean(people: People) -> Vector:
    """Array (n, 6): expected value of each of `RECORDED`."""
    n, s = people.neurodegeneration, people.asymmetry
    per_n, per_year, per_load = RECORDED_LAW.global_of
    columns = [
        n * (1 + s),
        n * (1 - s),
        people.frontal,
        RECORDED_LAW.occipital_shown * people.occipital,
        per_n * n + per_year * (people.age - 60) + per_load * people.vascular,
        people.vascular,
    ]
    return np.stack(columns, -1)


def recorded_sd(configuration: Configuration) -> Vector:
    """Array (6,): noise of each of `RECORDED`."""
    return np.array(astuple(RECORDED_LAW)[: len(RECORDED)]) * configuration.recorded


def draw_shown(
    people: People, focal: Focal, configuration: Configuration, rng: np.random.Generator
) -> Shown:
    """What the MRI of the one person in ``people`` shows."""
    noise = rng.normal(size=len(RECORDED)) * recorded_sd(configuration)
    numbers = tuple(float(v) for v in recorded_mean(people)[0] + noise)
    extent = focal.depth + rng.normal() * RECORDED_LAW.focal_extent
    if not focal.visible:
        return Shown(numbers, 0, 0.0)
    return Shown(numbers, focal.label, float(extent))


def log_p_shown(people: People, shown: Shown, configuration: Configuration) -> Vector:
    """Array (n,): log p(recorded numbers | L) up to a constant, without the focal loss."""
    z = (recorded_mean(people) - np.array(shown.numbers)) / recorded_sd(configuration)
    return np.asarray(-0.5 * (z**2).sum(1))


def draw_focals(
    shown: Shown | None, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Vector]:
    """``n`` focal losses (labels, depths) from p(focal | what the MRI shows), exactly.

    The focal loss is independent of all else, so it is drawn, not weighed.

    Parameters
    ----------
    shown
        What the MRI shows; None when there is no MRI.
    """
    seen, hidden = DISEASE.focal
    low, high = DISEASE.focal_depth
    if shown is not None and shown.focal_label:
        sd = RECORDED_LAW.focal_extent
        # Uniform prior times normal likelihood: a truncated normal, by its inverse distribution.
        ends = ndtr((np.array([low, high]) - shown.focal_extent) / sd)
        inside = ends[0] + rng.random(n) * (ends[1] - ends[0])
        depth = np.clip(shown.focal_extent + sd * ndtri(inside), low, high)
        return np.full(n, shown.focal_label), depth
    share = seen + hidden if shown is None else hidden / (1 - seen)
    there = rng.random(n) < share
    labels = rng.choice(focal_labels(), n)
    return np.where(there, labels, 0), np.where(there, rng.uniform(low, high, n), 0.0)


def burden(people: People) -> Vector:
    """Array (n,): how much disease is noticed."""
    own, tau, frontal, occipital, vascular = CLINIC.burden
    disease = (
        own * people.neurodegeneration
        + tau * people.tau
        + frontal * people.frontal
        + occipital * people.occipital
        + vascular * people.vascular
    )
    return np.asarray(disease * people.resilience)


def _score_laws(people: People, configuration: Configuration) -> list[tuple[Vector, float, float]]:
    """Mean (n,), sd and largest value of MMSE and ADAS-Cog-13."""
    weight, school = burden(people), people.education - CLINIC.education[0]
    laws = []
    for (healthy, slope, per_year, sd), highest, sign in (
        (CLINIC.mmse, 30.0, -1.0),
        (CLINIC.adas13, 85.0, 1.0),
    ):
        mean = healthy + sign * slope * weight + per_year * school
        laws.append((mean, sd * configuration.scores, highest))
    return laws


def draw_scores(
    people: People, configuration: Configuration, rng: np.random.Generator
) -> tuple[float, float]:
    """MMSE and ADAS-Cog-13 of the one person in ``people``: normal, rounded, clipped."""
    drawn = [
        float(np.clip(np.round(rng.normal(mean[0], sd)), 0, highest))
        for mean, sd, highest in _score_laws(people, configuration)
    ]
    return drawn[0], drawn[1]


def log_p_scores(people: People, scores: Scores, configuration: Configuration) -> Vector:
    """Array (n,): log p(known scores | L).

    A rounded score is the difference of two normal distribution functions; the lowest and the
    highest gather what was clipped.
    """
    total = np.zeros(len(people))
    laws = _score_laws(people, configuration)
    for value, (mean, sd, highest) in zip(astuple(scores), laws, strict=True):
        if value is None:
            continue
        if value <= 0:
            total += log_ndtr((0.5 - mean) / sd)
        elif value >= highest:
            total += log_ndtr((mean - (highest - 0.5)) / sd)
        else:
            # On the side where the distribution function is small, so that nothing cancels.
            middle = np.abs(value - mean)
            share = ndtr((0.5 - middle) / sd) - ndtr((-0.5 - middle) / sd)
            total += np.log(np.maximum(share, TINY))
    return total


def diagnose(people: People, rng: np.random.Generator) -> str:
    """The clinician's word for the one person in ``people``; sometimes a wrong one."""
    truth = DIAGNOSES[int(people.aetiology[0])]
    others = [d for d in DIAGNOSES if d != truth]
    wrong = others[int(rng.integers(len(others)))]
    return wrong if rng.random() < CLINIC.misdiagnosed else truth
