"""The JSON file beside a volume: what it is, what it was made from, and how, to the last seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..quantify import RegionTable
from . import marks
from .record import NOT_GIVEN, NOT_READ, USED, WITHHELD, Record, software_versions
from .shown import shown_rows


def sidecar(record: Record, table: RegionTable, outputs: dict[str, str]) -> dict[str, Any]:
    """Fields of the sidecar.

    It names files without their folders and clinical fields without their values: nothing in it
    tells who the person is.

    Parameters
    ----------
    record
        How the picture came to be.
    table
        Regional values.
    outputs
        File name -> SHA-256 of everything written beside it.
    """
    model, policy = record.model, record.release
    return {
        **marks.sidecar_fields(record.tracer),
        "Banner": policy.banner,
        "Evidence": policy.evidence,
        "NotAvailable": list(policy.withheld),
        "Cognition": policy.opening,
        "ShownOnlyTogether": policy.triptych,
        "Disclaimer": [marks.NOT_ACQUIRED, marks.DO_NOT_USE],
        "Tracer": record.tracer.key,
        "Units": "unitless",
        "Quantity": "SUVR",
        "ReferenceRegion": record.tracer.reference_region,
        "Regions": {"source": record.regions_source},
        "ScaleToSUVR": record.reference_factor,
        "EffectiveResolution": record.resolution,
        "SkullStripped": True,
        "SpatialReference": "orig",
        "Sources": [
            {"Role": source.role, "Name": source.name, "sha256": source.sha256}
            for source in record.sources
        ],
        "Model": {
            "name": model.name,
            "version": model.version,
            "title": model.title,
            "bundle_sha256": model.bundle_sha256,
            "weights_sha256": model.weights_sha256,
            "licence": model.licence,
            "trained_on": model.trained_on,
        },
        "ConditioningVariables": {
            "Used": record.named(USED),
            "Withheld": record.named(WITHHELD),
            "NotReadByModel": record.named(NOT_READ),
            "NotGiven": record.named(NOT_GIVEN),
        },
        "Preset": record.preset,
        "Steps": record.steps,
        "EnsembleSize": len(record.seeds),
        "Seeds": list(record.seeds),
        "RequestSha256": record.request_sha256,
        "OverriddenByUser": record.overridden,
        "InputQC": [finding.as_dict() for finding in (*record.findings, *table.findings)],
        "Preprocessing": record.preprocessing,
        "Generation": record.generation,
        "HeadlineValues": [
            {
                "Region": row.region,
                "Side": row.side,
                "SUVR": None if row.value is None else row.value.mean,
                "Interval90": None if row.value is None else row.value.interval,
                "Note": row.instead,
            }
            for row in shown_rows(table.headline, table.slice_mm, record.distances)
        ],
        "SoftwareVersions": software_versions(),
        "Outputs": outputs,
        "Created": record.created,
    }


def write_sidecar(path: Path, record: Record, table: RegionTable, outputs: dict[str, str]) -> None:
    """Write `sidecar` as JSON (UTF-8, indented)."""
    body = sidecar(record, table, outputs)
    text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """numpy numbers and arrays, paths and enums as JSON values (of a path only the name)."""
    if isinstance(value, Path):
        return value.name
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a sidecar")
