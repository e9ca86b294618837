"""Images listed in a CSV file, for data that are no BIDS data set.

Columns: ``subject``, ``t1``, then as known ``flair``, ``mask``, ``pet_<tracer>``, the clinical
fields, ``site``, ``scanner``, ``anatomy``, ``split``, ``session``, ``diagnosis``, ``group``. Paths
are relative to the file.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..errors import ErrorCode, PETSynthError
from ..tracers import all_tracers
from .bids import find_bids, read_rows
from .dataset import (
    PLAIN_NAME,
    DataSet,
    Problem,
    Session,
    known,
    nothing_found,
    tracer_key,
)


def find_images(source: Path) -> DataSet:
    """The sessions of a BIDS folder or a CSV file.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when there is nothing to use.
    """
    if source.is_dir():
        return find_bids(source)
    if source.is_file():
        return find_table(source)
    raise PETSynthError(
        ErrorCode.BAD_DATA,
        f"{source} is neither a folder nor a file.",
        "Give a BIDS folder or a CSV file.",
    )


def find_table(path: Path) -> DataSet:
    """The sessions listed in a CSV file (see the module's docstring).

    A name that stands in two rows is left out altogether: nobody can say which one is right.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when a column is missing, a PET column names no known tracer, or no row can
        be used.
    """
    rows = read_rows(path, ";" if _semicolons(path) else ",", ("subject", "t1"))
    tracers = _tracer_columns(path, rows[0] if rows else {})
    count = Counter(_name(row) for row in rows)
    problems = [
        Problem(name, f"It stands in {n} rows of {path.name}.", "Keep the right one.")
        for name, n in count.items()
        if n > 1
    ]
    sessions = []
    for row in rows:
        name = _name(row)
        if count[name] > 1:
            continue
        if not row["subject"] or not row["t1"]:
            problems.append(Problem(name or "?", "Its row lacks the subject or the T1.", "Add it."))
            continue
        if not PLAIN_NAME.fullmatch(name):
            problems.append(
                Problem(name, "Its name is no plain name.", "Use letters, digits, '-' and '_'.")
            )
            continue
        sessions.append(
            Session(
                name=name,
                anatomy=known(row.get("anatomy", "")) or row["subject"],
                t1=path.parent / row["t1"],
                flair=_path(path, row, "flair"),
                mask=_path(path, row, "mask"),
                pets={
                    key: found
                    for column, key in tracers.items()
                    if (found := _path(path, row, column)) is not None
                },
                facts=row,
            )
        )
    sessions = _without_shared(sessions, problems)
    if not sessions:
        raise nothing_found(path.name, problems)
    ordered = tuple(sorted(sessions, key=lambda session: session.name))
    return DataSet(path.name, False, ordered, tuple(problems))


def _without_shared(sessions: list[Session], problems: list[Problem]) -> list[Session]:
    """Without the people whose T1 is said to be of several: a test would know its answers."""
    owners: dict[Path, set[str]] = {}
    for session in sessions:
        owners.setdefault(session.t1, set()).add(session.anatomy)
    for session in sessions:
        if len(owners[session.t1]) > 1:
            others = ", ".join(sorted(owners[session.t1] - {session.anatomy}))
            text = f"Its T1 {session.t1.name} is also that of {others}."
            problems.append(Problem(session.name, text, "Correct the path or name one anatomy."))
    return [session for session in sessions if len(owners[session.t1]) == 1]


def _name(row: dict[str, str]) -> str:
    session = row.get("session", "")
    return f"{row['subject']}_ses-{session.removeprefix('ses-')}" if session else row["subject"]


def _path(table: Path, row: dict[str, str], column: str) -> Path | None:
    cell = row.get(column, "")
    return table.parent / cell if cell and cell.lower() != "n/a" else None


def _semicolons(path: Path) -> bool:
    """Whether the header is divided by semicolons, as spreadsheets in much of Europe write."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
    except (OSError, UnicodeDecodeError):
        return False
    return header.count(";") > header.count(",")


def _tracer_columns(path: Path, row: dict[str, str]) -> dict[str, str]:
    """Column -> tracer key of every column that begins with ``pet``."""
    found = {}
    for column in row:
        if (column != "pet" and not column.startswith("pet_")) or column == "pet_manufacturer":
            continue
        key = tracer_key(column.removeprefix("pet").removeprefix("_"))
        if key is None:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"The column {column} of {path.name} does not name a known tracer.",
                f"Name it pet_ and the tracer: {', '.join(all_tracers())}.",
            )
        found[column] = key
    return found
