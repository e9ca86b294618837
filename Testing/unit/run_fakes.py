"""A walk that takes no time and needs no model, for tests of what runs around it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.export.record import ModelCard, Record
from PETSynthLib.pipeline import Outcome
from PETSynthLib.progress import STAGES, Progress
from PETSynthLib.quantify import RegionTable
from PETSynthLib.quantify.native_regions import LAID
from PETSynthLib.request import SynthesisRequest
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, PetVolume

AMBER = Finding("thick_slices", 4.0, "3 mm", Verdict.AMBER, "The slices are 4 mm thick.")
FILES = ["fdg_synth_suvr.nii.gz", "report.html", "request.json", "space/space.json"]


def outcome() -> Outcome:
    """An outcome with nothing measured."""
    card = ModelCard("fake", "1", "Fake", "Apache-2.0", "simulation", "0" * 64, None)
    record = Record(
        tracer=tracer("fdg"),
        model=card,
        sources=(),
        request_sha256="0" * 64,
        facts=(),
        preset="balanced",
        steps=1,
        seeds=(),
        preprocessing=[],
        generation={},
        reference_factor=1.0,
        findings=[],
        distances={},
        regions_source=LAID,
    )
    return Outcome(record, RegionTable("fdg", "pons", 1.0, (), (), []))


def preview() -> PetVolume:
    """An empty PET on the template grid."""
    return PetVolume(
        np.zeros(CANONICAL.shape, np.float32),
        CANONICAL.affine,
        CANONICAL.name,
        tracer="fdg",
        reference_region="pons",
    )


def walk(
    request: SynthesisRequest, folder: Path, progress: Progress, previous_space: Path | None
) -> Outcome:
    """Pass every stage, write four small files."""
    for key, _ in STAGES:
        progress.stage(key)
        progress.step(1, 2)
    progress.finding(AMBER)
    (folder / "fdg_synth_suvr.nii.gz").write_bytes(gzip.compress(b"voxels", mtime=0))
    (folder / "report.html").write_text(f"report of {Path(request.t1).name}", encoding="utf-8")
    (folder / "space").mkdir()
    (folder / "space" / "space.json").write_text("{}", encoding="utf-8")
    return outcome()
