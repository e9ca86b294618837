"""From a PET file to its surface pages: find what belongs to it, read, project, draw, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..checks import Finding
from ..export.policy import Grounds, judged
from ..export.ssp import Look, project, read_not_informative, ssp_files, ssp_pages
from ..normative.database import read_database
from ..normative.find import find_database
from ..normative.regression import known_person
from ..normative.score import findings_for, matched
from ..normative.score import normals as normals_at
from ..read import read_scan
from .pet_file import pet_of_folder, sd_in_template, suvr_in_template
from .staging import move_each, output_error


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
        Folder or name of a normative database, for z pages.
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
        Pages are written all together or not at all.
    """
    path = pet_of_folder(request.pet) if request.pet.is_dir() else request.pet
    pet, meaning, space = suvr_in_template(path, request.tracer, request.transform)
    sd = sd_in_template(meaning, space)
    find_on = None
    if request.find_on is not None:
        find_on = space.to_template(read_scan(request.find_on, "PET").volume)
    release, normals, words, said = meaning.release, None, "", []
    if request.normals is not None:
        person = known_person(request.age, request.sex)
        database = read_database(find_database(request.normals))
        grounds = Grounds(
            pet.tracer, pet.reference_region, meaning.bundle_sha256, meaning.simulated, database
        )
        release, _ = judged(release, grounds)
        normals, words = normals_at(database, person), database.meta.title
        pet, smoothness = matched(database, person, pet)
        said = [*findings_for(database, person), smoothness]
    projection = project(pet, sd, find_on)
    unsure, look = read_not_informative(meaning.table), Look(request.palette)
    drawn = ssp_pages(projection, release, normals, words, look, unsure, meaning.simulated)
    pages = ssp_files(drawn, pet.tracer, release, ("png", "pdf"))
    folder = path.parent if request.output is None else request.output
    written = _write(folder, pages)
    return SspResult(written, projection.references, [*projection.findings, *said])


def _write(folder: Path, pages: dict[str, bytes]) -> tuple[Path, ...]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".ssp.partial-", dir=folder) as beside:
            for name, content in pages.items():
                (Path(beside) / name).write_bytes(content)
            move_each(Path(beside), list(pages), folder)
    except OSError as problem:
        raise output_error(folder, problem) from problem
    return tuple(folder / name for name in pages)
