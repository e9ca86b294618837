"""Small finished results, written by the library's own writers: folders to export from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from export_case import record
from normative_case import database
from quantify_case import HERE, brain, native_grid, regions, uptake
from report_case import content, png

from PETSynthLib.export import marks
from PETSynthLib.export.figure_parts import low_and_high
from PETSynthLib.export.nifti import write_labels, write_packed, write_pet
from PETSynthLib.export.policy import Grounds, judged, release
from PETSynthLib.export.quantification import Quantification, QuantifiedRow
from PETSynthLib.export.quantification_files import write_quantification
from PETSynthLib.export.record import Source
from PETSynthLib.export.report import report_html
from PETSynthLib.export.report_content import ReportContent
from PETSynthLib.export.shown import shown_rows
from PETSynthLib.export.sidecar import write_sidecar
from PETSynthLib.export.tables import write_regions
from PETSynthLib.normative.score import RegionScore
from PETSynthLib.pipeline import Outcome
from PETSynthLib.preprocess.pet_alignment import PetAlignment
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.progress import QUANTIFY_STAGES, STAGES, Progress
from PETSynthLib.quantify import RegionTable, quantify
from PETSynthLib.quantify.native_suvr import measure_native_reference
from PETSynthLib.read import read_scan
from PETSynthLib.request import QuantifyRequest, SynthesisRequest
from PETSynthLib.run import quantify_job
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.job import run_synthesis
from PETSynthLib.run.whole import Work, run_work, strict_json
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, Grid, PetVolume, Volume

MM = 8.0
GRID = native_grid(MM)
_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
_FLIP[:2, 3] = GRID.shape[0] - 1, GRID.shape[1] - 1
STORED = Grid(GRID.shape, GRID.affine @ _FLIP)
"""The T1's file runs to the left, posterior, superior."""
MODEL = {
    "name": "tiny",
    "version": "1.0",
    "title": "A tiny model",
    "licence": "CC0",
    "trained_on": "real pairs",
    "bundle_sha256": "a" * 64,
    "weights_sha256": "b" * 64,
}


def t1_file(path: Path) -> Path:
    """A T1 on the stored grid."""
    from nibabel import nifti1

    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.arange(np.prod(STORED.shape), dtype=np.int16).reshape(STORED.shape)
    image = nifti1.Nifti1Image(data, STORED.affine)
    image.set_sform(STORED.affine, 1)
    image.set_qform(STORED.affine, 1)
    write_packed(path, image)
    return path


@cache
def suvr() -> np.ndarray:
    """FDG-like uptake on the canonical grid, left and right unlike: the left is 1.1 times it."""
    volume = Volume(uptake(), CANONICAL.affine)
    here = resample(volume, np.eye(4), GRID, order=0)
    return np.where(regions(MM).left, 1.1, 1.0).astype(np.float32) * here


def pet(key: str, part: str, factor: float, synthetic: bool = True) -> PetVolume:
    """``factor`` times the uptake."""
    return PetVolume(
        (factor * suvr()).astype(np.float32),
        GRID.affine,
        tracer=key,
        reference_region=tracer(key).reference_region,
        synthetic=synthetic,
        quantity=part,
    )


def synthesis(
    folder: Path,
    t1: Path,
    key: str = "fdg",
    evidence: str = "real pairs",
    samples: int = 1,
) -> Path:
    """A finished synthesis in ``folder``, run as any other, by a walk that draws nothing."""

    def walk(
        request: SynthesisRequest, there: Path, progress: Progress, space: Path | None
    ) -> Outcome:
        for stage, _ in STAGES:
            progress.stage(stage)
        return _write_synthesis(there, t1, key, evidence, samples)

    run_synthesis(
        SynthesisRequest(t1=str(t1), output=str(folder), tracer=key),
        lambda event: None,
        Cancellation(),
        walk,
    )
    return folder


def _write_synthesis(folder: Path, t1: Path, key: str, evidence: str, samples: int) -> Outcome:
    digest = hashlib.sha256(t1.read_bytes()).hexdigest()
    made = record(key)
    made = replace(
        made,
        model=replace(made.model, trained_on=evidence),
        sources=(Source("T1", t1.name, digest),),
    )
    mean, sd = pet(key, "mean", 1.0), pet(key, "sd", 0.1)
    volumes = {"suvr": mean, "sd": sd}
    if made.release.triptych:
        volumes["low10"], volumes["high90"] = low_and_high(mean, sd)
    volumes["expected"] = pet(key, "expected", 0.9)
    for number in range(1, samples + 1):
        volumes[f"sample-{number:02d}"] = pet(key, "sample", 1.0 + 0.01 * number)
    table = quantify(mean, sd, regions(MM).labels, {})
    names = []

    def name(part: str, suffix: str) -> Path:
        names.append(marks.file_name(key, part, suffix))
        return folder / names[-1]

    for part, volume in volumes.items():
        write_pet(name(part, ".nii.gz"), volume, STORED)
    _write_space(folder, tracer(key).reference_region)
    write_regions(name("regions", ".tsv"), table, made)
    for part in ("", "ssp"):
        name(part, ".png").write_bytes(png())
    outputs = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}
    write_sidecar(folder / marks.file_name(key, "", ".json"), made, table, outputs)
    page = content(made.release, tracer=made.tracer, title=marks.title(made.tracer))
    (folder / "report.html").write_text(report_html(page), encoding="utf-8")
    return Outcome(made, table)


def _write_space(folder: Path, reference: str) -> None:
    space = folder / "space"
    space.mkdir()
    found = regions(MM)
    write_labels(space / "regions.nii.gz", found.labels, STORED)
    write_labels(space / "reference.nii.gz", found.references[reference], STORED)
    write_labels(space / "brain_mask.nii.gz", brain(MM), STORED)
    HERE.write(space / "native_to_template.tfm")


def measurement(
    folder: Path,
    t1: Path,
    key: str = "fdg",
    evidence: str = "acquired",
    *,
    z: bool = False,
    write_report: Callable[..., object] | None = None,
) -> Path:
    """A finished measurement in ``folder``; with ``z`` three voxels lie beyond the normals.

    ``write_report`` takes the place of a small report that says little.
    """

    def walk(there: Path, progress: Progress, space: Path | None) -> Quantification:
        for stage, _ in QUANTIFY_STAGES:
            progress.stage(stage)
        return _write_measurement(there, t1, key, evidence, z, progress, write_report)

    request = QuantifyRequest(pet="pet.nii.gz", t1=str(t1), output=str(folder))
    work = Work(
        request.as_dict(),
        folder,
        "test",
        QUANTIFY_STAGES,
        dict.fromkeys((stage for stage, _ in QUANTIFY_STAGES), 0.1),
        walk,
        quantify_job._described,
    )
    run_work(work, lambda event: None, Cancellation())
    return folder


def _write_measurement(
    folder: Path,
    t1: Path,
    key: str,
    evidence: str,
    z: bool,
    progress: Progress,
    write_report: Callable[..., object] | None,
) -> Quantification:
    entry, scan = tracer(key), read_scan(t1)
    synthetic = evidence != "acquired"
    volume = pet(key, "mean", 1.0, synthetic)
    where = Grounds(
        key,
        entry.reference_region,
        MODEL["bundle_sha256"] if synthetic else "",
        simulated=synthetic,
        database=database(20, key, MODEL["bundle_sha256"] if synthetic else "") if z else None,
    )
    policy, reasons = judged(release(evidence, entry.exploratory), where)
    found = regions(MM)
    table = quantify(volume, None, found.labels, {})
    reference, findings = measure_native_reference(volume, found, entry.reference_region)
    _write_space(folder, entry.reference_region)
    made = Quantification(
        tracer=entry,
        release=policy,
        withheld=reasons,
        simulated=where.simulated,
        pet=volume,
        native_t1=scan.volume,
        transform=HERE,
        rows=tuple(_rows(table, z)),
        headline=len(table.headline),
        slice_mm=table.slice_mm,
        alignment=PetAlignment(np.eye(4), False, 0.4, 0.95, "The PET lies within 0.4 mm."),
        reference=reference,
        regions_source=found.source,
        scales=(),
        database=where.database.meta if where.database else None,
        flags="1 region is flagged." if z else "",
        direction="decrease" if z else "",
        expected=None,
        fill_threshold=2.0,
        gtm=None,
        model=MODEL if synthetic else None,
        findings=tuple(findings),
        sources=(Source("PET", "pet.nii.gz", "1" * 64), Source("T1", t1.name, scan.sha256)),
        steps=(),
        beyond=_beyond() if z else None,
    )
    page = content(policy, banner=(policy.banner or marks.ACQUIRED,), tracer=entry)
    if not z:
        page = replace(page, added=None)
    report = (
        partial(_report, page)
        if write_report is None
        else partial(write_report, quantification=made)
    )
    write_quantification(folder, made, scan, found, report, progress, strict_json)
    return made


def _report(page: ReportContent, path: Path, copy: str) -> None:
    path.write_text(report_html(page), encoding="utf-8")


def _rows(table: RegionTable, z: bool) -> list[QuantifiedRow]:
    rows, seen = [], set()
    for row in shown_rows((*table.headline, *table.regions), table.slice_mm, {}):
        if (row.region, row.side) in seen:
            continue
        seen.add((row.region, row.side))
        mine = z and (row.region, row.side) == ("precuneus", "L") and row.value is not None
        score = RegionScore("precuneus.L", 1.2, 1.5, -20.0, 2.5, 0.6, True, (1.3, 1.7))
        rows.append(QuantifiedRow(row, score=score if mine else None))
    return rows


def _beyond() -> Volume:
    data = np.zeros(GRID.shape, np.float32)
    data[5:8, 10, 11] = 1.0
    return Volume(data, GRID.affine)
