"""``summary.tsv``: what became of every subject and tracer, over all calls of a batch."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import PETSynthError
from ..run.staging import output_error

SUMMARY = "summary.tsv"
COLUMNS = ("subject", "tracer", "status", "seconds", "headline", "folder", "problem", "what_to_do")
_MISSING = "n/a"


@dataclass(frozen=True)
class Line:
    """One line of ``summary.tsv``; ``status`` is ``done``, ``kept`` or ``failed``.

    A problem of the data set itself has no tracer.
    """

    subject: str
    tracer: str
    status: str
    seconds: float | None
    headline: str
    folder: str
    problem: str = ""
    what_to_do: str = ""


@dataclass(frozen=True)
class Scope:
    """What a call of a batch speaks of; earlier lines about anything else stay.

    Attributes
    ----------
    there
        Names of all sessions of the data set.
    names, tracers
        Those that this call does.
    everyone
        Whether it looks at the whole data set, and not only at some participants.
    """

    there: Collection[str]
    names: Collection[str]
    tracers: Collection[str]
    everyone: bool

    def covers(self, line: Line, out: Path) -> bool:
        """Whether this call says anew what an earlier line said."""
        if line.subject in self.names and line.tracer in self.tracers:
            return True
        if not self.everyone:
            return False
        # What was wrong with the data set, and whom it has no more, unless there is a result.
        gone = line.subject not in self.there
        return not line.tracer or (gone and not (line.folder and (out / line.folder).is_dir()))


def earlier(out: Path, scope: Scope) -> list[Line]:
    """Lines of earlier calls that this one does not speak of; none when there is no table."""
    try:
        with (out / SUMMARY).open(encoding="utf-8", newline="") as file:
            lines = [_line(row) for row in csv.DictReader(file, delimiter="\t")]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [line for line in lines if not scope.covers(line, out)]


def _line(row: dict[str, str]) -> Line:
    cells = {name: "" if row[name] == _MISSING else row[name] for name in COLUMNS}
    seconds = cells.pop("seconds")
    return Line(**cells, seconds=float(seconds) if seconds else None)


def write_summary(out: Path, lines: Iterable[Line]) -> None:
    """Write the table whole or not at all, in the order of subjects and tracers.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses; the table before stays.
    """
    part = out / f"{SUMMARY}.part"
    ordered = sorted(lines, key=lambda line: (line.subject, line.tracer))
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow(COLUMNS)
            for line in ordered:
                cells = [getattr(line, name) for name in COLUMNS]
                table.writerow(_MISSING if cell in (None, "") else cell for cell in cells)
        part.replace(out / SUMMARY)
    except OSError as problem:
        error = output_error(out, problem)
        hint = f"{error.hint} What is finished is kept; the same command continues."
        raise PETSynthError(error.code, error.text, hint) from problem
