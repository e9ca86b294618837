"""The whole walk from an MRI to a synthetic PET in the scanner's own space. Read this first.

Every line below is one folder's work; each folder knows only those above it in this list:
read, preprocess, generate, restore, quantify, export. One affine lays the picture on the scan; for
the table, preprocess also bends the atlas onto it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from .clinical import ClinicalRecord
from .errors import ErrorCode
from .export import Expected, Record, Source, record_of, write_results
from .export.policy import require_suvr
from .generate import Effort, Generated, GeneratorInput, LoadedGenerator, load_generator
from .preprocess import Prepared, atlas_on, in_brain, prepare, template_flair, write_space
from .preprocess.input_features import input_finding
from .preprocess.space import as_stored
from .preprocess.steps import Steps
from .preprocess.warp import Fit, Warp, atlas_warp, fit_warp
from .progress import CheckList, Progress
from .quantify import RegionTable, atlas_regions, quantify
from .quantify.plausibility import output_findings
from .read import Scan, read_scan
from .request import SynthesisRequest
from .restore import restore
from .tracers import tracer


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a finished walk knows; its pictures and tables are already in the folder."""

    record: Record
    table: RegionTable


def synthesize(
    request: SynthesisRequest,
    folder: Path,
    progress: Progress,
    previous_space: Path | None = None,
    *,
    prepare: Callable[..., Prepared] = prepare,
    load_generator: Callable[[str, str], LoadedGenerator] = load_generator,
    fit_warp: Fit = fit_warp,
) -> Outcome:
    """Make a synthetic PET.

    Parameters
    ----------
    request
        Everything that decides the result.
    folder
        Existing folder for the results.
    progress
        Is told where the walk is, and stops it.
    previous_space
        ``space/`` of an earlier result; reused when it belongs to the same images.
    prepare, load_generator, fit_warp
        The steps that take long, exchangeable.

    Raises
    ------
    PETSynthError
        One sentence on what is wrong, one on what to do.
    Cancelled
        When ``progress`` said so.
    """
    progress.stage("read")
    wanted = tracer(request.tracer)
    t1 = read_scan(Path(request.t1), "T1")
    flair = read_scan(Path(request.flair), "FLAIR") if request.flair else None
    mask = read_scan(Path(request.mask), "mask") if request.mask else None
    loaded = load_generator(request.model, request.device)
    loaded.bundle.require_tracer(wanted.key)
    require_suvr(loaded.bundle.suvr_known, loaded.bundle.name)
    loaded.bundle.require_images(flair=flair is not None)

    progress.stage("preprocess")
    prepared = prepare(
        t1,
        flair=flair,
        mask=mask,
        space=previous_space,
        grid=loaded.bundle.grid,
        device=request.device,
        progress=progress,
        overridden=request.overridden_checks,
    )
    prepared = as_stored(prepared)
    write_space(prepared, t1, folder / "space")
    checks = CheckList(progress, request.overridden_checks)
    usual, simulated = loaded.bundle.config, loaded.bundle.trained_on == "simulation"
    checks.add(
        [input_finding(prepared.t1, prepared.brain, usual.get("input_statistics"), simulated)],
        ErrorCode.BAD_IMAGE,
        "Use a model that was trained on MRI like this one.",
    )
    prepared = replace(prepared, findings=[*prepared.findings, *checks])

    progress.stage("generate")
    inputs = GeneratorInput(
        t1=prepared.t1,
        brain=prepared.brain,
        flair=prepared.flair,
        tracer=wanted,
        clinical=request.clinical_for_picture,
        pet_scanner=request.pet_scanner,
    )
    effort = loaded.bundle.effort(request)
    generated = loaded.generator.generate(inputs, effort, progress)
    image_only = _without_cognition(loaded, inputs, effort, progress)
    average = _average_person(loaded, inputs, effort, progress)

    progress.stage("restore")
    restored = restore(generated, prepared)
    ranges = usual.get("output_ranges", {}).get(wanted.key, {})
    found = output_findings(generated, prepared.brain, ranges)
    restored = replace(restored, findings=[*restored.findings, *found])
    restored_image_only = restore(image_only, prepared) if image_only else None
    beside_it = restore(average, prepared)
    expected = Expected(
        replace(beside_it.mean, quantity="expected"),
        _on_template(average, beside_it.reference_factor),
    )

    progress.stage("warp")
    spaces = [previous_space] if previous_space else []
    warp, prepared = _atlas_warp(request, prepared, spaces, folder / "space", progress, fit_warp)

    progress.stage("quantify")
    regions = atlas_regions(warp, prepared.native_brain)
    factors = generated.regional_sd_factor
    measure = partial(quantify, labels=regions.labels, regional_sd_factor=factors)
    table = measure(restored.mean, restored.sd)
    beside = measure(restored_image_only.mean, None) if restored_image_only else None
    for finding in (*restored.findings, *table.findings):
        progress.finding(finding)

    progress.stage("export")
    sources = _sources(request, t1, flair, mask)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = record_of(
        request,
        sources,
        loaded.bundle,
        effort,
        prepared,
        generated,
        restored,
        regions.source,
        created=now,
    )
    write_results(
        folder, t1, prepared, restored, table, record, progress, regions, expected, beside
    )
    return Outcome(record, table)


def _sources(
    request: SynthesisRequest, t1: Scan, flair: Scan | None, mask: Scan | None
) -> tuple[Source, ...]:
    given = (("T1", request.t1, t1), ("FLAIR", request.flair, flair), ("mask", request.mask, mask))
    return tuple(Source(role, Path(p).name, scan.sha256) for role, p, scan in given if p and scan)


def _atlas_warp(
    request: SynthesisRequest,
    prepared: Prepared,
    spaces: list[Path],
    folder: Path,
    progress: Progress,
    fit: Fit,
) -> tuple[Warp, Prepared]:
    """The atlas's way onto this brain, and ``prepared`` with what was done and found for it."""
    steps = Steps()
    warp, told = atlas_warp(request.regions, prepared, spaces, folder, progress, steps, fit)
    for finding in told:
        progress.finding(finding)
    found, done = [*prepared.findings, *told], [*prepared.steps, *steps.records]
    return warp, replace(prepared, findings=found, steps=done)


def _average_person(
    loaded: LoadedGenerator, inputs: GeneratorInput, effort: Effort, progress: Progress
) -> Generated:
    """What the model draws for the template's brain at the same age and sex, with equal steps.

    The difference to it is all that this MRI (and these scores) have added.
    """
    grid = inputs.t1.grid
    brain = atlas_on("template_brain", grid)
    average = replace(
        inputs,
        t1=in_brain(atlas_on("template_t1", grid), brain),
        brain=brain,
        flair=in_brain(template_flair(grid), brain) if "flair" in loaded.bundle.needs else None,
        clinical=ClinicalRecord(age=inputs.clinical.age, sex=inputs.clinical.sex),
    )
    return loaded.generator.generate(average, replace(effort, samples=0), progress)


def _on_template(average: Generated, factor: float) -> RegionTable:
    """Its SUVR in the template's own regions: no transform stands between picture and atlas."""
    mean = average.mean.with_data(average.mean.data * np.float32(factor))
    return quantify(mean, None, atlas_on("regions", mean.grid), {})


def _without_cognition(
    loaded: LoadedGenerator, inputs: GeneratorInput, effort: Effort, progress: Progress
) -> Generated | None:
    """What the MRI alone says, beside a picture that cognitive scores have shaped."""
    if not set(inputs.clinical.cognition()) & set(loaded.bundle.uses):
        return None
    image_only = replace(inputs, clinical=inputs.clinical.without_cognition())
    return loaded.generator.generate(image_only, replace(effort, samples=0), progress)
