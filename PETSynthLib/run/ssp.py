"""From a PET file to its surface pages: find what belongs to it, read, project, draw, write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..checks import Finding
from ..export import marks
from ..export.ssp import Look, Places, project, read_not_informative, ssp_files, ssp_pages
from ..normative.database import read_database
from ..normative.regression import known_person
from ..normative.score import findings_for, matched, require
from ..normative.score import normals as normals_at
from ..read import read_scan
from .pet_file import in_template, pet_of_folder, suvr_in_template
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
    normals
        Folder of a normative database, for z pages.
    age, sex
        At which the normals are taken, years and ``"F"`` or ``"M"``; needed with ``normals``.
    """

    pet: Path
    output: Path | None = None
    transform: Path | None = None
    tracer: str = ""
    find_on: Path | None = None
    palette: str = "classic"
    normals: Path | None = None
    age: float | None = None
    sex: str | None = None


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
    path = pet_of_folder(request.pet) if request.pet.is_dir() else request.pet
    pet, meaning, space = suvr_in_template(path, request.tracer, request.transform)
    sd = None
    if meaning.sd is not None:
        sd = replace(in_template(read_scan(meaning.sd, "PET"), meaning, space), quantity="sd")
    find_on = None
    if request.find_on is not None:
        find_on = space.to_template(read_scan(request.find_on, "PET").volume)
    normals, words, said = None, "", []
    if request.normals is not None:
        person = known_person(request.age, request.sex)
        database = read_database(request.normals)
        require(
            database, pet.tracer, pet.reference_region, meaning.bundle_sha256, meaning.simulated
        )
        normals, words = normals_at(database, person), database.meta.title
        pet, smoothness = matched(database, person, pet)
        said = [*findings_for(database, person), smoothness]
    projection = project(pet, sd, find_on)
    unsure: Places = ()
    if meaning.release.synthetic:
        unsure = read_not_informative(
            path.with_name(marks.file_name(pet.tracer, "regions", ".tsv"))
        )
    look = Look(request.palette)
    drawn = ssp_pages(projection, meaning.release, normals, words, look, unsure)
    pages = ssp_files(drawn, pet.tracer, meaning.release, ("png", "pdf"))
    folder = path.parent if request.output is None else request.output
    written = _write(folder, pages)
    return SspResult(written, projection.references, [*projection.findings, *said])


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
