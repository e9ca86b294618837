"""The normative databases on this computer, for the list in the card Quantify."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.policy import has_normals
from PETSynthLib.home import petsynth_home
from PETSynthLib.normative.choose import databases_for
from PETSynthLib.normative.database import read_database
from PETSynthLib.normative.find import FOLDER

NONE = "none"
"""Stands for "no normals" in the parameter node."""


@dataclass(frozen=True)
class Normals:
    """One database: its name, words for the list, its folder, what it says of itself."""

    name: str
    title: str
    folder: Path
    meta: object


@dataclass(frozen=True)
class Measured:
    """What decides which normals a PET may be held against.

    Attributes
    ----------
    tracer, reference
        Keys.
    evidence
        Of the release policy; ``"acquired"`` for an acquired PET.
    bundle
        Digest of the model that made it; empty for an acquired PET.
    simulated
        Whether nobody was scanned.
    """

    tracer: str
    reference: str
    evidence: str
    bundle: str = ""
    simulated: bool = False


def normalsFor(measured):
    """The databases for a PET; none where its evidence does not carry them."""
    if not mayBeCompared(measured):
        return []
    found = databases_for(measured.tracer, measured.reference, measured.bundle, measured.simulated)
    return [Normals(meta.name, meta.title, folder, meta) for folder, meta in found]


def mayBeCompared(measured):
    """Whether normals may be chosen at all."""
    return has_normals(measured.evidence, measured.simulated)


def addNormals(folder):
    """Copy a whole database to the user's own; returns its name.

    Raises
    ------
    PETSynthError
        When the folder holds none, it is damaged, or its name is taken.
    """
    made = read_database(Path(folder))
    target = petsynth_home() / FOLDER / made.meta.name
    if target.exists():
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A database named {made.meta.name} is there already.",
            f"Remove {target} first.",
        )
    try:
        shutil.copytree(folder, target)
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The database cannot be copied to {target.parent} ({problem.strerror}).",
            "Make room there, or free the folder.",
        ) from problem
    return made.meta.name


def aboutNormals(normals):
    """What a database says of itself, in one line."""
    meta = normals.meta
    middle = meta.age[1]
    facts = [
        normals.name,
        meta.title,
        f"mean age {middle:.0f}",
        f"{meta.men_percent:.0f} % men",
        *(f"{key}: {value}" for key, value in meta.facts.items()),
    ]
    return ". ".join(facts) + "."
