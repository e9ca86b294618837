"""A finished result folder as every format and DICOM read it: verified, with what may be shown.

Nothing else reads such a folder. The folder of a synthesis holds its images; the folder of a
measurement holds a table and regions. An acquired PET's own image is none of ours to hand out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, PETSynthError
from ..preprocess.space import TRANSFORM
from ..preprocess.transform import NativeToTemplate
from ..read import Scan, read_scan
from ..request import QUANTIFY, SYNTHESIZE
from ..tracers import Tracer
from ..tracers import tracer as tracer_named
from ..volume import PetVolume, Volume
from . import marks
from .meaning import meaning_of
from .policy import NORMATIVE, Release, first_lines, release
from .record import Source
from .region_rows import MISSING, RegionRows, read_rows
from .report import REPORT

RESULT, REQUEST = "result.json", "request.json"
QUANTITIES = {
    "suvr": "mean",
    "sd": "sd",
    "low10": "low 10 %",
    "high90": "high 90 %",
    "expected": "expected",
}
"""Part of the file name of an image -> `PetVolume.quantity`; every other is a ``"sample"``."""
TOGETHER = ("low10", "suvr", "high90")
"""Images of an exploratory tracer that leave only together (`policy.Release.triptych`)."""
_VERSION = 1


@dataclass(frozen=True, eq=False)
class Finished:
    """A result folder, every file of it as it was written.

    Attributes
    ----------
    folder
        Where it lies.
    kind
        ``SYNTHESIZE`` or ``QUANTIFY`` of `request`.
    tracer, release, simulated
        What the PET shows; what may be shown of it and which marks it carries; whether nobody was
        scanned.
    withheld
        Judgement of `policy.NORMATIVE` -> why it is withheld (empty where no reason was written).
    reference_region, regions_source
        What the PET is divided by; where the regions come from, in words.
    record
        JSON file of the result: the sidecar of a synthesis (``Model``, ``Seeds``, ``Preset``,
        ``Steps``, ``ConditioningVariables``, ...), the account of a measurement (``Database``,
        ``Alignment``, ...). It holds nothing that tells who the person is but file names.
    result
        ``result.json``.
    sources
        Input files: role (``"T1"``, ``"PET"``, ``"FLAIR"``, ``"mask"``), name, SHA-256.
    model
        Facts of the model behind a synthetic PET (``name``, ``version``, ``bundle_sha256``,
        ``weights_sha256``, ``licence``, ...); empty for an acquired one.
    images
        Part (`QUANTITIES`, ``"sample-01"``) -> file name; empty for a measurement.
    pages
        Part (``""`` for the figure, ``"ssp"``) -> file name of a PNG; empty for a measurement.
    record_name, table_name
        Names of the JSON file and of the table.
    table
        Regional values.
    """

    folder: Path
    kind: str
    tracer: Tracer
    release: Release
    simulated: bool
    withheld: Mapping[str, str]
    reference_region: str
    regions_source: str
    record: Mapping[str, Any]
    result: Mapping[str, Any]
    sources: tuple[Source, ...]
    model: Mapping[str, Any]
    images: Mapping[str, str]
    pages: Mapping[str, str]
    record_name: str
    table_name: str
    table: RegionRows

    @property
    def synthetic(self) -> bool:
        """Whether a model computed the PET."""
        return self.release.synthetic

    @property
    def marked_fields(self) -> dict[str, object]:
        """Fields of every JSON file that keep it from being taken for something else."""
        return marks.evidence_fields(self.tracer, self.synthetic)

    @property
    def first_lines(self) -> tuple[str, ...]:
        """What stands above everything that is shown of it."""
        return first_lines(self.release, self.simulated)

    @property
    def notices(self) -> tuple[str, ...]:
        """What has to be said before any number, in sentences."""
        return tuple(str(line) for line in self.result["notices"])

    @property
    def t1(self) -> Source:
        """The MRI on whose grid everything lies."""
        return next(source for source in self.sources if source.role == "T1")

    @cached_property
    def t1_scan(self) -> Scan | None:
        """The MRI itself; None when its file no longer lies where it lay, or is another one."""
        try:
            scan = read_scan(Path(self.request["t1"]), "T1")
        except PETSynthError:
            return None
        return scan if scan.sha256 == self.t1.sha256 else None

    @property
    def digest(self) -> str:
        """SHA-256 of ``result.json``, which names every file of the result by its own."""
        return hashlib.sha256((self.folder / RESULT).read_bytes()).hexdigest()

    @cached_property
    def request(self) -> Mapping[str, Any]:
        """``request.json``: with the paths of its input files."""
        return _json(self.folder / REQUEST)

    @property
    def report(self) -> Path:
        """The report, HTML."""
        return self.folder / REPORT

    def file_name(self, part: str, suffix: str) -> str:
        """Name of a file about this PET: a synthetic one's carries the mark."""
        name = marks.file_name if self.synthetic else marks.acquired_file_name
        return name(self.tracer.key, part, suffix)

    def scan(self, part: str) -> Scan:
        """An image of `images` as it is stored: voxels, grid and header of the file.

        Raises
        ------
        PETSynthError
            ``BAD_IMAGE`` when it cannot be read.
        """
        return read_scan(self.folder / self.images[part], "PET")

    def pet(self, part: str) -> PetVolume:
        """An image of `images` on the T1's canonical grid, SUVR."""
        return self.pet_in(self.scan(part), part)

    def pet_in(self, scan: Scan, part: str) -> PetVolume:
        """The same from what `scan` has read."""
        volume = scan.volume
        return PetVolume(
            volume.data,
            volume.affine,
            volume.space,
            tracer=self.tracer.key,
            unit=self.tracer.unit,
            reference_region=self.reference_region,
            synthetic=self.synthetic,
            quantity=QUANTITIES.get(part, "sample"),
        )

    @cached_property
    def regions(self) -> Scan:
        """Labels 0 to 85 (`assets.region_names`) on the T1's grid."""
        return read_scan(self.folder / "space" / "regions.nii.gz", "mask")

    @cached_property
    def reference(self) -> Scan:
        """Mask of the reference region on the T1's grid."""
        return read_scan(self.folder / "space" / "reference.nii.gz", "mask")

    @cached_property
    def brain(self) -> Volume:
        """Mask of the brain on the T1's canonical grid."""
        return read_scan(self.folder / "space" / "brain_mask.nii.gz", "mask").volume

    @cached_property
    def transform(self) -> NativeToTemplate:
        """The T1 to the template, affine."""
        return NativeToTemplate.read(self.folder / "space" / TRANSFORM)


def read_finished(folder: Path) -> Finished:
    """Read and verify the folder of a synthesis or of a measurement.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it holds no such result; ``BAD_DATA`` when a file of it is missing,
        damaged or was changed since.
    """
    result = _result(folder)
    digests = result["files"]
    for name, digest in digests.items():
        _verify(folder, name, digest)
    read = _synthesis if result["kind"] == SYNTHESIZE else _measurement
    try:
        finished = read(folder, result, sorted(digests))
        _hold(finished)
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The result in {folder} is damaged: its files do not say how it was made.",
            "Run it again, with this release.",
        ) from problem
    return finished


def _result(folder: Path) -> dict[str, Any]:
    try:
        body = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        what = "holds no result of PETSynth" if folder.is_dir() else "is no folder"
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"{folder} {what}.",
            f"Name the folder of a {marks.SYNTHESIS} or of a measurement: the one with {RESULT}.",
        ) from problem
    if not isinstance(body, dict) or not isinstance(body.get("files"), dict):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The {RESULT} in {folder} is damaged.",
            "Run it again, with this release.",
        )
    if body.get("kind") not in (SYNTHESIZE, QUANTIFY):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"{folder} holds a result of another kind ({body.get('kind')}).",
            f"Name the folder of a {marks.SYNTHESIS} or of a measurement.",
        )
    if body.get("version") != _VERSION:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The result in {folder} has version {body.get('version')}, this release reads "
            f"{_VERSION}.",
            "Run it again, with this release.",
        )
    return body


def _verify(folder: Path, name: str, digest: str) -> None:
    try:
        content = (folder / name).read_bytes()
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The file {name} of the result in {folder} is missing or cannot be read.",
            "Keep the files of a result together, or run it again.",
        ) from problem
    if hashlib.sha256(content).hexdigest() != digest:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The file {name} of the result in {folder} was changed since it was written.",
            "Run it again; nothing is exported from changed files.",
        )


def _synthesis(folder: Path, result: dict[str, Any], names: list[str]) -> Finished:
    key = tracer_named(result["tracer"]).key
    mean = folder / marks.file_name(key, "suvr", ".nii.gz")
    meaning = meaning_of(mean, read_scan(mean, "PET"), "")
    record_name = marks.file_name(key, "", ".json")
    record = _json(folder / record_name)
    return Finished(
        folder=folder,
        kind=SYNTHESIZE,
        tracer=meaning.tracer,
        release=meaning.release,
        simulated=meaning.simulated,
        withheld=dict.fromkeys(meaning.release.withheld, ""),
        reference_region=record["ReferenceRegion"],
        regions_source=record["Regions"]["source"],
        record=record,
        result=result,
        sources=_sources(record),
        model=meaning.model,
        images=_parts(key, names, ".nii.gz"),
        pages=_parts(key, names, ".png"),
        record_name=record_name,
        table_name=marks.file_name(key, "regions", ".tsv"),
        table=read_rows(folder / marks.file_name(key, "regions", ".tsv")),
    )


def _measurement(folder: Path, result: dict[str, Any], names: list[str]) -> Finished:
    facts = tracer_named(result["tracer"])
    synthetic = result[marks.SIDECAR_KEY] is True
    name = marks.file_name if synthetic else marks.acquired_file_name
    record_name = name(facts.key, "quantification" if synthetic else "suvr", ".json")
    table_name = name(facts.key, "regions", ".tsv")
    record, table = _json(folder / record_name), read_rows(folder / table_name)
    policy = release(record["Evidence"], facts.exploratory)
    cognition = {row["cognition"] for row in table.rows} - {"none"}
    withheld = {str(key): str(value) for key, value in record["NotAvailable"].items()}
    return Finished(
        folder=folder,
        kind=QUANTIFY,
        tracer=facts,
        release=replace(
            policy,
            withheld=tuple(one for one in NORMATIVE if one in withheld),
            opening=record["Opening"],
            cognition=", ".join(sorted(cognition)),
        ),
        simulated=record["Simulated"] is True,
        withheld=withheld,
        reference_region=record["ReferenceRegion"],
        regions_source=record["Regions"]["source"],
        record=record,
        result=result,
        sources=_sources(record),
        model=record["Model"] or {},
        images={},
        pages={},
        record_name=record_name,
        table_name=table_name,
        table=table,
    )


def _hold(finished: Finished) -> None:
    """Hold what was read against itself: a result that lost its mark is no result.

    Raises
    ------
    ValueError
        When something disagrees.
    """
    shown = {row[marks.TABLE_COLUMN[0]] for row in finished.table.rows}
    z_hidden = "z-score" in finished.release.withheld
    z = {row.get("z", MISSING) for row in finished.table.rows}
    images = set(finished.images)
    complaints = {
        "table and record disagree on the mark": shown
        != {marks.TABLE_COLUMN[1] if finished.synthetic else "FALSE"},
        "result and record disagree on the mark": finished.result[marks.SIDECAR_KEY]
        is not finished.synthetic,
        "record and release disagree on the mark": finished.record[marks.SIDECAR_KEY]
        is not finished.synthetic,
        "no banner over a marked PET": finished.synthetic
        and finished.record["Banner"] != finished.release.banner,
        "z is withheld": z_hidden and z - {MISSING},
        "low, middle and high belong together": finished.kind == SYNTHESIZE
        and finished.release.triptych
        and set(TOGETHER) - images,
        "no T1": not finished.t1.sha256,
    }
    if said := [words for words, wrong in complaints.items() if wrong]:
        raise ValueError("; ".join(said))


def _parts(key: str, names: list[str], suffix: str) -> dict[str, str]:
    """Part of the file name -> file name, of every file of a synthesis with this ending."""
    found = {}
    for name in names:
        stem = name.removesuffix(suffix)
        begin = f"{key}_{marks.FILE_PART}"
        if name.endswith(suffix) and stem.startswith(begin) and "/" not in name:
            found[stem.removeprefix(begin).removeprefix("_")] = name
    return found


def _sources(record: Mapping[str, Any]) -> tuple[Source, ...]:
    return tuple(Source(one["Role"], one["Name"], one["sha256"]) for one in record["Sources"])


def _json(path: Path) -> dict[str, Any]:
    body = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(body, dict):
        raise TypeError(f"{path.name} holds no object")
    return body
