"""From a table of healthy people to a normative database, and back to a check of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..clinical import FIELDS
from ..errors import ErrorCode, PETSynthError
from ..export.meaning import Meaning
from ..normative.build import Description, build
from ..normative.check import Fresh, check_fresh
from ..normative.database import FACTS, Database, write_database
from ..normative.measure import Measured, measure
from ..normative.regression import Person
from ..normative.score import require
from ..normative.smoothness import to_fwhm
from ..read.bids import read_rows
from ..volume import PetVolume
from .pet_file import suvr_in_template

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Healthy:
    """One row of the table.

    Attributes
    ----------
    name
        Who, for messages alone; not kept.
    person
        Age and sex.
    pet
        Image, or folder of a synthesis.
    transform
        Scan to template, or None for ``space/`` beside the PET.
    fwhm_mm
        Resolution of the scanner, or None when not stated.
    """

    name: str
    person: Person
    pet: Path
    transform: Path | None
    fwhm_mm: float | None


@dataclass(frozen=True)
class BuildRequest:
    """What to build.

    Attributes
    ----------
    table
        CSV with ``subject``, ``pet``, ``age``, ``sex``; as known ``transform``, ``fwhm``.
    output
        Folder in which the database's own folder is made.
    tracer
        Tracer of acquired PET; empty for synthetic.
    fwhm_mm
        Resolution to which every PET is blurred; None leaves them.
    facts
        JSON file with `normative.database.FACTS`.
    version
        Version of the database.
    demo
        Whether the people are simulated; known already where the PETs' own JSON files say so.
    age_squared
        Whether ageing may bend.
    """

    table: Path
    output: Path
    tracer: str = ""
    fwhm_mm: float | None = None
    facts: Path | None = None
    version: str = "1.0.0"
    demo: bool = False
    age_squared: bool = False


def build_database(request: BuildRequest, tell: Tell) -> tuple[Path, Database]:
    """Build a database and write it; returns its folder and itself.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` for a table or PET that cannot be used, with the person's name;
        ``BAD_OUTPUT`` when the database is already there. Nothing is half-written.
    """
    people = read_people(request.table)
    facts = _facts(request.facts)
    _, meaning = _read(people[0], request.tracer, None)
    kind = "synthetic" if meaning.release.synthetic else "acquired"
    description = Description(
        meaning.tracer.key,
        kind,
        meaning.bundle_sha256,
        request.version,
        request.demo or meaning.simulated,
        facts,
    )
    folder = request.output / description.name
    if folder.exists():
        # Said before an hour of reading, not after it.
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT, f"{folder.name} is already there.", "Give another --version."
        )
    made = build(
        description,
        [one.person for one in people],
        measured(people, request.tracer, meaning, request.fwhm_mm, tell),
        request.age_squared,
    )
    write_database(made, folder)
    return folder, made


def check_database(database: Database, table: Path, tell: Tell) -> Fresh:
    """z of the healthy people in ``table``, who must not be those of the database."""
    people = read_people(table)
    meta = database.meta
    tracer = meta.tracer if meta.kind == "acquired" else ""
    _, meaning = _read(people[0], tracer, None)
    require(
        database,
        meaning.tracer.key,
        meaning.tracer.reference_region,
        meaning.bundle_sha256,
        # A demonstration may be checked on anybody: no z of a person leaves this function.
        simulated=True,
    )
    numbers = measured(people, tracer, meaning, None, tell)
    return check_fresh(database, zip((one.person for one in people), numbers, strict=True))


def measured(
    people: Sequence[Healthy],
    tracer: str,
    like: Meaning,
    fwhm_mm: float | None,
    tell: Tell,
) -> Iterator[Measured]:
    """The numbers of everybody, read one by one.

    Parameters
    ----------
    like
        What the first PET holds; the others must hold the same.
    fwhm_mm
        Resolution to which PETs are blurred, or None.
    """
    for number, one in enumerate(people):
        tell("Reading PET", number, len(people))
        pet, meaning = _read(one, tracer, fwhm_mm)
        if _sort(meaning) != _sort(like):
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"The PET of {one.name} is of another tracer, kind or model than the first.",
                "Build one database for each.",
            )
        yield measure(pet)


def read_people(table: Path) -> list[Healthy]:
    """The rows of a table of healthy people.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` with the row that cannot be used: everybody in the table is meant.
    """
    people = []
    for row in read_rows(table, ",", ("subject", "pet", "age", "sex")):
        name = row["subject"] or "?"
        try:
            age, fwhm = float(row["age"]), row.get("fwhm", "")
            blur = float(fwhm) if fwhm else None
        except ValueError as problem:
            raise _bad_row(name, f"a number cannot be read ({problem})") from problem
        sex = row["sex"][:1].upper()
        if not FIELDS["age"].low <= age <= FIELDS["age"].high:
            raise _bad_row(name, f"the age {age:g} is outside 18 to 110 years")
        if sex not in ("F", "M"):
            raise _bad_row(name, f"the sex {row['sex']!r} is neither F nor M")
        transform = row.get("transform", "")
        people.append(
            Healthy(
                name,
                Person(age, sex),
                table.parent / row["pet"],
                table.parent / transform if transform else None,
                blur,
            )
        )
    names = [one.name for one in people]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _bad_row(twice[0], "it stands in two rows, and a person counts once")
    if not people:
        raise PETSynthError(
            ErrorCode.BAD_DATA, f"The table {table.name} has no rows.", "Fill it in."
        )
    return people


def _read(one: Healthy, tracer: str, fwhm_mm: float | None) -> tuple[PetVolume, Meaning]:
    try:
        pet, meaning, _ = suvr_in_template(one.pet, tracer, one.transform)
    except PETSynthError as problem:
        raise PETSynthError(problem.code, f"{one.name}: {problem.text}", problem.hint) from problem
    if fwhm_mm is None:
        return pet, meaning
    if one.fwhm_mm is None or one.fwhm_mm > fwhm_mm:
        said = "not stated" if one.fwhm_mm is None else f"{one.fwhm_mm:g} mm"
        raise _bad_row(one.name, f"its resolution is {said}, and {fwhm_mm:g} mm is wanted")
    return to_fwhm(pet, one.fwhm_mm, fwhm_mm), meaning


def _sort(meaning: Meaning) -> tuple[str, str, bool, bool]:
    """What the PETs of one database have in common."""
    key, synthetic = meaning.tracer.key, meaning.release.synthetic
    return key, meaning.bundle_sha256, synthetic, meaning.simulated


def _bad_row(name: str, why: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_DATA, f"The row of {name} cannot be used: {why}.", "Correct or remove it."
    )


def _facts(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        unknown = sorted(set(body) - set(FACTS))
    except (OSError, ValueError, TypeError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST, f"The facts {path.name} cannot be read ({problem}).", "Use JSON."
        ) from problem
    if not isinstance(body, dict) or unknown:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The facts {path.name} hold what is not known: {', '.join(unknown) or 'no object'}.",
            f"They may be {', '.join(FACTS)}.",
        )
    return body
