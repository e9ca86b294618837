"""The files of a surface projection: numbers at the vertices, and the record that explains them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assets import asset
from ..checks import Finding
from ..normative.database import Meta
from ..project.paint import Z_WINDOW
from ..project.references import REFERENCES
from ..project.surface import SIDES, surfaces
from ..project.zmaps import Z_LIMIT, Normal
from ..volume import CANONICAL
from . import marks
from .policy import Release, first_lines
from .record import Source, software_versions
from .ssp import METHOD_WORDS, SPREAD_WINDOW, Look, Places, ssp_files, ssp_pages
from .surface_maps import HIGH, LOW, UPTAKE, Projection, surface_arrays

RECORD_VERSION = 1
SURFACES = "ssp/surfaces.npz"
WORDS = {
    UPTAKE: "peak uptake below the surface",
    LOW: "10 % of the uptake",
    HIGH: "90 % of the uptake",
    "depth": "depth at which the peak was found",
    "sd": "standard deviation of the uptake at that depth",
}


@dataclass(frozen=True, eq=False)
class SurfaceResult:
    """A PET on the surface with everything its files have to say.

    Attributes
    ----------
    projection, release
        The PET read off the surface, and what may be shown of it.
    withheld
        Judgement -> why it is not shown.
    simulated
        Whether nobody was scanned.
    source
        File of the PET.
    model
        Facts of the model that made it; empty for an acquired PET.
    normals, database
        What is normal for this person, and who the normals are; None without.
    unsure
        Regions that are not informative (`ssp.not_informative`).
    palette
        Of the pages.
    findings
        Checks of references, normals and smoothness.
    """

    projection: Projection
    release: Release
    withheld: Mapping[str, str]
    simulated: bool
    source: Source
    model: Mapping[str, Any]
    normals: Mapping[str, Normal] | None
    database: Meta | None
    unsure: Places
    palette: str
    findings: tuple[Finding, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What has to be said before anything is shown."""
        return first_lines(self.release, self.simulated)

    def file_name(self, suffix: str) -> str:
        """Name of a file beside the pages."""
        key = self.projection.pet.tracer
        if self.release.synthetic:
            return marks.file_name(key, "ssp", suffix)
        return f"{key}_ssp{suffix}"


def write_surface(
    folder: Path, result: SurfaceResult, to_json: Callable[[Any], str]
) -> dict[str, str]:
    """Write pages (PNG, PDF), numbers (``.npz``) and record (``.json``) into ``folder``.

    Returns
    -------
    File name -> SHA-256, the record last.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` or ``BAD_DATA`` when something may not be shown (`surface_maps`).
    """
    arrays = surface_arrays(result.projection, result.release, result.normals)
    pages = ssp_pages(
        result.projection,
        result.release,
        result.normals,
        "" if result.database is None else result.database.title,
        Look(result.palette),
        result.unsure,
        result.simulated,
    )
    key = result.projection.pet.tracer
    written = {}
    for name, content in ssp_files(pages, key, result.release, ("png", "pdf")).items():
        (folder / name).write_bytes(content)
        written[name] = hashlib.sha256(content).hexdigest()
    numbers = result.file_name(".npz")
    write_arrays(folder / numbers, arrays, result)
    written[numbers] = hashlib.sha256((folder / numbers).read_bytes()).hexdigest()
    text = to_json(_record(result, arrays, list(pages), dict(written)))
    record = result.file_name(".json")
    (folder / record).write_bytes(text.encode("utf-8", "backslashreplace"))
    written[record] = hashlib.sha256((folder / record).read_bytes()).hexdigest()
    return written


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[np.generic]], result: SurfaceResult
) -> None:
    """Write the numbers as NPZ without pickles; its first array says what they are."""
    words = marks.NIFTI_COMMENT if result.release.synthetic else marks.ACQUIRED
    contents: dict[str, Any] = {
        "description": np.array(" ".join((words, *result.notices))),
        **arrays,
    }
    np.savez_compressed(path, **contents)


def _record(
    result: SurfaceResult,
    arrays: Collection[str],
    parts: list[str],
    outputs: dict[str, str],
) -> dict[str, Any]:
    projection, release, database = result.projection, result.release, result.database
    facts = projection.tracer
    marked = marks.evidence_fields(facts, release.synthetic)
    names = dict.fromkeys(name.rpartition("_")[0] for name in arrays)
    return {
        **marked,
        "Version": RECORD_VERSION,
        "Simulated": result.simulated,
        "Banner": release.banner,
        "Evidence": release.evidence,
        "Opening": release.opening,
        "Cognition": release.cognition,
        "FirstLines": result.notices,
        "OnlyTogether": [LOW, UPTAKE, HIGH] if release.triptych else [],
        "NotAvailable": dict(result.withheld),
        "Tracer": facts.key,
        "TracerLabel": facts.label,
        "Quantity": facts.unit,
        "ReferenceRegion": projection.pet.reference_region,
        "Sources": [
            {
                "Role": result.source.role,
                "Name": result.source.name,
                "sha256": result.source.sha256,
            }
        ],
        "Model": dict(result.model),
        "Space": CANONICAL.name,
        "Surface": {
            "file": SURFACES,
            "sha256": hashlib.sha256(asset(SURFACES).read_bytes()).hexdigest(),
            "vertices": {side: len(surfaces()[side].vertices) for side in SIDES},
        },
        "Method": METHOD_WORDS,
        "References": {
            key: {"region": words, "uptake": projection.references[key]}
            for key, words in REFERENCES.items()
        },
        "Maps": {name: _map(name, facts.unit, facts.window) for name in names},
        "Pages": parts,
        "Database": None
        if database is None
        else {
            "name": database.name,
            "title": database.title,
            "n": database.n,
            "demo": database.demo,
        },
        "Palette": result.palette,
        "Checks": [finding.as_dict() for finding in result.findings],
        "SoftwareVersions": software_versions(),
        "Outputs": outputs,
        "Created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _map(name: str, unit: str, window: tuple[float, float]) -> dict[str, Any]:
    """What one map of the NPZ file means: words, unit, and the values it is shown between."""
    kind, _, reference = name.partition("_")
    if kind == "z":
        words = f"z of a decrease, reference {REFERENCES[reference]}"
        return {"words": words, "unit": "z", "window": Z_WINDOW, "limits": (-Z_LIMIT, Z_LIMIT)}
    if kind == "reliable":
        words = f"whether z, reference {REFERENCES[reference]}, is beyond its own uncertainty"
        return {"words": words, "unit": "yes or no"}
    if kind == "depth":
        return {"words": WORDS[kind], "unit": "mm"}
    if kind == "sd":
        return {"words": WORDS[kind], "unit": unit, "window_percent": SPREAD_WINDOW}
    return {"words": WORDS[kind], "unit": unit, "window": window}
