"""From a PET file to its surface pages: find what belongs to it, read, project, draw, write."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..checks import Finding
from ..clinical import COGNITION
from ..errors import ErrorCode, PETSynthError
from ..export import marks
from ..export.policy import Release, release
from ..export.ssp import project, ssp_files
from ..preprocess.space import TRANSFORM
from ..preprocess.transform import NativeToTemplate
from ..read import Scan, read_scan
from ..restore.reference import measure_reference
from ..tracers import Tracer
from ..tracers import tracer as tracer_named
from ..volume import PetVolume
from .staging import output_error


@dataclass(frozen=True)
class SspRequest:
    """What to draw.

    Attributes
    ----------
    pet
        Image of a PET, or folder of a synthesis.
    output
        Folder for the pages; None for the PET's own.
    transform
        ITK transform, scan to template; None for ``space/`` beside the PET.
    tracer
        Tracer of an acquired PET; empty for a synthetic one.
    find_on
        Image on which the peaks are found, in the PET's own space.
    palette
        Key of `project.paint.PALETTES`.
    """

    pet: Path
    output: Path | None = None
    transform: Path | None = None
    tracer: str = ""
    find_on: Path | None = None
    palette: str = "classic"


@dataclass(frozen=True)
class SspResult:
    """What was made.

    Attributes
    ----------
    files
        Pages written.
    references
        GLB, THL, CBL, PNS -> uptake, SUVR.
    findings
        Whether the references can be trusted.
    """

    files: tuple[Path, ...]
    references: dict[str, float]
    findings: list[Finding]


@dataclass(frozen=True)
class _Meaning:
    """What a PET file holds."""

    tracer: Tracer
    release: Release
    sd: Path | None


def run_ssp(request: SspRequest) -> SspResult:
    """Draw the surface pages of a PET.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when an image or the transform cannot be read; ``BAD_REQUEST`` when it is
        not known how the PET lies or which tracer it shows; ``BAD_DATA`` when a synthetic PET is
        not the one its JSON file describes, or a reference shows no uptake; ``BAD_OUTPUT``.
        Nothing is written before everything is drawn.
    """
    path = _pet_of_folder(request.pet) if request.pet.is_dir() else request.pet
    scan = read_scan(path, "PET")
    meaning = _meaning(path, scan, request.tracer)
    space = _transform(path, request.transform)
    pet = _in_template(scan, meaning, space)
    if not meaning.release.synthetic:
        # An acquired PET comes in any unit; on the page it is SUVR.
        pet = pet.with_data(pet.data / measure_reference(pet).mean)
    sd = None
    if meaning.sd is not None:
        sd = replace(_in_template(read_scan(meaning.sd, "PET"), meaning, space), quantity="sd")
    find_on = None
    if request.find_on is not None:
        find_on = space.to_template(read_scan(request.find_on, "PET").volume)
    projection = project(pet, sd, find_on)
    pages = ssp_files(projection, meaning.release, palette=request.palette)
    folder = path.parent if request.output is None else request.output
    written = _write(folder, pages)
    return SspResult(written, projection.references, projection.findings)


def _in_template(scan: Scan, meaning: _Meaning, space: NativeToTemplate) -> PetVolume:
    volume = space.to_template(scan.volume)
    return PetVolume(
        volume.data,
        volume.affine,
        volume.space,
        tracer=meaning.tracer.key,
        reference_region=meaning.tracer.reference_region,
        synthetic=meaning.release.synthetic,
    )


def _pet_of_folder(folder: Path) -> Path:
    found = sorted(folder.glob(marks.file_name("*", "suvr", ".nii.gz")))
    if len(found) != 1:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The folder {folder} holds {len(found)} synthetic PETs.",
            "Name the folder of one synthesis, or the PET file itself.",
        )
    return found[0]


def _meaning(path: Path, scan: Scan, tracer: str) -> _Meaning:
    sidecar = _sidecar(path)
    if sidecar is None:
        if marks.FILE_PART in path.name or _says_synthetic(path):
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                "This PET is synthetic, but the JSON file that says how it was made is missing.",
                "Keep the files of a synthesis together.",
            )
        if not tracer:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "It is not known which tracer this PET shows.",
                "Name it with --tracer, for example --tracer fdg.",
            )
        facts = tracer_named(tracer)
        return _Meaning(facts, release("acquired", facts.exploratory), None)
    if sidecar["Outputs"][path.name] != scan.sha256:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "This PET is not the one its JSON file describes: it was changed or replaced.",
            "Run the synthesis again.",
        )
    facts = tracer_named(sidecar["Tracer"])
    if tracer and tracer_named(tracer) != facts:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"This PET shows {facts.label}, not {tracer_named(tracer).label}.",
            "Leave --tracer out.",
        )
    used = sidecar["ConditioningVariables"]["Used"]
    cognition = tuple(name for name in COGNITION if name in used)
    sd = path.with_name(marks.file_name(facts.key, "sd", ".nii.gz"))
    known = path.name == marks.file_name(facts.key, "suvr", ".nii.gz") and sd.is_file()
    policy = release(sidecar["Evidence"], facts.exploratory, cognition)
    return _Meaning(facts, policy, sd if known else None)


def _sidecar(path: Path) -> dict[str, Any] | None:
    """The JSON file in the same folder that names this file among its outputs."""
    for candidate in sorted(path.parent.glob("*.json")):
        try:
            body = json.loads(candidate.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if (
            isinstance(body, dict)
            and body.get("Synthetic")
            and path.name in body.get("Outputs", {})
        ):
            return body
    return None


def _says_synthetic(path: Path) -> bool:
    """Whether the description in a NIfTI-1 header carries our mark."""
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return False
    zipped = path.name.lower().endswith(".gz")
    with gzip.open(path) if zipped else path.open("rb") as file:
        header = file.read(348)
    return marks.NIFTI_DESCRIPTION.encode() in header[148:228]


def _transform(path: Path, given: Path | None) -> NativeToTemplate:
    file = path.parent / "space" / TRANSFORM if given is None else given
    if given is None and not file.is_file():
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "It is not known how this PET lies in the template: no space folder is beside it.",
            "Name the transform of its scan with --transform.",
        )
    return NativeToTemplate.read(file)


def _write(folder: Path, pages: dict[str, bytes]) -> tuple[Path, ...]:
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in pages.items():
            partial = folder / f".{name}.part"
            partial.write_bytes(content)
            partial.replace(folder / name)
            written.append(folder / name)
    except OSError as problem:
        raise output_error(folder, problem) from problem
    return tuple(written)
