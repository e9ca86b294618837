"""Finding the images of a BIDS data set (PET-BIDS: ``trc-`` names the tracer)."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, PETSynthError
from .dataset import (
    DataSet,
    Problem,
    Session,
    SimulationFiles,
    known,
    nothing_found,
    tracer_key,
)

SIMULATION = Path("derivatives") / "simulation"
_SUFFIXES = (".nii.gz", ".nii")


def find_bids(folder: Path) -> DataSet:
    """The sessions of a BIDS data set; images are not opened.

    Each session with a T1 is one `Session`; of several T1, FLAIR or PET with the same tracer, the
    first by name is taken. What cannot be used becomes a `Problem`.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when there is no usable session, or ``participants.tsv`` cannot be read.
    """
    facts, problems = _participants(folder / "participants.tsv")
    twice = {problem.name for problem in problems}
    description = _json(folder / "dataset_description.json")
    sessions = []
    for subject in sorted(p for p in folder.glob("sub-*") if p.is_dir()):
        if subject.name in twice:
            continue
        places = sorted(p for p in subject.glob("ses-*") if p.is_dir()) or [subject]
        for place in places:
            session = _session(folder, subject.name, place, facts, problems)
            if session is not None:
                sessions.append(session)
    if not sessions:
        raise nothing_found(folder.name, problems)
    simulated = (folder / SIMULATION).is_dir() and "simulated" in str(
        description.get("Name", "")
    ).lower()
    return DataSet(folder.resolve().name, simulated, tuple(sessions), tuple(problems))


def _session(
    folder: Path,
    subject: str,
    place: Path,
    facts: dict[str, dict[str, str]],
    problems: list[Problem],
) -> Session | None:
    name = subject if place.name == subject else f"{subject}_{place.name}"
    t1 = _first(place / "anat", "T1w")
    pets = _pets(place, name, problems)
    if t1 is None:
        what = "a PET but no T1" if pets else "no T1"
        problems.append(Problem(name, f"It has {what} (anat/*_T1w.nii.gz).", "Add the T1."))
        return None
    simulation = folder / SIMULATION / subject
    own = {**facts.get(subject, {}), **_session_facts(place)}
    return Session(
        name=name,
        anatomy=known(own.get("anatomy", "")) or subject,
        t1=t1,
        flair=_first(place / "anat", "FLAIR"),
        mask=_mask(folder, place, name),
        pets=pets,
        facts=own,
        simulation=_simulation(simulation, name),
    )


def _pets(place: Path, name: str, problems: list[Problem]) -> dict[str, Path]:
    """PET by tracer; one without a known tracer becomes a problem."""
    found: dict[str, Path] = {}
    for path in _images(place / "pet", "pet"):
        entity = re.search(r"_trc-([A-Za-z0-9]+)", path.name)
        words = entity[1] if entity else str(_json(_sidecar(path)).get("TracerName", ""))
        key = tracer_key(words)
        if key is not None:
            found.setdefault(key, path)
        elif words:
            problems.append(
                Problem(name, f"The tracer {words!r} of {path.name} is not known.", _TRACER_HINT)
            )
        else:
            problems.append(Problem(name, f"{path.name} does not name its tracer.", _TRACER_HINT))
    return found


_TRACER_HINT = "Name the tracer in the file (_trc-18FFDG_) or in its sidecar (TracerName)."


def _mask(folder: Path, place: Path, name: str) -> Path | None:
    """A brain mask beside the T1 or in any derivative with the same session."""
    own = _first(place / "anat", "desc-brain_mask")
    if own is not None:
        return own
    relative = place.relative_to(folder)
    for derivative in sorted((folder / "derivatives").glob("*")):
        found = _first(derivative / relative / "anat", "desc-brain_mask")
        if found is not None and "space-" not in found.name:
            return found
    return None


def _simulation(folder: Path, name: str) -> SimulationFiles:
    if not folder.is_dir():
        return SimulationFiles()
    truth = {}
    for path in _images(folder, "desc-noisefree_pet"):
        entity = re.search(r"_trc-([A-Za-z0-9]+)", path.name)
        key = tracer_key(entity[1]) if entity else None
        if key is not None and path.name.startswith(f"{name}_"):
            truth[key] = path

    def there(ending: str) -> Path | None:
        path = folder / f"{name}_{ending}"
        return path if path.is_file() else None

    labels = next((p for p in _images(folder, "dseg") if p.name.startswith(f"{name}_")), None)
    return SimulationFiles(labels, truth, there("oracle.npz"), there("latents.json"))


def _images(folder: Path, suffix: str) -> list[Path]:
    """NIfTI files whose last entity is ``suffix``, by name."""
    if not folder.is_dir():
        return []
    endings = tuple(f"_{suffix}{end}" for end in _SUFFIXES)
    return sorted(p for p in folder.iterdir() if p.name.endswith(endings))


def _first(folder: Path, suffix: str) -> Path | None:
    return next(iter(_images(folder, suffix)), None)


def _sidecar(image: Path) -> Path:
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def _json(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _participants(path: Path) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    """Rows by participant; a participant with two different rows becomes a problem."""
    if not path.is_file():
        return {}, []
    rows = read_rows(path, "\t", ("participant_id",))
    found: dict[str, dict[str, str]] = {}
    twice = []
    for row in rows:
        name = row["participant_id"]
        name = name if name.startswith("sub-") else f"sub-{name}"
        if found.setdefault(name, row) != row:
            twice.append(name)
    problems = [
        Problem(name, "It has two different rows in participants.tsv.", "Keep the right one.")
        for name in dict.fromkeys(twice)
    ]
    return found, problems


def _session_facts(place: Path) -> dict[str, str]:
    """What ``sub-X_sessions.tsv`` says of a session (age and scores change between visits)."""
    path = place.parent / f"{place.parent.name}_sessions.tsv"
    if not place.name.startswith("ses-") or not path.is_file():
        return {}
    rows = read_rows(path, "\t", ("session_id",))
    return next((row for row in rows if row["session_id"] == place.name), {})


def read_rows(path: Path, delimiter: str, needed: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a table with a header; names of columns in lower case, cells stripped.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when it cannot be read or lacks a column of ``needed``.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, delimiter=delimiter)
            columns = [name.strip().lower() for name in table.fieldnames or ()]
            table.fieldnames = columns
            rows = [
                {name: (cell or "").strip() for name, cell in row.items() if name} for row in table
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The table {path.name} cannot be read ({problem}).",
            "Save it as UTF-8 text.",
        ) from problem
    if missing := [name for name in needed if name not in columns]:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The table {path.name} has no column {', '.join(missing)}.",
            f"It has {', '.join(columns) or 'none'}; name the columns as the documentation says.",
        )
    return rows
