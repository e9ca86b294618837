"""A data set before it is read: which images belong to whom, and what is known of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ..clinical import FIELDS, ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from ..request import SCANNERS
from ..tracers import all_tracers

_MISSING = frozenset({"", "n/a", "na", "nan", "none", "null", "-"})
PLAIN_NAME = re.compile(r"\w[\w.-]*")
"""What a subject may be called: names become parts of paths."""
_SEXES = {"f": "F", "female": "F", "w": "F", "0": "F", "m": "M", "male": "M", "1": "M"}
_ALIASES = {
    "education": ("education", "education_years", "years_of_education", "pteducat"),
    "mmse": ("mmse", "mmscore"),
    "adas13": ("adas13", "adas_cog_13", "adas"),
    "apoe4": ("apoe4", "apoe_e4", "apoe4_alleles"),
    "sex": ("sex", "gender", "ptgender"),
    "age": ("age", "age_years"),
    "diagnosis": ("diagnosis", "dx", "group_diagnosis"),
    "manufacturer": ("manufacturer", "scanner", "pet_manufacturer"),
}
_TRACER_ALIASES = {
    "av45": "florbetapir",
    "florbetapir": "florbetapir",
    "av1451": "flortaucipir",
    "flortaucipir": "flortaucipir",
    "t807": "flortaucipir",
    "fbb": "florbetaben",
    "florbetaben": "florbetaben",
    "fmm": "flutemetamol",
    "flutemetamol": "flutemetamol",
    "mk6240": "mk6240",
    "fdg": "fdg",
    "fluorodeoxyglucose": "fdg",
    "pib": "pib",
    "pbr28": "pbr28",
}


@dataclass(frozen=True)
class SimulationFiles:
    """What only a simulation knows of a session.

    Attributes
    ----------
    labels
        Region labels on the T1's grid.
    truth
        PET without noise by tracer key, on the PET's grid, SUVR.
    oracle, latents
        ``.npz`` and ``.json`` to be kept with the data.
    """

    labels: Path | None = None
    truth: dict[str, Path] = field(default_factory=dict)
    oracle: Path | None = None
    latents: Path | None = None


@dataclass(frozen=True)
class Session:
    """The images of one person on one occasion.

    Attributes
    ----------
    name
        Unique in the data set, e.g. ``sub-0001`` or ``sub-0001_ses-02``.
    anatomy
        Whose brain it is; two sessions of one person share it.
    t1, flair, mask
        Paths; FLAIR and mask may be None.
    pets
        Acquired PET by tracer key.
    facts
        Columns of the table of people, lower-case names.
    simulation
        What only a simulation knows.
    """

    name: str
    anatomy: str
    t1: Path
    flair: Path | None = None
    mask: Path | None = None
    pets: dict[str, Path] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    simulation: SimulationFiles = SimulationFiles()

    def fact(self, name: str) -> str:
        """What the table says under ``name`` (or a common alias), empty when nothing."""
        for column in _ALIASES.get(name, (name,)):
            if value := known(self.facts.get(column, "")):
                return value
        return ""

    @property
    def clinical(self) -> ClinicalRecord:
        """What is known of the person.

        Raises
        ------
        PETSynthError
            ``BAD_DATA`` for a value that is no number, ``BAD_REQUEST`` for one out of range.
        """
        values = {name: self.fact(name) for name in FIELDS}
        sex = values.pop("sex")
        if sex and sex.lower() not in _SEXES:
            raise _unreadable("sex", sex, "F or M")
        numbers = {name: _number(name, text) for name, text in values.items()}
        apoe4 = numbers.pop("apoe4")
        if apoe4 is not None and apoe4 != int(apoe4):
            raise _unreadable("apoe4", f"{apoe4:g}", "0, 1 or 2")
        return ClinicalRecord(
            **numbers,
            sex=_SEXES[sex.lower()] if sex else None,
            apoe4=None if apoe4 is None else int(apoe4),
        )

    @property
    def scanner(self) -> str:
        """Manufacturer of the PET scanner as a key of ``request.SCANNERS``, empty if unknown."""
        # Whole words: "Philips Gemini" holds the letters of GE.
        words = re.findall("[a-z]+", self.fact("manufacturer").lower())
        return next((key for key in SCANNERS if key in words), "")


def known(cell: str) -> str:
    """The text of a table's cell; empty for the words that say that nothing is known."""
    text = cell.strip()
    return "" if text.lower() in _MISSING else text


def _number(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise _unreadable(name, text, "a number") from None


def _unreadable(name: str, text: str, wanted: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_DATA,
        f"The table of people says {text!r} under {name}, which is not {wanted}.",
        "Correct the cell, or write n/a.",
    )


@dataclass(frozen=True)
class Problem:
    """Why something of a data set cannot be used; the rest can.

    Attributes
    ----------
    name
        Session or subject it concerns.
    text, hint
        One sentence on what is wrong, one on what to do.
    """

    name: str
    text: str
    hint: str


@dataclass(frozen=True)
class DataSet:
    """What was found in a folder or table.

    Attributes
    ----------
    name
        Name of the folder or file.
    simulated
        Whether the data set says that it was simulated.
    sessions
        What can be used, sorted by name.
    problems
        What cannot, and why.
    """

    name: str
    simulated: bool
    sessions: tuple[Session, ...]
    problems: tuple[Problem, ...]


def tracer_key(name: str) -> str | None:
    """Key of the tracer that a BIDS entity or a sidecar's ``TracerName`` means, None if unknown.

    ``18FFDG``, ``FDG``, ``11CPIB``, ``AV45``, ``Florbetapir`` and the like.
    """
    word = "".join(letter for letter in name.lower() if letter.isalnum())
    for key, entry in all_tracers().items():
        if word in (key, entry.bids.lower()):
            return key
    for isotope in ("18f", "11c"):
        word = word.removeprefix(isotope).removesuffix(isotope)
    return _TRACER_ALIASES.get(word)


def nothing_found(name: str, problems: list[Problem]) -> PETSynthError:
    """The error of a data set without a single usable session."""
    first = f" The first problem: {problems[0].name}: {problems[0].text}" if problems else ""
    return PETSynthError(
        ErrorCode.BAD_DATA,
        f"No usable T1-weighted MRI was found in {name}.{first}",
        "Give a BIDS folder (sub-*/anat/*_T1w.nii.gz) or a CSV file with the columns subject "
        "and t1.",
    )
