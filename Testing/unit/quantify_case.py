"""A head that is the template itself on a coarse grid, and PET of it, for tests of measuring."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

from PETSynthLib.assets import atlas_volume, region_names
from PETSynthLib.preprocess import NativeToTemplate, Prepared
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.preprocess.warp import only_affine
from PETSynthLib.quantify.native_regions import NativeRegions, atlas_regions
from PETSynthLib.quantify.parcellation import number_of
from PETSynthLib.quantify.region_means import membership, region_index
from PETSynthLib.read import Scan
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, Grid, PetVolume, Volume

HERE = NativeToTemplate(np.eye(4))


def native_grid(spacing: float = 4.0) -> Grid:
    """A field of view around the template's brain, RAS."""
    affine = np.diag([spacing] * 3 + [1.0])
    affine[:3, 3] = (-91.0, -123.0, -83.0)
    i, j, k = (int(np.ceil(n / spacing)) for n in (181, 217, 181))
    return Grid((i, j, k), affine)


@cache
def brain(spacing: float = 4.0) -> Volume:
    """The template's brain there."""
    return HERE.labels_to_native(atlas_volume("template_brain"), native_grid(spacing))


@cache
def regions(spacing: float = 4.0) -> NativeRegions:
    """The atlas there."""
    return atlas_regions(only_affine(HERE), brain(spacing))


def prepared(t1: Scan, **_: object) -> Prepared:
    """Preparation of such a head: nothing to do."""
    inside = HERE.labels_to_native(atlas_volume("template_brain"), t1.volume.grid)
    template = atlas_volume("template_t1")
    return Prepared(
        t1=template.with_data(template.data * atlas_volume("template_brain").data),
        brain=atlas_volume("template_brain"),
        flair=None,
        native_brain=inside,
        native_t1=t1.volume,
        transform=HERE,
        findings=[],
        steps=[],
        sources={"t1_sha256": t1.sha256, "flair_sha256": None, "mask_sha256": None},
        t1_to_flair=None,
    )


@cache
def uptake() -> np.ndarray:
    """FDG-like: grey 1.6, white 0.8, pons 1, nothing outside (array on `CANONICAL`)."""
    grey, white = atlas_volume("template_gm").data, atlas_volume("template_wm").data
    data = (1.6 * grey + 0.8 * white) * atlas_volume("template_brain").mask
    data = np.where(atlas_volume("references").data.astype(int) & 1, 1.0, data)
    data = np.where((data <= 0.05) & atlas_volume("template_brain").mask, 0.3, data)
    return data.astype(np.float32)


def with_lesion(key: str, share: float = 0.7) -> np.ndarray:
    """`uptake` with one region at ``share`` of it."""
    numbers = np.flatnonzero(membership()[region_index(key)])
    inside = np.isin(atlas_volume("territories").data, numbers)
    return np.where(inside, share * uptake(), uptake()).astype(np.float32)


def pet_volume(data: np.ndarray, key: str = "fdg", spacing: float = 4.0) -> PetVolume:
    """``data`` (on `CANONICAL`) on the native grid, acquired."""
    volume = Volume(data, CANONICAL.affine)
    grid = native_grid(spacing)
    sampled = resample(volume, np.eye(4), grid, order=0)
    meant = PetVolume(
        sampled,
        grid.affine,
        tracer=key,
        reference_region=tracer(key).reference_region,
        synthetic=False,
    )
    return replace(meant, data=sampled)


def freesurfer() -> np.ndarray:
    """The atlas in FreeSurfer's numbers; 2 and 41 fill the rest of the brain."""
    labels = regions().labels.data.astype(int)
    numbers = np.where(brain().mask, np.where(regions().left, 2, 41), 0)
    for label, (name, side) in region_names().items():
        theirs = number_of(name, side)
        numbers[labels == label] = theirs[0] if theirs else 0
    return numbers


def write(path: Path, data: np.ndarray, affine: np.ndarray = CANONICAL.affine) -> Path:
    """A NIfTI."""
    nib.save(nib.Nifti1Image(data.astype(np.float32), affine), path)
    return path
