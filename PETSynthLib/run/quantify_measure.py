"""The numbers of a measured PET: native means, what the normals are compared with, scales."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..assets import reference_mask
from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..export import marks
from ..export.quantification import ScaleLine
from ..export.shown import ShownRow, shown_rows
from ..normative.database import Database
from ..normative.regression import FEWEST, Person
from ..normative.score import (
    RegionScore,
    Scores,
    expected_volume,
    matched,
    normals,
    score,
    voxel_z,
)
from ..preprocess.transform import NativeToTemplate
from ..preprocess.warp import Warp
from ..project.zmaps import Normal
from ..quantify.fill_state import THRESHOLD, fill_states
from ..quantify.gtm import gtm, with_remainder
from ..quantify.native_regions import BENT, LAID, REFERENCE_ROWS, NativeRegions
from ..quantify.native_suvr import reference_rows, template_difference
from ..quantify.region_means import region_keys, regional_means
from ..quantify.regions import labels_of, template_regions
from ..quantify.scales import CAUTION, pipeline_of, scale_value
from ..quantify.suvr import RegionTable, RegionValue, quantify
from ..restore.reference import measure_reference
from ..restore.restore import soft_brain
from ..tracers import Tracer
from ..volume import CANONICAL, PetVolume, Volume


@dataclass(frozen=True, eq=False)
class BesideNormals:
    """A person beside the normals of a database.

    Attributes
    ----------
    scores
        By region.
    fill
        Region key -> percent of voxels with z above the threshold; empty with too few normals.
    expected
        Mean normal uptake on the T1's grid.
    surface
        Reference -> what is normal on the surface; empty with too few normals.
    smooth
        The PET on `CANONICAL`, as smooth as the normals.
    beyond
        1 where z is above the fill state's threshold, on the T1's grid; None with too few normals.
    findings
        What must be said before a z is read.
    """

    scores: Scores
    fill: dict[str, float]
    expected: PetVolume
    surface: dict[str, Normal]
    smooth: PetVolume
    beyond: Volume | None
    findings: list[Finding]

    def by_key(self) -> dict[str, RegionScore]:
        """Region key -> score."""
        return {row.key: row for row in self.scores.rows}


def native_table(pet: PetVolume, regions: NativeRegions) -> RegionTable:
    """Every region in the scan's own space, the reference regions and white matter among them."""
    table = quantify(pet, None, regions.labels, {})
    return replace(table, regions=(*table.regions, *reference_rows(pet, regions)))


def unique_rows(table: RegionTable) -> tuple[tuple[RegionValue, ...], int]:
    """Every row of a table once, the headline first; and how many make the headline."""
    seen = {(row.region, row.side) for row in table.headline}
    rest = [row for row in table.regions if (row.region, row.side) not in seen]
    return (*table.headline, *rest), len(table.headline)


def on_template(
    pet: Volume, t1_to_pet: np.ndarray, affine: NativeToTemplate, like: PetVolume
) -> PetVolume:
    """The PET on `CANONICAL` by the affine, as normative databases are made; SUVR.

    Parameters
    ----------
    pet
        As it was read.
    t1_to_pet, affine
        4x4 RAS mm; T1 to template.
    like
        The native SUVR, for its meaning. A synthetic PET is SUVR already.
    """
    whole = NativeToTemplate(affine.matrix @ np.linalg.inv(t1_to_pet))
    volume = whole.to_template(pet)
    found = replace(like, data=volume.data, affine=volume.affine, space=volume.space)
    if like.synthetic:
        return found
    return found.with_data(found.data / measure_reference(found).mean)


def means_on_template(pet: Volume) -> dict[str, float]:
    """Region key -> mean of an image on `CANONICAL`."""
    labels = template_regions().data.astype(np.int64)
    return dict(zip(region_keys(), regional_means(labels, pet.data).tolist(), strict=True))


def template_check(
    pet: Volume, t1_to_pet: np.ndarray, warp: Warp, table: RegionTable, synthetic: bool
) -> Finding:
    """`template_difference` of the PET bent onto the template; its reference is measured there."""
    bent = warp.brain_from_native(pet, t1_to_pet)
    divisor = 1.0
    if not synthetic:
        inside = reference_mask(table.reference_region).mask & (bent.data > 0.0)
        divisor = float(bent.data[inside].mean()) if inside.any() else float("nan")
    means = means_on_template(bent.with_data(bent.data / divisor))
    return template_difference(table, means)


def beside_normals(
    database: Database,
    person: Person,
    template: PetVolume,
    affine: NativeToTemplate,
    native_brain: Volume,
) -> tuple[BesideNormals, dict[str, float]]:
    """Scores, fill states and mean of a person, and the regional values they were made from.

    Parameters
    ----------
    template
        `on_template`; blurred first where it is sharper than the normals' PET.
    """
    smooth, smoothness = matched(database, person, template)
    values = means_on_template(smooth)
    scores = score(database, person, values)
    fill: dict[str, float] = {}
    surface: dict[str, Normal] = {}
    beyond: Volume | None = None
    if database.meta.n >= FEWEST:
        surface = normals(database, person)
        z = voxel_z(database, person, smooth)
        fill = fill_states(z, template_regions())
        above = z.with_data((np.nan_to_num(z.data) > THRESHOLD).astype(np.float32))
        beyond = affine.labels_to_native(above, native_brain.grid)
        beyond = beyond.with_data(beyond.data * native_brain.mask)
    weights = soft_brain(native_brain)
    mean = replace(template, data=expected_volume(database, person).data, space=CANONICAL.name)
    native = affine.to_native(mean, weights.grid)
    expected = replace(native.with_data(native.data * weights.data), quantity="expected")
    findings = [*scores.findings, smoothness]
    return BesideNormals(scores, fill, expected, surface, smooth, beyond, findings), values


def corrected(
    pet: PetVolume, regions: NativeRegions, brain: Volume, fwhm_mm: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Partial-volume corrected means by region key, and the facts of the correction.

    Regions of several labels are their mean, weighted by volume. The divisor stays the plain
    reference: eroded, it is least in need of correction.
    """
    found = gtm(pet, with_remainder(regions.labels, brain), fwhm_mm)
    by_label = dict(zip(found.labels.tolist(), found.corrected.tolist(), strict=True))
    sizes = np.bincount(regions.labels.data.astype(np.intp).ravel(), minlength=100)
    values = {}
    for key in region_keys():
        name, _, side = key.partition(".")
        present = [n for n in labels_of(name, side or "both") if n in by_label]
        if present:
            weights = [float(sizes[n]) for n in present]
            values[key] = float(np.average([by_label[n] for n in present], weights=weights))
    return values, {"fwhm_mm": fwhm_mm, "condition": found.condition}


def scale_lines(tracer: Tracer, table: RegionTable, source: str) -> tuple[ScaleLine, ...]:
    """The tracer's scales at its target region.

    Regions that are not the deformable atlas's are another pipeline (`pipeline_of`).
    """
    pipeline = pipeline_of(source)
    suvr = table.value(tracer.target_region).mean
    lines = []
    for scale in tracer.scales:
        found = scale_value(
            scale,
            suvr,
            tracer=tracer.key,
            region=tracer.target_region,
            reference=table.reference_region,
            pipeline=pipeline,
        )
        place = (tracer.target_region, table.reference_region)
        lines.append(
            ScaleLine(scale, None, "uncalibrated", False, *place, CAUTION[scale], "")
            if found is None or not np.isfinite(suvr)
            else ScaleLine(
                scale,
                found.value,
                found.unit,
                found.calibrated,
                *place,
                found.caution,
                found.equation.source,
            )
        )
    return tuple(lines)


def shown_of_synthetic(
    rows: tuple[ShownRow, ...], table: Path | None, source: str
) -> tuple[ShownRow, ...]:
    """Rows of a synthetic PET with the interval, and the silence, of its synthesis.

    What its own table did not show is not shown here either; the interval keeps its half width. A
    parcellation gets none: intervals are calibrated on the atlas's regions (`interval_finding`).

    Parameters
    ----------
    table
        ``..._synth_regions.tsv`` as the synthesis wrote it (`Meaning.table`); None when missing.
    source
        Where the regions come from (`NativeRegions.source`).

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when it is missing or damaged, or lacks one of ``rows``; the reference regions
        and white matter are in no synthesis's table.
    """
    try:
        if table is None:
            raise FileNotFoundError
        with table.open(encoding="utf-8", newline="") as stream:
            known = {
                (line["region"], line["side"]): line
                for line in csv.DictReader(stream, delimiter="\t")
                if line[marks.TABLE_COLUMN[0]] == marks.TABLE_COLUMN[1]
            }
        like = partial(_like, calibrated=source in (BENT, LAID))
        return tuple(
            row if row.region in REFERENCE_ROWS else like(row, known[row.region, row.side])
            for row in rows
        )
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "The table of regions beside this synthetic PET is missing or damaged, so it is not "
            "known which of its values may be shown.",
            "Keep the files of a synthesis together, or run it again.",
        ) from problem


def interval_finding() -> Finding:
    """What is said of a synthetic PET in the user's parcellation."""
    return Finding(
        "interval_regions",
        "parcellation",
        "atlas",
        Verdict.AMBER,
        "No 90 % intervals: they are calibrated on the atlas's regions, not on a parcellation.",
    )


def _like(row: ShownRow, before: Mapping[str, str], calibrated: bool) -> ShownRow:
    if row.value is None:
        return row
    if before["suvr"] == "n/a":
        return replace(row, value=None, instead=before["note"], asymmetry="", image_only=None)
    beside = before.get("suvr_image_only", "n/a")
    value = row.value
    if calibrated and before["interval90_low"] != "n/a":
        half = (float(before["interval90_high"]) - float(before["interval90_low"])) / 2.0
        value = replace(value, interval=(max(value.mean - half, 0.0), value.mean + half))
    return replace(row, value=value, image_only=None if beside == "n/a" else float(beside))


def shown(table: RegionTable, rows: tuple[RegionValue, ...]) -> tuple[ShownRow, ...]:
    """Rows of an acquired PET: hidden where the T1's slices are thick or nothing is seen."""
    return tuple(shown_rows(rows, table.slice_mm, {}))
