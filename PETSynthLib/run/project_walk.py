"""The walk from a PET to the brain surface: read, project, hold against normals, draw, write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..checks import Finding
from ..export.meaning import Meaning, pet_of_folder
from ..export.policy import Grounds, Release, judged
from ..export.record import Source
from ..export.ssp import read_not_informative
from ..export.surface_files import SurfaceResult, write_surface
from ..export.surface_maps import project
from ..normative.database import Database, read_database
from ..normative.find import find_database
from ..normative.regression import Person, known_person
from ..normative.score import findings_for, matched
from ..normative.score import normals as normals_at
from ..progress import Progress
from ..read import read_scan
from ..request import ProjectRequest
from ..volume import PetVolume
from .pet_file import read_pet, sd_in_template, suvr_of


def project_pet(
    request: ProjectRequest,
    folder: Path,
    progress: Progress,
    previous_space: Path | None = None,
    *,
    to_json: Callable[[Any], str] = json.dumps,
) -> SurfaceResult:
    """Lay a PET onto the brain surface.

    Parameters
    ----------
    request
        Everything that decides the result.
    folder
        Existing folder for the results.
    progress
        Is told where the walk is, and stops it.
    previous_space
        Not looked at: the PET's own ``space/`` says how it lies.
    to_json
        Strict JSON text.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when an image or the transform cannot be read; ``BAD_REQUEST`` when it is
        not known how the PET lies or which tracer it shows, or the normals are not for it;
        ``BAD_DATA`` when a synthetic PET is not the one its JSON file describes, or a reference
        shows no uptake.
    Cancelled
        When ``progress`` said so.
    """
    progress.stage("read")
    path = Path(request.pet)
    file = pet_of_folder(path) if path.is_dir() else path
    transform = None if request.transform is None else Path(request.transform)
    scan, meaning, space = read_pet(file, request.tracer, transform)
    pet = suvr_of(scan, meaning, space)
    sd = sd_in_template(meaning, space)
    find_on = None
    if request.find_on is not None:
        find_on = space.to_template(read_scan(Path(request.find_on), "PET").volume)
    database, person = _normals(request)
    release, withheld = _judged(pet, meaning, database)

    progress.stage("project")
    said: list[Finding] = []
    normals = None
    if database is not None and person is not None:
        normals = normals_at(database, person)
        pet, smoothness = matched(database, person, pet)
        said = [*findings_for(database, person), smoothness]
    projection = project(pet, sd, find_on)
    findings = (*projection.findings, *said)
    for finding in findings:
        progress.finding(finding)
    result = SurfaceResult(
        projection=projection,
        release=release,
        withheld=withheld,
        simulated=meaning.simulated,
        source=Source("PET", file.name, scan.sha256),
        model=meaning.model,
        normals=normals,
        database=None if database is None else database.meta,
        unsure=read_not_informative(meaning.table),
        palette=request.palette,
        findings=findings,
    )
    progress.stage("export")
    write_surface(folder, result, to_json)
    return result


def _normals(request: ProjectRequest) -> tuple[Database | None, Person | None]:
    if request.database is None:
        return None, None
    person = known_person(request.clinical.age, request.clinical.sex)
    return read_database(find_database(Path(request.database))), person


def _judged(
    pet: PetVolume, meaning: Meaning, database: Database | None
) -> tuple[Release, Mapping[str, str]]:
    grounds = Grounds(
        pet.tracer, pet.reference_region, meaning.bundle_sha256, meaning.simulated, database
    )
    return judged(meaning.release, grounds)
