"""A tiny store whose answers are known: for tests of training, evaluation and checks.

One latent, neurodegeneration ``N``, lowers the uptake of every cortical region: the truth of
region r is ``base_r - slope N``. ``N ~ Normal(0.03 (age - 70), 1)``; the MRI knows it through
``a = N + 0.7 noise`` (the cortex of the T1 is darker by `DARKER` per unit of a), the clinic through
MMSE ``= 24 - 1.5 N + noise``. Everything is Gaussian, so the oracle is exact in closed form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PETSynthLib.assets import asset, atlas_volume, region_names
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.learn.regions import LABELS, membership, region_keys, regional_means
from PETSynthLib.learn.store import Store, StoreWriter, Subject, open_store
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.quantify.regions import template_regions
from PETSynthLib.request import SCANNERS
from PETSynthLib.volume import CANONICAL, Grid

BOX_MM = ((-84.0, 84.0), (-112.5, 79.5), (-82.5, 85.5))
"""What the 3 mm grid covers; any shape divides it."""
INFORMATION = ("base", "clinic", "mri", "both")
SPLIT_OF = ("train", "train", "train", "validation", "calibration", "test")
SITES = ("north", "south")
BASE_SUVR = {"fdg": 1.3, "pib": 1.4, "florbetapir": 1.2, "flortaucipir": 1.2, "pbr28": 1.0}
SLOPE_SUVR = 0.15
REST_SUVR = 0.6
"""Uptake of brain without a label."""
DARKER = 0.05
AGE_SLOPE, MRI_SD, MMSE_SLOPE, MMSE_SD = 0.03, 0.7, 1.5, 1.0
SHADES = 0.02
"""Each region has its own base, so that regions can be told apart."""


def case_grid(shape: tuple[int, int, int]) -> Grid:
    """A lattice of ``shape`` over the whole brain, mirror symmetric about x = 0."""
    affine = np.eye(4)
    for axis, (low, high) in enumerate(BOX_MM):
        affine[axis, axis] = (high - low) / shape[axis]
        affine[axis, 3] = low + affine[axis, axis] / 2
    return Grid(shape, affine, CANONICAL.name)


@dataclass(frozen=True)
class Person:
    """The latent of one subject and what was measured of it."""

    latent: float
    recorded: float
    clinical: ClinicalRecord

    def posterior(self, information: str) -> tuple[float, float]:
        """Mean and standard deviation of the latent given an information set."""
        assert self.clinical.age is not None
        weight, total = 1.0, AGE_SLOPE * (self.clinical.age - 70)
        if information in ("mri", "both"):
            weight += 1 / MRI_SD**2
            total += self.recorded / MRI_SD**2
        if information in ("clinic", "both") and self.clinical.mmse is not None:
            precision = (MMSE_SLOPE / MMSE_SD) ** 2
            weight += precision
            total += precision * (24 - self.clinical.mmse) / MMSE_SLOPE
        return total / weight, weight**-0.5


def cortical_labels() -> NDArray[np.bool_]:
    """Which labels carry the effect: those with a left and a right, cerebellum left out."""
    cortex = np.zeros(LABELS, bool)
    for label, (name, side) in region_names().items():
        cortex[label] = side != "B" and name != "cerebellum"
    return cortex


def label_uptake(tracer: str, latent: float) -> NDArray[np.float64]:
    """SUVR by label (`LABELS`,); 1 in the cerebellum, `REST_SUVR` outside the labels."""
    shades = 1 + SHADES * np.cos(np.arange(LABELS))
    base = np.where(cortical_labels(), BASE_SUVR[tracer] * shades, 1.0)
    base[0] = REST_SUVR
    return np.asarray(base - SLOPE_SUVR * latent * cortical_labels())


def make_store(
    folder: Path,
    *,
    n: int = 12,
    shape: tuple[int, int, int] = (16, 16, 16),
    tracers: tuple[str, ...] = ("fdg", "florbetapir"),
    seed: int = 0,
    kind: str = "simulated",
    noise: float = 0.05,
) -> Store:
    """Write a store of ``n`` subjects and open it.

    Parameters
    ----------
    folder
        New folder.
    n
        Number of subjects; the splits follow `SPLIT_OF`, so 6 have one test subject.
    shape
        Voxels of `case_grid`.
    tracers
        Keys; every third subject lacks the last of several.
    seed
        Of everything random.
    kind
        ``simulated`` (with truth and oracle) or ``real``.
    noise
        Of the acquired PET, as a share of its value.

    Returns
    -------
    Store
        Opened. Sites change every six subjects, scanners every subject; the person's own
        `Person` is that of `make_person` with the same seed and row.
    """
    grid = case_grid(shape)
    facts: dict[str, Any] = {
        "kind": kind,
        "grid": {"shape": list(shape), "affine": grid.affine.tolist(), "space": grid.name},
        "tracers": list(tracers),
    }
    writer = StoreWriter(folder, facts, n)
    labels = resample(template_regions(), np.eye(4), grid, order=0).astype(np.uint8)
    brain = resample(atlas_volume("template_brain"), np.eye(4), grid, antialias=True) > 0.5
    labels[~brain] = 0
    t1 = resample(atlas_volume("template_t1"), np.eye(4), grid, antialias=True)
    t1 = np.where(brain, t1 / np.percentile(t1[brain], 97), 0)
    subjects = []
    for row in range(n):
        person = make_person(seed, row)
        rng = np.random.default_rng([seed, 1, row])
        has = tracers[:-1] if row % 3 == 2 and len(tracers) > 1 else tracers
        truth = {t: label_uptake(t, person.latent)[labels] * brain for t in has}
        dark = 1 - DARKER * person.recorded * cortical_labels()[labels]
        image = np.clip(t1 * dark + 0.01 * rng.standard_normal(shape) * brain, 0, 1.6)
        arrays: dict[str, NDArray[Any]] = {
            "t1": image,
            "flair": 0.8 * image if row % 4 else np.zeros(shape),
            "brain": brain,
            "regions": labels,
            "volumes": _volumes(labels, person, grid),
        }
        for tracer, picture in truth.items():
            arrays[f"pet_{tracer}"] = picture * (1 + noise * rng.standard_normal(shape))
            if kind == "simulated":
                arrays[f"truth_{tracer}"] = picture
        writer.write(row, arrays)
        subject = f"sub-{row + 1:04d}"
        if kind == "simulated":
            write_oracle(folder / "oracle" / f"{subject}.npz", person, tracers, labels, rng)
        writer.finish(row)
        subjects.append(
            Subject(
                row=row,
                subject=subject,
                anatomy=subject,
                site=SITES[row // len(SPLIT_OF) % len(SITES)],
                scanner=SCANNERS[row % len(SCANNERS)],
                split=SPLIT_OF[row % len(SPLIT_OF)],
                diagnosis="AD" if person.latent > 0.5 else "none",
                group="low_contrast" if row % 10 == 9 else "",
                clinical=person.clinical,
                brain_ml=float(brain.sum()) * grid.voxel_ml,
                flair=bool(row % 4),
                tracers=has,
            )
        )
    writer.write_subjects(subjects)
    return open_store(folder)


def make_person(seed: int, row: int) -> Person:
    """The person in ``row`` of the store made with ``seed``; every fifth has no MMSE."""
    rng = np.random.default_rng([seed, 0, row])
    age = float(np.round(rng.uniform(55, 90), 1))
    latent = AGE_SLOPE * (age - 70) + float(rng.standard_normal())
    mmse = 24 - MMSE_SLOPE * latent + MMSE_SD * float(rng.standard_normal())
    clinical = ClinicalRecord(
        age=age,
        sex="F" if row % 2 else "M",
        education=float(rng.integers(8, 21)),
        mmse=None if row % 5 == 4 else float(f"{np.clip(mmse, 0, 30):g}"),
        adas13=float(rng.integers(5, 40)) if row % 2 else None,
        apoe4=int(rng.integers(0, 3)),
    )
    return Person(latent, latent + MRI_SD * float(rng.standard_normal()), clinical)


def _volumes(labels: NDArray[np.uint8], person: Person, grid: Grid) -> NDArray[np.float64]:
    """Grey matter in mL: less of it where the recorded number is high."""
    count = membership() @ np.bincount(labels.ravel(), minlength=LABELS)
    return np.asarray(0.5 * count * grid.voxel_ml * (1 - 0.05 * person.recorded))


def write_oracle(
    path: Path,
    person: Person,
    tracers: tuple[str, ...],
    labels: NDArray[np.uint8],
    rng: np.random.Generator,
) -> None:
    """The oracle's file of one subject, exact (see the module's docstring)."""
    # A lattice this coarse misses some regions; those get the plain mean of their labels.
    every = np.arange(LABELS)

    def regional(tracer: str, latent: float) -> NDArray[np.float64]:
        uptake = label_uptake(tracer, latent)
        measured = regional_means(labels, uptake[labels])
        return np.where(np.isnan(measured), regional_means(every, uptake), measured)

    at_zero = np.stack([regional(tracer, 0.0) for tracer in tracers])
    slope = np.stack([regional(tracer, 1.0) for tracer in tracers]) - at_zero
    content: dict[str, Any] = {
        "tracers": np.array(tracers),
        "regions": np.array(region_keys()),
        "truth": at_zero + slope * person.latent,
        "measured": at_zero + slope * person.latent,
        "K": np.zeros((len(region_keys()), 1)),
        "K_reference": np.zeros((len(tracers), 1)),
    }
    for information in INFORMATION:
        mean, sd = person.posterior(information)
        content[f"mean_{information}"] = at_zero + slope * mean
        content[f"sd_{information}"] = np.abs(slope) * sd
        for name, z in (("q05", -1.6449), ("q50", 0.0), ("q95", 1.6449)):
            content[f"{name}_{information}"] = content[f"mean_{information}"] + (
                z * content[f"sd_{information}"]
            )
        drawn = rng.normal(mean, sd, 200)[:, None, None]
        content[f"draws_{information}"] = at_zero + slope * drawn
        content[f"ess_{information}"] = np.float32(20000.0)
    numbers = {k: v if v.dtype.kind == "U" else v.astype(np.float32) for k, v in content.items()}
    np.savez(path, **numbers)


def atlas_bundle(folder: Path, grid: Grid, **changed: Any) -> Path:
    """The atlas model, said to work on ``grid``: quick, and wrong by a good deal."""
    folder.mkdir()
    config: dict[str, Any] = json.loads(asset("bundles/atlas/config.json").read_text()) | changed
    config["grid"] |= {"shape": list(grid.shape), "affine": grid.affine.tolist()}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text("# atlas\n")
    write_checksums(folder)
    return folder
