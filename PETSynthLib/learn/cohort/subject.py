"""One subject of a cohort: from its number to its images, truth and oracle."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...assets import region_names
from ...preprocess.transform import resample
from ...tracers import simulated_tracers
from ...volume import Affine, Volume
from ..oracle import Oracle
from ..regions import region_keys, regional_means
from .anatomy import Brain, make_brain
from .evidence import (
    RECORDED,
    Focal,
    Scores,
    Shown,
    diagnose,
    draw_focal,
    draw_scores,
    draw_shown,
)
from .mri import flair_map, slice_blur, slice_thickness, t1_map, with_noise
from .parameters import AETIOLOGIES, CLINIC, CONFIGURATIONS, SCAN, SITES, Configuration
from .people import Facts, People, draw_facts, draw_people
from .pet import acquired, draw_imperfection, noise_free, rounded, uptake_that_gives
from .pose import grid_over, inverse, rigid
from .posterior import beliefs, without_disease
from .template import Template
from .transfer import Transfer, transfer
from .uptake import uptake

PERSON, ANATOMY, MRI, PET, ORACLE = range(5)
"""Streams of random numbers: what one draws cannot shift the others."""
SCANNER_NAMES = {"canon": "Canon", "ge": "GE", "philips": "Philips", "siemens": "Siemens"}
STANDARD_FWHM_MM = 6.0
PET_SPACING = (2.0, 2.0, 2.0)


@dataclass(frozen=True)
class Person:
    """Who the subject is: hidden state and everything that was seen of it."""

    facts: Facts
    people: People
    focal: Focal
    shown: Shown
    scores: Scores
    diagnosis: str
    group: str


@dataclass(frozen=True, eq=False)
class Simulated:
    """Everything of one subject.

    Attributes
    ----------
    person
        Who it is.
    t1, flair, labels
        On the grid of the T1; whole numbers.
    acquired, noise_free
        PET by tracer, Bq/mL and SUVR, on the PET's own grid.
    oracle
        Truth and best possible knowledge.
    pet_to_t1, t1_to_simulation
        4x4, RAS mm to RAS mm.
    """

    person: Person
    t1: Volume
    flair: Volume
    labels: Volume
    acquired: dict[str, Volume]
    noise_free: dict[str, Volume]
    oracle: Oracle
    pet_to_t1: Affine
    t1_to_simulation: Affine


@cache
def template_at(spacing_mm: float) -> Template:
    """The atlas at ``spacing_mm``, made once a process."""
    return Template(spacing_mm)


def draw_person(site: str, config: str, rng: np.random.Generator) -> Person:
    """A person who comes to ``site``: hidden state, scores, what the MRI will show."""
    configuration = CONFIGURATIONS[config]
    facts = draw_facts(site, rng)
    people = draw_people(facts, 1, rng)
    focal = draw_focal(rng)
    shown = draw_shown(people, focal, configuration, rng)
    mmse, adas13 = draw_scores(people, configuration, rng)
    diagnosis = diagnose(people, rng)
    education, no_mmse, no_adas13, apoe4 = rng.random(4) < CLINIC.missing
    known = replace(
        facts,
        education=None if education else float(people.education[0]),
        apoe4=None if apoe4 else float(people.apoe4[0]),
    )
    scores = Scores(None if no_mmse else mmse, None if no_adas13 else adas13)
    group = "low_contrast" if rng.random() < SCAN.low_contrast[0] else "standard"
    return Person(known, people, focal, shown, scores, diagnosis, group)


def person_of(seed: int, index: int, site: str, config: str) -> Person:
    """The person whom `simulate_subject` gives images."""
    return draw_person(site, config, np.random.default_rng([seed, PERSON, index]))


def simulate_subject(
    seed: int,
    index: int,
    site: str,
    config: str,
    tracers: tuple[str, ...],
    spacing_mm: float = 1.0,
) -> Simulated:
    """Subject number ``index`` of the cohort ``seed``: same numbers, same bytes.

    Parameters
    ----------
    spacing_mm
        Lattice on which the brain is made.
    """

    def stream(number: int, *more: int) -> np.random.Generator:
        return np.random.default_rng([seed, number, index, *more])

    configuration = CONFIGURATIONS[config]
    person = person_of(seed, index, site, config)
    brain = make_brain(template_at(spacing_mm), person.shown, stream(ANATOMY))
    fwhm = SITES[site].psf_mm[person.facts.scanner]
    own = brain_transfer(brain, fwhm)

    rng = stream(MRI)
    tissue = Volume(brain.tissue, brain.grid.affine)
    pose = rigid(rng, SCAN.turn_deg, SCAN.shift_mm, np.zeros(3))
    t1, flair, labels = render(brain, tissue, pose, person.group, rng)

    rng = stream(PET)
    t1_to_pet = rigid(rng, SCAN.pet_turn_deg, SCAN.pet_shift_mm, pose[:3, 3])
    pet_pose = t1_to_pet @ pose
    pet_grid = grid_over(tissue, pet_pose, PET_SPACING, 20.0)
    shows = own if configuration.linked else standard_transfer(own, spacing_mm)
    truths, measured, free, seen = [], [], {}, {}
    for tracer in tracers:
        order = list(simulated_tracers()).index(tracer)
        draws = stream(PET, order + 1)
        truth, image_uptake, reference = subject_uptake(tracer, person, own, shows, configuration)
        image = noise_free(brain, image_uptake, reference, fwhm, draws)
        truths.append(truth)
        measured.append(regional_means(brain.regions, image.data))
        moved = resample(image, inverse(pet_pose), pet_grid)
        free[tracer] = Volume(rounded(moved), pet_grid.affine)
        carbon = simulated_tracers()[tracer].radionuclide == "11C"
        seen[tracer] = acquired(free[tracer], draw_imperfection(carbon, draws), draws)
    oracle = Oracle(
        tracers=tracers,
        regions=region_keys(),
        truth=np.stack(truths).astype(np.float32),
        measured=np.stack(measured).astype(np.float32),
        transfer=shows.law.regions,
        reference=shows.law.reference,
        beliefs=beliefs(
            person.facts, person.shown, person.scores, shows.law, tracers, configuration,
            (seed, ORACLE, index),
        ),
    )  # fmt: skip
    return Simulated(
        person,
        t1,
        flair,
        labels,
        seen,
        free,
        oracle,
        inverse(t1_to_pet),
        inverse(pose),
    )


def brain_transfer(brain: Brain, fwhm_mm: float) -> Transfer:
    """K of a brain on a scanner of resolution ``fwhm_mm``."""
    return transfer(
        brain.classes, brain.fractions, brain.grey, brain.regions, brain.references, fwhm_mm,
        brain.grid.spacing[0],
    )  # fmt: skip


@cache
def standard_brain(spacing_mm: float) -> Transfer:
    """K of one healthy brain on one scanner: what ``null`` shows in every brain."""
    shown = Shown((0.0,) * len(RECORDED), 0, 0.0)
    brain = make_brain(template_at(spacing_mm), shown, np.random.default_rng(0))
    return brain_transfer(brain, STANDARD_FWHM_MM)


def standard_transfer(own: Transfer, spacing_mm: float) -> Transfer:
    """The standard brain's K with the label sizes of ``own`` (they weigh the composites)."""
    return replace(standard_brain(spacing_mm), voxels=own.voxels)


def subject_uptake(
    tracer: str, person: Person, own: Transfer, shows: Transfer, configuration: Configuration
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """True regional SUVR (R,), the uptake (C,) to put into the image, its reference value."""
    order = list(simulated_tracers()).index(tracer)
    if configuration.linked:
        focal = np.array([person.focal.label]), np.array([person.focal.depth])
        table = uptake(tracer, person.people, focal, configuration)
        return shows.law.suvr(order, table)[0], table[0], float(own.reference[order] @ table[0])
    table = uptake(tracer, without_disease(person.people), None, configuration)
    scale = float(shows.reference[order] @ table[0])
    wanted = (shows.by_label @ table[0] / scale).astype(np.float32)
    fitted = uptake_that_gives(wanted, table[0] / scale, own, order)
    return shows.law.suvr(order, table)[0], fitted, float(own.reference[order] @ fitted)


def render(
    brain: Brain, tissue: Volume, pose: Affine, group: str, rng: np.random.Generator
) -> tuple[Volume, Volume, Volume]:
    """T1, FLAIR and labels on a scanner's grid, the head lying as ``pose`` says."""
    contrast = 1 - SCAN.low_contrast[1] if group == "low_contrast" else 1.0
    spacing = slice_thickness(rng)
    grid = grid_over(tissue, pose, spacing, 14.0)
    back = inverse(pose)
    inside = Volume(resample(tissue, back, grid), grid.affine)
    images = []
    for picture in (t1_map(brain, contrast, rng), flair_map(brain, rng)):
        soft = Volume(slice_blur(picture, spacing, brain.grid.spacing[0]), brain.grid.affine)
        clean = Volume(resample(soft, back, grid), grid.affine)
        images.append(with_noise(clean, inside, float(rng.uniform(*SCAN.noise)), rng))
    placed = Volume(brain.regions.astype(np.float32), brain.grid.affine)
    labels = Volume(resample(placed, back, grid, order=0), grid.affine)
    return images[0], images[1], labels


def participant(person: Person, name: str, anatomy: str) -> dict[str, Any]:
    """The row of ``participants.tsv``; None is missing."""
    return {
        "participant_id": name,
        "age": person.facts.age,
        "sex": "M" if person.facts.sex else "F",
        "education": person.facts.education,
        "mmse": person.scores.mmse,
        "adas13": person.scores.adas13,
        "apoe4": None if person.facts.apoe4 is None else int(person.facts.apoe4),
        "diagnosis": person.diagnosis,
        "manufacturer": SCANNER_NAMES[person.facts.scanner],
        "site": person.facts.site,
        "anatomy": anatomy,
        "group": person.group,
    }


def latents(person: Person) -> dict[str, Any]:
    """Hidden state, focal loss and recorded numbers, ready for JSON."""
    hidden: dict[str, Any] = {
        key: round(float(getattr(person.people, key)[0]), 6)
        for key in (
            "amyloid", "tau", "neurodegeneration", "frontal", "occipital", "vascular",
            "inflammation", "asymmetry", "mixed_binder", "off_target",
        )
    }  # fmt: skip
    hidden["aetiology"] = AETIOLOGIES[int(person.people.aetiology[0])]
    name, side = region_names().get(person.focal.label, ("", ""))
    region = f"{name}.{side}" if name else ""
    return {
        "latents": hidden,
        "focal": {**asdict(person.focal), "region": region},
        "recorded": {
            **dict(zip(RECORDED, person.shown.numbers, strict=True)),
            "focal_label": person.shown.focal_label,
            "focal_extent": person.shown.focal_extent,
        },
    }
