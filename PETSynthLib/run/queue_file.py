"""A list of cases as a CSV file: what the panel saves and loads and the command line runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..clinical import FIELDS, ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from ..tracers import tracer

FILES = ("t1", "flair", "mask")
COLUMNS = (*FILES, "tracer", *FIELDS)
SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr")
_TOLD = 5
"""Bad rows that are told one by one; of more only the number."""


@dataclass(frozen=True)
class QueueRow:
    """One case.

    Attributes
    ----------
    t1, flair, mask
        Existing files; FLAIR and mask may be None.
    tracer
        Key of the tracer registry, or None to take the queue's.
    clinical
        What is known of the person.
    """

    t1: Path
    flair: Path | None = None
    mask: Path | None = None
    tracer: str | None = None
    clinical: ClinicalRecord = field(default_factory=ClinicalRecord)


def read_queue(path: Path) -> list[QueueRow]:
    """Read a list of cases.

    Parameters
    ----------
    path
        CSV in UTF-8 with a header line that names some of `COLUMNS`, in any order, parted by
        commas or semicolons. An empty cell is a missing value, never 0. Relative paths start at
        the file's own folder.

    Returns
    -------
    The cases in the order of the file; empty lines are left out.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` with one sentence for each row that is wrong; then no row counts.
    """
    lines = _lines(path)
    rows, problems = [], []
    for number, cells in lines:
        try:
            rows.append(_row(path.parent, cells))
        except PETSynthError as problem:
            problems.append(f"Line {number}: {problem.text}")
    if problems:
        more = len(problems) - _TOLD
        told = [*problems[:_TOLD], *([f"{more} more lines are wrong."] if more > 0 else [])]
        hint = f"Correct {path.name} and load it again; nothing of it was taken."
        raise PETSynthError(ErrorCode.BAD_REQUEST, " ".join(told), hint)
    if not rows:
        raise _refused(f"The list {path.name} holds no case.")
    return rows


def write_queue(path: Path, rows: Iterable[QueueRow]) -> None:
    """Write a list that `read_queue` reads: paths below its folder relative, others absolute.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    folder = path.absolute().parent
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            files = [_written(getattr(row, name), folder) for name in FILES]
            known = [getattr(row.clinical, name) for name in FIELDS]
            values = ["" if value is None else _short(value) for value in known]
            writer.writerow([*files, row.tracer or "", *values])


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Number and cells of every line that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            # Spreadsheets write semicolons where the comma is the decimal sign.
            separator = ";" if header.count(";") > header.count(",") else ","
            reader = csv.reader(file, delimiter=separator, strict=True)
            table = [(reader.line_num, cells) for cells in reader]
    except UnicodeDecodeError as problem:
        raise _refused(f"The list {path.name} is not written in UTF-8.") from problem
    except (OSError, csv.Error) as problem:
        raise _refused(f"The list {path.name} cannot be read ({problem}).") from problem
    names = [name.strip().lower() for name in table[0][1]] if table else []
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise _refused(f"The list {path.name} has unknown columns: {', '.join(unknown)}.")
    if len(set(names)) < len(names):
        raise _refused(f"The list {path.name} names a column twice.")
    if "t1" not in names:
        raise _refused(f"The list {path.name} has no column t1.")
    lines = []
    for number, cells in table[1:]:
        if len(cells) > len(names):
            raise _refused(f"Line {number} of {path.name} has more cells than there are columns.")
        if any(cell.strip() for cell in cells):
            lines.append((number, dict(zip(names, map(str.strip, cells), strict=False))))
    return lines


def _row(folder: Path, cells: Mapping[str, str]) -> QueueRow:
    if not cells.get("t1"):
        raise _refused("it names no t1.")
    files = {name: _file(folder, name, cells.get(name, "")) for name in FILES}
    key = cells.get("tracer", "").lower() or None
    return QueueRow(
        t1=files["t1"] or folder,
        flair=files["flair"],
        mask=files["mask"],
        tracer=None if key is None else tracer(key).key,
        clinical=ClinicalRecord(**{name: _value(name, cells.get(name, "")) for name in FIELDS}),
    )


def _file(folder: Path, name: str, cell: str) -> Path | None:
    if not cell:
        return None
    path = folder / Path(cell).expanduser()
    if not path.name.lower().endswith(SUFFIXES):
        raise _refused(f"its {name} {path.name} is neither NIfTI nor NRRD.")
    if not path.is_file():
        raise _refused(f"its {name} {cell} does not exist.")
    return path


def _value(name: str, cell: str) -> Any:
    if not cell:
        return None
    if name == "sex":
        return cell.upper()
    try:
        return int(cell) if name == "apoe4" else float(cell)
    except ValueError:
        raise _refused(f"its {name} {cell!r} is not a number.") from None


def _written(path: Path | None, folder: Path) -> str:
    if path is None:
        return ""
    place = path.absolute()
    return (place.relative_to(folder) if place.is_relative_to(folder) else place).as_posix()


def _short(value: object) -> str:
    """``71`` instead of ``71.0``."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refused(text: str) -> PETSynthError:
    return PETSynthError(ErrorCode.BAD_REQUEST, text, f"Its columns are {', '.join(COLUMNS)}.")
