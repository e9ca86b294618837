"""The whole walk from a PET and its MRI to regional numbers. Acquired and synthetic PET alike.

Read, preprocess, align, warp, quantify, export: what each does lies in the folder of its name;
`quantify_read` and `quantify_result` put its pieces together for a PET.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..checks import Finding
from ..errors import ErrorCode
from ..export.quantification import Quantification
from ..export.quantification_files import write_quantification
from ..export.report_quantification import write_quantification_report
from ..export.ssp import read_not_informative
from ..preprocess import Prepared, prepare, write_space
from ..preprocess.pet_alignment import PetAlignment, drawn_on_this_t1, pet_coverage, place_pet
from ..preprocess.space import as_stored
from ..preprocess.steps import Steps
from ..preprocess.transform import resample
from ..preprocess.warp import atlas_warp, fit_warp
from ..progress import CheckList, Progress
from ..quantify.native_suvr import measure_native_reference
from ..quantify.parcellation import labels_on
from ..request import QuantifyRequest
from ..volume import CANONICAL
from .pet_file import sd_in_template
from .quantify_measure import BesideNormals
from .quantify_read import Given, read_given, spaces_of
from .quantify_result import Placed, measured, quantification_of, regions_of

WHOLE = "Use a PET that shows the whole brain, cerebellum included."


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
    given = read_given(request)
    checks = CheckList(progress, request.overridden_checks)
    checks.add(given.pet.findings, ErrorCode.BAD_GEOMETRY, "Use a PET with thinner slices.")

    progress.stage("preprocess")
    spaces = spaces_of(request, given, previous_space)
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
    prepared = as_stored(prepared)
    write_space(prepared, given.t1, folder / "space")
    labels = None
    if given.parcellation is not None:
        # What does not fit is refused before the steps that take longest.
        labels, fits = labels_on(given.parcellation.volume, prepared.native_brain)
        checks.add([fits], ErrorCode.BAD_DATA, "Use the parcellation of this T1.")

    progress.stage("align")
    steps = Steps()
    alignment, found = _alignment(request, given, prepared, progress, steps)
    checks.add(found, ErrorCode.ALIGNMENT, "Check that PET and T1 are of the same person.")
    t1, pet = prepared.native_t1, given.pet.volume
    here = t1.with_data(resample(pet, alignment.t1_to_pet, t1.grid, antialias=True))
    checks.add([pet_coverage(here, prepared.native_brain)], ErrorCode.BAD_DATA, WHOLE)

    progress.stage("warp")
    warp, found = atlas_warp(
        request.regions, prepared, spaces, folder / "space", progress, steps, fit_warp
    )
    checks.add(found, ErrorCode.ALIGNMENT, "Give a brain mask.")
    placed = Placed(prepared, alignment, here, warp, labels)

    progress.stage("quantify")
    regions = regions_of(placed)
    reference, found = measure_native_reference(here, regions, given.reference)
    checks.add(found, ErrorCode.BAD_DATA, WHOLE)
    result = measured(given, placed, regions, reference, request.gtm_fwhm_mm, progress)
    checks.add(result.findings, ErrorCode.BAD_DATA, WHOLE)
    quantification = quantification_of(given, placed, result, checks, steps.records)

    progress.stage("export")
    report = _report(quantification, given, result.beside)
    write_quantification(folder, quantification, given.t1, regions, report, progress, to_json)
    return quantification


def _alignment(
    request: QuantifyRequest, given: Given, prepared: Prepared, progress: Progress, steps: Steps
) -> tuple[PetAlignment, list[Finding]]:
    """Where the PET lies; a synthetic one lies where it was drawn."""
    if given.release.synthetic:
        return drawn_on_this_t1()
    return place_pet(
        prepared.native_t1,
        prepared.native_brain,
        given.pet.volume,
        given.meaning.tracer.label,
        prepared.transform,
        register=request.register,
        progress=progress,
        steps=steps,
    )


def _report(
    made: Quantification, given: Given, beside: BesideNormals | None
) -> Callable[..., object]:
    """Writes the report; with pages of z where they may be shown."""
    report = partial(
        write_quantification_report,
        quantification=made,
        sd=sd_in_template(given.meaning, made.transform),
        unsure=read_not_informative(given.meaning.table),
    )
    if beside is None or not beside.surface or "z-score" in made.release.withheld:
        return report
    if made.release.triptych:
        return report
    return partial(report, normals=beside.surface, on_template=beside.smooth)
