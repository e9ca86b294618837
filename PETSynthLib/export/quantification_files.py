"""The files of a measured PET: table, record, volume, and what lies in ``space/``."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..normative.calibration import calibration_finding
from ..preprocess.transform import NativeToTemplate
from ..progress import Progress
from ..quantify.native_regions import NativeRegions
from ..quantify.scales import pipeline_of
from . import marks
from .nifti import SCANNER_CODE, write_acquired, write_labels
from .policy import first_lines
from .quantification import Quantification, QuantifiedRow
from .record import software_versions
from .report import REPORT
from .tables import interval_text, region_words, value_text

if TYPE_CHECKING:
    from ..read import Scan

COLUMNS = (
    "tracer",
    "reference",
    "region",
    "side",
    "ml",
    "suvr",
    "suvr_sd_voxels",
    "suvr_median",
    "suvr_p90",
    "interval90_low",
    "interval90_high",
    "asymmetry",
    "suvr_template",
    "expected",
    "normal_low",
    "normal_high",
    "difference_percent",
    "z",
    "percentile",
    "flag",
    "fill_state_percent",
    "suvr_gtm",
    "suvr_image_only",
    "note",
    "cognition",
)
PET_TO_T1 = "pet_to_t1.tfm"
"""ITK transform; in 3D Slicer it moves the PET onto the T1. The identity where it lay there."""
BEYOND = "beyond_normals.nii.gz"
"""In ``space/``: 1 where z is above the threshold of the fill state, where it may be shown."""


def cells(row: QuantifiedRow) -> dict[str, Any]:
    """Numbers of a row by column; None where not known or not allowed."""
    shown, score = row.shown, row.score
    value = shown.value
    low, high = (None, None) if value is None or value.interval is None else value.interval
    usual = (None, None) if score is None or score.normal is None else score.normal
    return {
        "region": shown.region,
        "side": shown.side,
        "ml": shown.ml,
        "suvr": None if value is None else value.mean,
        "suvr_sd_voxels": None if value is None else value.sd_voxels,
        "suvr_median": None if value is None else value.median,
        "suvr_p90": None if value is None else value.p90,
        "interval90_low": low,
        "interval90_high": high,
        "asymmetry": shown.asymmetry or None,
        "suvr_template": row.template,
        "expected": None if score is None else score.expected,
        "normal_low": usual[0],
        "normal_high": usual[1],
        "difference_percent": None if score is None else score.percent,
        "z": None if score is None else score.z,
        "percentile": None if score is None else score.percentile,
        "flag": score.flagged if row.may_be_flagged and score is not None else None,
        "fill_state_percent": row.fill_state,
        "suvr_gtm": row.gtm,
        "suvr_image_only": shown.image_only,
        "note": shown.instead or None,
    }


def write_table(path: Path, quantification: Quantification) -> None:
    """Write every row as tab-separated text (UTF-8); the first column says whether synthetic."""
    name, mark = marks.TABLE_COLUMN
    synthetic = mark if quantification.release.synthetic else "FALSE"
    common = {
        "tracer": quantification.tracer.key,
        "reference": quantification.pet.reference_region,
        "cognition": quantification.release.cognition or "none",
    }
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow([name, *COLUMNS])
        for row in quantification.rows:
            found = {**common, **cells(row)}
            writer.writerow([synthetic, *(_text(found[column]) for column in COLUMNS)])


def _text(value: object) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def headline_lines(quantification: Quantification) -> list[str]:
    """One line a headline region, in words."""
    lines = []
    for row in quantification.rows[: quantification.headline]:
        if row.shown.side in ("L", "R"):
            continue
        words = f"{row.title}: {value_text(row.shown)}"
        if row.shown.value is not None and row.shown.value.interval is not None:
            words += f" ({interval_text(row.shown)})"
        words += f", {row.shown.asymmetry}" if row.shown.asymmetry else ""
        if row.score is not None:
            # On the template, as the normals were: another number than the one on the person's own
            # anatomy before it, and the one that z belongs to.
            score = row.score
            words += f"; on the template {score.observed:.2f}, expected {score.expected:.2f}"
            if score.z is not None:
                flag = ", flagged" if score.flagged else ""
                words += f", z {score.z:.1f}{flag}"
        lines.append(words)
    return lines


def header_lines(quantification: Quantification) -> list[str]:
    """What stands above a table, a line each: marks first, then alignment, reference, normals."""
    q = quantification
    database = (
        f"Normals: none, {q.withheld['z-score']}."
        if q.database is None
        else f"Normals: {q.database.title}. {q.flags}"
    )
    synthetic, words = q.release.synthetic, region_words(q.pet.reference_region)
    title = marks.title(q.tracer) if synthetic else f"{q.tracer.label} PET"
    return [
        *first_lines(q.release, q.simulated),
        f"{title}, {q.tracer.unit}, reference {words} ({q.reference.source}).",
        *([f"{marks.AMBIGUOUS}."] if q.release.triptych else []),
        *([marks.NOT_ACQUIRED] if synthetic else []),
        q.alignment.sentence,
        f"Regions: {q.regions_source}.",
        database,
        *([] if q.pattern is None else [q.pattern.sentence()]),
        *(line.sentence() for line in q.scales),
        *([f"Overridden by the user: {', '.join(q.overridden)}."] if q.overridden else []),
    ]


def record(quantification: Quantification, outputs: dict[str, str]) -> dict[str, Any]:
    """JSON-ready account of a measurement (``..._suvr.json`` or ``..._quantification.json``).

    Parameters
    ----------
    outputs
        File name -> SHA-256 of everything written before.
    """
    q = quantification
    marked = marks.evidence_fields(q.tracer, q.release.synthetic)
    reference, database = q.reference, q.database
    return {
        **marked,
        "Simulated": q.simulated,
        "Banner": q.release.banner,
        "Evidence": q.release.evidence,
        "Opening": q.release.opening,
        "NotAvailable": dict(q.withheld),
        "Tracer": q.tracer.key,
        "TracerLabel": q.tracer.label,
        "SkullStripped": True,
        "Units": "unitless",
        "Quantity": q.tracer.unit,
        "ReferenceRegion": q.pet.reference_region,
        "Pipeline": pipeline_of(q.regions_source),
        "Header": header_lines(q),
        "Sources": [
            {"Role": one.role, "Name": one.name, "sha256": one.sha256} for one in q.sources
        ],
        "Model": q.model,
        "Alignment": {
            "registered": q.alignment.registered,
            "distance_mm": q.alignment.distance_mm,
            "likeness": q.alignment.likeness,
            "t1_to_pet_ras_mm": q.alignment.t1_to_pet.tolist(),
            "sentence": q.alignment.sentence,
        },
        "Regions": {"source": q.regions_source},
        "Reference": {
            "region": reference.reference.region,
            "mean": reference.reference.mean,
            "ml": reference.reference.ml,
            "cv_percent": reference.reference.cv,
            "asymmetry_percent": reference.asymmetry_percent,
            "in_view_percent": 100.0 * reference.in_view,
            "source": reference.source,
        },
        "Scales": [asdict(line) for line in q.scales],
        "Database": None
        if database is None
        else {
            "name": database.name,
            "title": database.title,
            "n": database.n,
            "age": list(database.age),
            "demo": database.demo,
            "direction": q.direction,
            "header": q.flags,
            "calibration": [
                calibration_finding(name, name.replace("_", " "), found).as_dict()
                for name, found in database.calibration.items()
            ],
        },
        "FillStateThreshold": q.fill_threshold if "z-score" not in q.release.withheld else None,
        "PartialVolume": None if q.gtm is None else dict(q.gtm),
        "Pattern": None if q.pattern is None else q.pattern.as_dict(),
        "Checks": [finding.as_dict() for finding in q.findings],
        "OverriddenByUser": q.overridden,
        "Headline": [cells(row) for row in q.rows[: q.headline]],
        "HeadlineText": headline_lines(q),
        "Steps": [dict(step) for step in q.steps],
        "SoftwareVersions": software_versions(),
        "Outputs": outputs,
        "Created": q.created,
    }


def write_quantification(
    folder: Path,
    quantification: Quantification,
    t1: Scan,
    regions: NativeRegions,
    report: Callable[..., object],
    progress: Progress,
    to_json: Callable[[Any], str],
) -> dict[str, str]:
    """Write every file of a measurement into ``folder`` (its ``space/`` exists).

    Parameters
    ----------
    t1
        The scan whose grid the volumes take.
    regions
        For ``space/``.
    report
        Writes the report, given its ``path`` and the text to ``copy``.
    to_json
        Strict JSON text.

    Returns
    -------
    File name -> SHA-256, in the order written.
    """
    q = quantification
    code = t1.header.get("sform_code") or t1.header.get("qform_code") or SCANNER_CODE
    maps = {
        "regions": regions.labels,
        "reference": regions.references[q.pet.reference_region],
    }
    if q.beyond is not None:
        maps[BEYOND.removesuffix(".nii.gz")] = q.beyond
    jobs: list[tuple[str, Callable[[Path], object]]] = [
        (f"space/{name}.nii.gz", partial(write_labels, labels=one, stored=t1.stored, code=code))
        for name, one in maps.items()
    ]
    # The identity too: an earlier run into this folder may have moved the PET.
    pet_to_t1 = NativeToTemplate(np.asarray(np.linalg.inv(q.alignment.t1_to_pet)))
    jobs.append((f"space/{PET_TO_T1}", pet_to_t1.write))
    if not q.release.synthetic:
        # A synthetic PET stays where its marks and its low and high are.
        jobs.append(
            (
                q.file_name("suvr", ".nii.gz"),
                lambda path: write_acquired(path, q.pet, t1.stored, code),
            )
        )
    jobs.append((q.file_name("regions", ".tsv"), lambda path: write_table(path, q)))
    copy = "\n".join([*header_lines(q), *headline_lines(q)])
    jobs.append((REPORT, lambda path: report(path, copy=copy)))
    part = "quantification" if q.release.synthetic else "suvr"
    written: dict[str, str] = {}
    jobs.append(
        (
            q.file_name(part, ".json"),
            lambda path: path.write_text(to_json(record(q, dict(written))), encoding="utf-8"),
        )
    )
    for number, (name, write) in enumerate(jobs):
        progress.step(number, len(jobs))
        write(folder / name)
        written[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    progress.step(len(jobs), len(jobs))
    return written
