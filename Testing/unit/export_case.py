"""A small finished synthesis for the tests of restoring, measuring and exporting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PETSynthLib.assets import atlas_volume, region_names
from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.export.record import USED, Fact, ModelCard, Record, Source
from PETSynthLib.generate import Generated
from PETSynthLib.preprocess import NativeToTemplate, Prepared
from PETSynthLib.preprocess.warp import only_affine
from PETSynthLib.quantify import NativeRegions, RegionTable, atlas_regions, quantify
from PETSynthLib.quantify.native_regions import LAID
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, Affine, Grid, PetVolume, Volume

GREEN = Finding("voxel_size", 1.0, "1.5 mm", Verdict.GREEN, "Voxels of 1 mm.")
AMBER = Finding("slices", 4.0, "3 mm", Verdict.AMBER, "Slices of 4 mm <thick>.")


def pet_on(grid: Grid, data: np.ndarray, key: str = "fdg", quantity: str = "mean") -> PetVolume:
    """A PET with the registry's meaning."""
    return PetVolume(
        data,
        grid.affine,
        grid.name,
        tracer=key,
        reference_region=tracer(key).reference_region,
        quantity=quantity,
    )


def labels_named(*names: str, side: str) -> list[int]:
    """Label numbers of atlas regions on one side."""
    return [n for n, (name, s) in region_names().items() if name in names and s == side]


def lopsided() -> np.ndarray:
    """1 everywhere, left frontal 1.3, right temporal 0.7 (array on `CANONICAL`)."""
    territories = atlas_volume("territories").data
    frontal = ("superiorfrontal", "rostralmiddlefrontal", "caudalmiddlefrontal", "frontalpole")
    temporal = ("superiortemporal", "middletemporal", "inferiortemporal", "temporalpole")
    data = np.ones(CANONICAL.shape, np.float32)
    data[np.isin(territories, labels_named(*frontal, side="L"))] = 1.3
    data[np.isin(territories, labels_named(*temporal, side="R"))] = 0.7
    return data


def rotation(axis: int, degrees: float) -> Affine:
    """4x4 rotation about x, y or z through the origin."""
    turn = np.eye(4)
    a, b = [n for n in range(3) if n != axis]
    angle = np.deg2rad(degrees)
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
    return turn


def prepared_on(grid: Grid, matrix: Affine) -> Prepared:
    """Preparation of a head that is the template seen through ``matrix`` (native to template)."""
    transform = NativeToTemplate(matrix)
    brain = transform.labels_to_native(atlas_volume("template_brain"), grid)
    return Prepared(
        t1=atlas_volume("template_t1"),
        brain=atlas_volume("template_brain"),
        flair=None,
        native_brain=brain,
        native_t1=transform.to_native(atlas_volume("template_t1"), grid),
        transform=transform,
        findings=[GREEN],
        steps=[{"name": "N4", "version": "1", "parameters": {"shrink": 4}, "seconds": 1.25}],
        sources={"t1_sha256": "c" * 64, "flair_sha256": None, "mask_sha256": None},
        t1_to_flair=None,
    )


def laid_on(prepared: Prepared) -> NativeRegions:
    """The atlas on a prepared head, by the affine alone."""
    return atlas_regions(only_affine(prepared.transform), prepared.native_brain)


def generated(data: np.ndarray, key: str = "fdg", samples: int = 0) -> Generated:
    """A generator's answer on `CANONICAL` with a standard deviation of a tenth."""
    return Generated(
        mean=pet_on(CANONICAL, data, key),
        sd=pet_on(CANONICAL, 0.1 * data, key, "sd"),
        samples=tuple(pet_on(CANONICAL, data, key, "sample") for _ in range(samples)),
    )


def table_of(pet: PetVolume, sd: PetVolume, factors: dict[str, float] | None = None) -> RegionTable:
    """Regional values of a PET on the template."""
    brain = Volume(atlas_volume("template_brain").data, pet.affine)
    labels = atlas_regions(only_affine(NativeToTemplate(np.eye(4))), brain).labels
    return quantify(pet, sd, labels, factors or {})


def record(key: str = "fdg", **changes: object) -> Record:
    """A record of a model trained on simulation."""
    made = Record(
        tracer=tracer(key),
        model=ModelCard("tiny", "1.0", "A tiny model", "CC0", "simulation", "a" * 64, "b" * 64),
        sources=(Source("T1", "head <1>.nii.gz", "c" * 64),),
        request_sha256="d" * 64,
        facts=(Fact("age", "age", "72 years", USED),),
        preset="fast",
        steps=2,
        seeds=(7, 8),
        preprocessing=[
            {
                "name": "N4",
                "version": "1",
                "parameters": {"a": 1},
                "seconds": 1.0,
                "outcome": {"gates": {"dice": 0.9}},
            }
        ],
        generation={"device": "cpu"},
        reference_factor=0.5,
        findings=[GREEN, AMBER],
        distances={},
        regions_source=LAID,
    )
    return replace(made, **changes)
