"""The whole walk from a PET and its MRI to regional numbers. Acquired and synthetic PET alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ErrorCode, PETSynthError
from ..export.policy import Grounds, judged
from ..export.quantification import Quantification, row_of
from ..export.quantification_files import write_quantification
from ..export.record import Source
from ..export.report_quantification import write_quantification_report
from ..normative.database import Database, read_database
from ..normative.regression import Person, known_person
from ..preprocess import Prepared, prepare, write_space
from ..preprocess.pet_alignment import drawn_on_this_t1, pet_coverage, place_pet
from ..preprocess.space import read_space
from ..preprocess.steps import Steps
from ..preprocess.transform import NativeToTemplate, resample
from ..preprocess.warp import fit_warp, read_warp, warp_finding, write_warp
from ..progress import CheckList, Progress
from ..quantify.fill_state import THRESHOLD
from ..quantify.native_regions import atlas_regions
from ..quantify.native_suvr import measure_native_reference
from ..quantify.parcellation import parcellation_regions
from ..read import Scan, read_scan
from ..request import QuantifyRequest
from ..volume import CANONICAL, PetVolume
from . import quantify_measure as numbers
from .pet_file import Meaning, meaning_of, pet_of_folder, sample_sha256, says_simulated, sidecar_of


@dataclass(frozen=True, eq=False)
class _Given:
    """What was read."""

    file: Path
    pet: Scan
    t1: Scan
    mask: Scan | None
    parcellation: Scan | None
    meaning: Meaning
    reference: str
    grounds: Grounds
    person: Person | None
    sources: tuple[Source, ...]


def measure_pet(
    request: QuantifyRequest,
    folder: Path,
    progress: Progress,
    previous_space: Path | None = None,
    *,
    to_json: Callable[[Any], str] = json.dumps,
    prepare: Callable[..., Prepared] = prepare,
) -> Quantification:
    """Measure a PET.

    Parameters
    ----------
    request
        Everything that decides the result.
    folder
        Existing folder for the results.
    progress
        Is told where the walk is, and stops it.
    previous_space
        ``space/`` of an earlier result in the output folder.
    to_json
        Strict JSON text.
    prepare
        The step that takes longest, exchangeable.

    Raises
    ------
    PETSynthError
        One sentence on what is wrong, one on what to do.
    Cancelled
        When ``progress`` said so.
    """
    progress.stage("read")
    given = _read(request)
    # Said before a minute of work, not after it.
    release, withheld = judged(given.meaning.release, given.grounds)
    checks = CheckList(progress, request.overridden_checks)
    checks.add(given.pet.findings, ErrorCode.BAD_GEOMETRY, "Use a PET with thinner slices.")

    progress.stage("preprocess")
    spaces = _spaces(request, given, previous_space)
    prepared = prepare(
        given.t1,
        flair=None,
        mask=given.mask,
        space=next(iter(spaces), None),
        grid=CANONICAL,
        device=request.device,
        progress=progress,
        overridden=request.overridden_checks,
    )
    # A transform that was stored and read again has other last digits than a fresh one.
    transform = NativeToTemplate(np.round(prepared.transform.matrix, 9))
    prepared = replace(prepared, transform=transform)
    write_space(prepared, given.t1, folder / "space")
    t1, brain = prepared.native_t1, prepared.native_brain

    progress.stage("align")
    steps = Steps()
    label = given.meaning.tracer.label
    if given.meaning.release.synthetic:
        alignment, found = drawn_on_this_t1()
    else:
        alignment, found = place_pet(
            t1,
            brain,
            given.pet.volume,
            label,
            transform,
            register=request.register,
            progress=progress,
            steps=steps,
        )
    checks.add(found, ErrorCode.ALIGNMENT, "Check that PET and T1 are of the same person.")
    here = t1.with_data(resample(given.pet.volume, alignment.t1_to_pet, t1.grid, antialias=True))
    whole = "Use a PET that shows the whole brain, cerebellum included."
    checks.add([pet_coverage(here, brain)], ErrorCode.BAD_DATA, whole)

    progress.stage("warp")
    stored = next(filter(None, (read_warp(s, transform, prepared.sources) for s in spaces)), None)
    if stored is None:
        warp, gates, finding = fit_warp(prepared, progress, steps)
    else:
        (warp, gates), finding = stored, warp_finding(stored[1])
    checks.add([finding], ErrorCode.ALIGNMENT, "Give a brain mask.")
    write_warp(warp, prepared.sources, gates, folder / "space")

    progress.stage("quantify")
    regions = atlas_regions(warp, brain)
    if given.parcellation is not None:
        regions, found = parcellation_regions(given.parcellation.volume, brain, regions)
        checks.add(found, ErrorCode.BAD_DATA, "Use the parcellation of this T1.")
    reference, found = measure_native_reference(here, regions, given.reference)
    checks.add(found, ErrorCode.BAD_DATA, whole)
    synthetic = release.synthetic
    pet = PetVolume(
        here.data if synthetic else here.data / reference.reference.mean,
        here.affine,
        here.space,
        tracer=given.meaning.tracer.key,
        unit=given.meaning.tracer.unit,
        reference_region=given.reference,
        synthetic=synthetic,
    )
    table = numbers.native_table(pet, regions)
    progress.step(1, 4)
    if given.parcellation is None:
        check = numbers.template_check(
            given.pet.volume, alignment.t1_to_pet, warp, table, synthetic
        )
        table.findings.append(check)
    progress.step(2, 4)
    template = numbers.on_template(given.pet.volume, alignment.t1_to_pet, transform, pet)
    beside = None
    if given.grounds.database is None or given.person is None:
        values = numbers.means_on_template(template)
    else:
        beside, values = numbers.beside_normals(
            given.grounds.database, given.person, template, transform, brain
        )
        table.findings.extend(beside.findings)
    progress.step(3, 4)
    fixed: dict[str, float] = {}
    facts: dict[str, float] | None = None
    if request.gtm_fwhm_mm is not None:
        fixed, facts = numbers.corrected(pet, regions, brain, request.gtm_fwhm_mm)
    checks.add(table.findings, ErrorCode.BAD_DATA, whole)
    rows, headline = numbers.unique_rows(table)
    shown = numbers.shown(table, rows)
    if synthetic:
        named = given.file.name.replace("_suvr.nii.gz", "_regions.tsv")
        shown = numbers.shown_of_synthetic(shown, given.file.with_name(named))
    scores = {} if beside is None else beside.by_key()
    fill = {} if beside is None else beside.fill

    quantification = Quantification(
        tracer=given.meaning.tracer,
        release=release,
        withheld=withheld,
        simulated=given.grounds.simulated,
        pet=pet,
        native_t1=t1,
        transform=transform,
        rows=tuple(
            row_of(row, template=values, scores=scores, fill=fill, gtm=fixed) for row in shown
        ),
        headline=headline,
        slice_mm=table.slice_mm,
        alignment=alignment,
        reference=reference,
        regions_source=regions.source,
        scales=()
        if synthetic
        else numbers.scale_lines(given.meaning.tracer, table, regions.source),
        database=None if given.grounds.database is None else given.grounds.database.meta,
        flags="" if beside is None else beside.scores.header,
        direction="" if beside is None else beside.scores.direction,
        expected=None if beside is None else beside.expected,
        fill_threshold=THRESHOLD,
        gtm=facts,
        model=(sidecar_of(given.file) or {}).get("Model") if synthetic else None,
        findings=(*prepared.findings, *checks),
        sources=given.sources,
        steps=(*prepared.steps, *steps.records),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    progress.stage("export")
    report = partial(write_quantification_report, quantification=quantification)
    if beside is not None and beside.surface and "z-score" not in release.withheld:
        report = partial(report, normals=beside.surface, on_template=beside.smooth)
    write_quantification(folder, quantification, given.t1, regions, report, progress, to_json)
    return quantification


def _read(request: QuantifyRequest) -> _Given:
    """Read every image, and find out what the PET is."""
    path = Path(request.pet)
    file = pet_of_folder(path) if path.is_dir() else path
    pet, t1 = read_scan(file, "PET"), read_scan(Path(request.t1), "T1")
    mask = read_scan(Path(request.mask), "mask") if request.mask else None
    parcellation = None
    if request.parcellation:
        parcellation = read_scan(Path(request.parcellation), "parcellation")
    meaning = meaning_of(file, pet, request.tracer)
    reference = request.reference or meaning.tracer.reference_region
    if meaning.release.synthetic:
        _refuse_for_synthetic(request, meaning, t1, reference)
    simulated = meaning.simulated or (
        meaning.release.synthetic
        and (t1.sha256 == sample_sha256() or says_simulated(Path(request.t1)))
    )
    database: Database | None = None
    person = None
    if request.database:
        database = read_database(Path(request.database))
        person = known_person(request.clinical.age, request.clinical.sex)
    images = (("PET", file, pet), ("T1", request.t1, t1), ("mask", request.mask, mask))
    rest = ("parcellation", request.parcellation, parcellation)
    return _Given(
        file,
        pet,
        t1,
        mask,
        parcellation,
        meaning,
        reference,
        Grounds(meaning.tracer.key, reference, meaning.bundle_sha256, simulated, database),
        person,
        tuple(Source(r, Path(p).name, s.sha256) for r, p, s in (*images, rest) if p and s),
    )


def _refuse_for_synthetic(
    request: QuantifyRequest, meaning: Meaning, t1: Scan, reference: str
) -> None:
    if meaning.source_t1_sha256 != t1.sha256:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "This synthetic PET was made from another MRI than the T1 given.",
            "Give the T1 it was made from.",
        )
    if reference != meaning.tracer.reference_region:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A synthetic PET keeps the reference region of its synthesis "
            f"({meaning.tracer.reference_region}): its uncertainty is known for no other.",
            "Leave --reference out.",
        )
    if request.gtm_fwhm_mm is not None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "Partial-volume correction is for acquired PET: a synthetic one was blurred by no "
            "scanner.",
            "Leave --gtm out.",
        )


def _spaces(request: QuantifyRequest, given: _Given, previous: Path | None) -> list[Path]:
    """Folders ``space/`` that belong to this T1 (and mask), best first."""
    sources = {
        "t1_sha256": given.t1.sha256,
        "flair_sha256": None,
        "mask_sha256": None if given.mask is None else given.mask.sha256,
    }
    wanted = None if request.space is None else Path(request.space)
    if wanted is not None and read_space(wanted, given.t1, sources) is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The folder {wanted} holds no brain mask and transform of this T1.",
            "Name the space folder of an earlier result on the same T1 (and mask), or leave it "
            "out.",
        )
    candidates = (wanted, previous, given.file.parent / "space")
    return [
        folder
        for folder in candidates
        if folder is not None and read_space(folder, given.t1, sources) is not None
    ]
