"""A small BIDS data set of made brains without skull, MRI and PET, whose truth is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from preprocess_heads import template_to_native
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PETSynthLib.assets import atlas_volume, reference_mask
from PETSynthLib.generate.atlas.forward import (
    Tissues,
    activity,
    deep_grey_labels,
    population_uptake,
    scanner_blur,
)
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.quantify.regions import template_regions
from PETSynthLib.tracers import tracer as tracer_of
from PETSynthLib.volume import CANONICAL, Affine, Grid, Volume, on_grid

T1_SPACING, PET_SPACING, PSF_MM = 2.0, 3.0, 8.0
EXTENT_MM = (190.0, 220.0, 190.0)
GAIN = 12345.0
"""Bq/mL of 1 SUVR: an injected dose that nobody knows."""


@dataclass(frozen=True, eq=False)
class Brain:
    """A made brain on `CANONICAL`: T1, tissues, and labels, warped alike."""

    t1: Volume
    tissues: Tissues
    territories: NDArray[np.uint8]
    labels: Volume


def grid_of(spacing: float) -> Grid:
    """A field of view in scanner space that holds a turned brain."""
    affine = np.diag([spacing] * 3 + [1.0])
    shape = tuple(int(extent / spacing) for extent in EXTENT_MM)
    affine[:3, 3] = -spacing * (np.array(shape) - 1) / 2
    return Grid((shape[0], shape[1], shape[2]), affine)


@cache
def made_brain(seed: int) -> Brain:
    """The template's brain with folds of its own (a smooth warp of about 3 mm)."""
    rng = np.random.default_rng([seed, 5])
    shape = CANONICAL.shape
    warp = [
        1.5 * ndimage.zoom(rng.standard_normal((8, 9, 8)), np.array(shape) / (8, 9, 8), order=3)
        for _ in range(3)
    ]
    places = np.array(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")) + warp

    def warped(name: str, order: int = 1) -> NDArray[Any]:
        return ndimage.map_coordinates(atlas_volume(name).data, places, order=order)

    brain = warped("template_brain") > 0.5
    grey, white = warped("template_gm") * brain, warped("template_wm") * brain
    labels = ndimage.map_coordinates(template_regions().data, places, order=0)
    return Brain(
        on_grid(warped("template_t1") * brain, CANONICAL),
        Tissues(grey, white, np.clip(brain - grey - white, 0, 1).astype(np.float32)),
        warped("territories", 0).astype(np.uint8) * brain,
        on_grid(labels * brain, CANONICAL),
    )


def made_pet(brain: Brain, tracer: str) -> Volume:
    """What a scanner of `PSF_MM` sees of ``brain`` without noise, SUVR, on `CANONICAL`."""
    deep = deep_grey_labels(brain.labels.data)
    uptake = activity(brain.tissues, brain.territories, deep, population_uptake(tracer))
    pet = scanner_blur(uptake, PSF_MM, CANONICAL)
    reference = reference_mask(tracer_of(tracer).reference_region).mask
    return on_grid(pet / pet[reference].mean(), CANONICAL)


def moved(turn_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> Affine:
    """4x4 of a rigid motion."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


def placed(image: Volume, to_native: Affine, grid: Grid, order: int = 1) -> Volume:
    """A template image in the space of a scan."""
    return on_grid(resample(image, np.linalg.inv(to_native), grid, order), grid)


def save(path: Path, image: Volume) -> Path:
    """Write a NIfTI (``.nii``: quicker than packed)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(image.data, image.affine), path)
    return path


def save_json(path: Path, body: dict[str, Any]) -> None:
    """Write a sidecar."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body), encoding="utf-8")


def pose(index: int) -> Affine:
    """Template to native of subject ``index``."""
    return template_to_native((4.0 * (index % 3) - 4, 3.0 - index % 5, -5.0), 0.9)


def offset(index: int) -> Affine:
    """T1 space to PET space of subject ``index``: the person moved between the scans."""
    return moved((3.0, -2.0, 2.0 + index % 2), (4.0, -3.0, 2.0 + index % 3))


def make_session(
    folder: Path,
    index: int,
    *,
    tracers: tuple[str, ...] = ("fdg",),
    session: str = "",
    flair: bool = False,
    truth: Path | None = None,
    noise: float = 0.05,
    spacing: tuple[float, float] = (T1_SPACING, PET_SPACING),
) -> str:
    """Write the images of subject ``index`` into the BIDS data set ``folder``; returns its name.

    ``truth`` is the folder ``derivatives/simulation`` for what only a simulation knows.
    """
    subject = f"sub-{index + 1:04d}"
    name = f"{subject}_ses-{session}" if session else subject
    where = folder / subject / (f"ses-{session}" if session else "")
    rng = np.random.default_rng([index, 7])
    brain = made_brain(index)
    t1_grid, pet_grid = grid_of(spacing[0]), grid_of(spacing[1])
    t1 = placed(brain.t1, pose(index), t1_grid)
    inside = placed(on_grid(brain.t1.data > 0, CANONICAL), pose(index), t1_grid).mask
    t1 = t1.with_data((np.abs(t1.data + 3.0 * rng.standard_normal(t1.shape)) + 1.0) * inside)
    save(where / "anat" / f"{name}_T1w.nii", t1)
    if flair:
        contrast = 0.8 * brain.tissues.grey + 0.6 * brain.tissues.white + 0.1 * brain.tissues.csf
        image = placed(on_grid(100 * contrast, CANONICAL), pose(index), t1_grid)
        save(where / "anat" / f"{name}_FLAIR.nii", image)
    for tracer in tracers:
        clean = placed(made_pet(brain, tracer), offset(index) @ pose(index), pet_grid)
        noisy = clean.data + noise * clean.data * rng.standard_normal(clean.shape)
        bids = f"trc-{tracer_of(tracer).bids}"
        save(where / "pet" / f"{name}_{bids}_pet.nii", clean.with_data(GAIN * noisy))
        save_json(where / "pet" / f"{name}_{bids}_pet.json", {"Units": "Bq/mL"})
        if truth is not None:
            save(truth / subject / f"{subject}_{bids}_desc-noisefree_pet.nii", clean)
    if truth is not None:
        save(truth / subject / f"{subject}_dseg.nii", placed(brain.labels, pose(index), t1_grid, 0))
        save_json(truth / subject / f"{subject}_latents.json", {"focal_lesions": []})
        np.savez(truth / subject / f"{subject}_oracle.npz", truth=np.ones(1, np.float32))
    return name


def make_bids(
    folder: Path,
    *,
    subjects: int = 2,
    tracers: tuple[str, ...] = ("fdg",),
    simulated: bool = True,
    flair: bool = False,
) -> Path:
    """A BIDS data set of ``subjects`` people with one session each; returns ``folder``."""
    words = "SIMULATED brains for a test" if simulated else "A hospital's own pairs"
    save_json(folder / "dataset_description.json", {"Name": words, "BIDSVersion": "1.10.0"})
    lines = ["participant_id\tage\tsex\tmmse\tmanufacturer\tsite\tdiagnosis"]
    for index in range(subjects):
        truth = folder / "derivatives" / "simulation" if simulated else None
        name = make_session(folder, index, tracers=tracers, flair=flair, truth=truth)
        site = "north" if index % 2 else "south"
        lines.append(f"{name}\t{60 + index}\tF\tn/a\tGE\t{site}\tAD")
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
