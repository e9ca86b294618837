"""From a PET on its T1 to everything that a table, a report and a record may say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..checks import Finding
from ..export.quantification import Quantification, region_key, row_of
from ..normative.pattern import similarity
from ..normative.score import flags_header
from ..preprocess import Prepared
from ..preprocess.pet_alignment import PetAlignment
from ..preprocess.warp import Warp
from ..progress import Progress
from ..quantify import NativeRegions, RegionTable, atlas_regions
from ..quantify.fill_state import THRESHOLD
from ..quantify.native_suvr import NativeReference
from ..quantify.parcellation import parcellation_regions
from ..restore.restore import soft_brain
from ..volume import PetVolume, Volume
from . import quantify_measure as numbers
from .quantify_read import Given


@dataclass(frozen=True, eq=False)
class Placed:
    """A PET on its T1, and the way of both to the template.

    Attributes
    ----------
    prepared
        The T1.
    alignment
        Of the PET to the T1.
    here
        The PET on the T1's canonical grid, in the unit it was read in.
    warp
        T1 to template.
    labels
        The user's parcellation on the T1 (`labels_on`), or None.
    """

    prepared: Prepared
    alignment: PetAlignment
    here: Volume
    warp: Warp
    labels: Volume | None


@dataclass(frozen=True, eq=False)
class Measured:
    """The numbers of a PET.

    Attributes
    ----------
    pet
        SUVR on the T1's canonical grid.
    regions, reference
        Where it was measured, and what it was divided by.
    table
        Regions in the scan's own space.
    template
        Region key -> the same on the template, as normals are measured.
    beside
        The person beside the normals, or None.
    gtm, gtm_facts
        Region key -> mean corrected for partial volume, and how; empty and None where not asked
        for.
    findings
        Checks of all these.
    """

    pet: PetVolume
    regions: NativeRegions
    reference: NativeReference
    table: RegionTable
    template: dict[str, float]
    beside: numbers.BesideNormals | None
    gtm: dict[str, float]
    gtm_facts: dict[str, float] | None
    findings: list[Finding]


def regions_of(placed: Placed) -> NativeRegions:
    """Regions of the T1: the user's parcellation when there is one, else the atlas."""
    regions = atlas_regions(placed.warp, placed.prepared.native_brain)
    return regions if placed.labels is None else parcellation_regions(placed.labels, regions)


def measured(
    given: Given,
    placed: Placed,
    regions: NativeRegions,
    reference: NativeReference,
    gtm_fwhm_mm: float | None,
    progress: Progress,
) -> Measured:
    """Every number of a PET; parameters as the attributes of `Measured`."""
    brain, affine = placed.prepared.native_brain, placed.prepared.transform
    source, t1_to_pet = given.pet.volume, placed.alignment.t1_to_pet
    pet = _suvr(given, placed.here, reference)
    table = numbers.native_table(pet, regions)
    findings = list(table.findings)
    progress.step(1, 4)
    if given.parcellation is None:
        findings.append(
            numbers.template_check(source, t1_to_pet, placed.warp, table, pet.synthetic)
        )
    elif pet.synthetic:
        findings.append(numbers.interval_finding())
    progress.step(2, 4)
    on_template = numbers.on_template(source, t1_to_pet, affine, pet)
    beside = None
    if given.grounds.database is None or given.person is None:
        template = numbers.means_on_template(on_template)
    else:
        beside, template = numbers.beside_normals(
            given.grounds.database, given.person, on_template, affine, brain
        )
        findings.extend(beside.findings)
    progress.step(3, 4)
    gtm: dict[str, float] = {}
    facts: dict[str, float] | None = None
    if gtm_fwhm_mm is not None:
        gtm, facts = numbers.corrected(pet, regions, brain, gtm_fwhm_mm)
    return Measured(pet, regions, reference, table, template, beside, gtm, facts, findings)


def _suvr(given: Given, here: Volume, reference: NativeReference) -> PetVolume:
    """The PET as SUVR; a synthetic one is that already."""
    tracer, synthetic = given.meaning.tracer, given.release.synthetic
    return PetVolume(
        here.data if synthetic else here.data / reference.reference.mean,
        here.affine,
        here.space,
        tracer=tracer.key,
        unit=tracer.unit,
        reference_region=given.reference,
        synthetic=synthetic,
    )


def quantification_of(
    given: Given,
    placed: Placed,
    found: Measured,
    checks: list[Finding],
    steps: list[dict[str, Any]],
) -> Quantification:
    """Everything that may be shown, for the writers.

    Parameters
    ----------
    checks, steps
        Beyond those of preparing the T1.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the table beside a synthetic PET is missing or damaged, or too few
        regions of the user's pattern have a z.
    """
    tracer, release = given.meaning.tracer, given.release
    prepared, beside, table = placed.prepared, found.beside, found.table
    rows, headline = numbers.unique_rows(table)
    shown = numbers.shown(table, rows)
    if release.synthetic:
        shown = numbers.shown_of_synthetic(shown, given.meaning.table, found.regions.source)
    scales = () if release.synthetic else numbers.scale_lines(tracer, table, found.regions.source)
    database = given.grounds.database
    hidden = {region_key(row.region, row.side) for row in shown if row.value is None}
    scores = {} if beside is None else beside.by_key()
    scores = {key: one for key, one in scores.items() if key not in hidden}
    fill = {} if beside is None else beside.fill
    z = {key: one.z for key, one in scores.items() if one.z is not None}
    return Quantification(
        tracer=tracer,
        release=release,
        withheld=given.withheld,
        simulated=given.grounds.simulated,
        pet=found.pet.with_data(found.pet.data * soft_brain(prepared.native_brain).data)
        if not release.synthetic
        else found.pet,
        native_t1=prepared.native_t1,
        transform=prepared.transform,
        rows=tuple(
            row_of(row, template=found.template, scores=scores, fill=fill, gtm=found.gtm)
            for row in shown
        ),
        headline=headline,
        slice_mm=table.slice_mm,
        alignment=placed.alignment,
        reference=found.reference,
        regions_source=found.regions.source,
        scales=scales,
        database=None if database is None else database.meta,
        flags=""
        if beside is None or database is None
        else flags_header(database.meta, scores.values()),
        direction="" if beside is None else beside.scores.direction,
        expected=None if beside is None else beside.expected,
        fill_threshold=THRESHOLD,
        gtm=found.gtm_facts,
        model=given.meaning.model or None,
        findings=(*prepared.findings, *checks),
        sources=given.sources,
        steps=(*prepared.steps, *steps),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        pattern=None if given.pattern is None else similarity(given.pattern, z),
        beyond=None if beside is None or release.triptych else beside.beyond,
    )
