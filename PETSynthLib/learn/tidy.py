"""What every measurement of an evaluation looks like: tidy rows, and sections of the report.

A row is one number. Sections are what people read: paragraphs, tables, figures and claims, which
are printed as held or as failing, never left out.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

INFORMATION = ("none", "base", "clinic", "mri", "both")
"""Information sets: nothing | age and sex | + education, MMSE, ADAS-Cog-13, APOE4 | MRI, age and
sex | all of it."""
ALL = "all"
"""Value of ``subject``, ``anatomy`` and ``site`` in a row that summarises a cohort."""


@dataclass(frozen=True)
class Row:
    """One number of the evaluation.

    Attributes
    ----------
    model
        Label of a model, a control or ``oracle``.
    seed
        0, 1, ...: which training run of the model.
    tracer
        Key of the registry, or empty.
    information
        One of `INFORMATION`, or empty.
    subject, anatomy, site
        Whose; `ALL` in a summary over subjects.
    region
        Key of `regions.region_keys`, ``brain`` for a whole image, or empty.
    metric
        Name in snake_case with its unit where it has one, e.g. ``absolute_error``.
    value
        The number; NaN when it is not defined.
    """

    model: str
    seed: int
    tracer: str
    information: str
    subject: str
    anatomy: str
    site: str
    region: str
    metric: str
    value: float


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True)
class Table:
    """A table for people. Cells are words; numbers are formatted by whoever makes the table."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A picture for people: PNG bytes, the words for those who cannot see it, and a caption."""

    png: bytes
    alternative: str
    caption: str


@dataclass(frozen=True)
class Claim:
    """A statement that was fixed before the data were seen, and whether it held.

    Attributes
    ----------
    words
        The statement.
    held
        True, False, or None when these data cannot decide it.
    evidence
        The numbers behind the verdict.
    """

    words: str
    held: bool | None
    evidence: str


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    paragraphs: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


def number(value: float | None, digits: int = 3) -> str:
    """``0.123``; an undefined number is ``n/a``, and nothing is minus zero."""
    if value is None or not math.isfinite(value):
        return "n/a"
    return f"{round(value, digits) + 0.0:.{digits}f}"


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write tidy rows as CSV (UTF-8, ``.``, seven significant digits)."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            *words, value = astuple(row)
            table.writerow((*words, f"{value:.7g}"))
    part.replace(path)


def read_rows(path: Path) -> list[Row]:
    """Read what `write_rows` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(**{**row, "seed": int(row["seed"]), "value": float(row["value"])})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]
