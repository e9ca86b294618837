"""The queue of several T1s, without Qt: what waits, what runs, what became of the rest."""

import csv
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from PETSynthLib.clinical import FIELDS, ClinicalRecord
from PETSynthLib.errors import ErrorCode, PETSynthError

COLUMNS = ("t1", "flair", *FIELDS, "tracer")


class CaseState(Enum):
    """Where a case is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass
class Case:
    """One T1 of the queue.

    Attributes
    ----------
    t1, flair
        Id of a node, or path of a file that is loaded when its turn comes.
    request
        The library's request without files.
    name
        For the table.
    isFile
        Whether ``t1`` and ``flair`` are paths.
    told
        Duration of a finished case, or the sentence of a failure.
    """

    t1: str
    flair: str | None
    request: object
    name: str
    isFile: bool = False
    state: CaseState = CaseState.WAITING
    told: str = ""


@dataclass
class BatchQueue:
    """Cases in order; a failed one does not stop the rest."""

    cases: list = field(default_factory=list)
    active: bool = False

    @property
    def waiting(self):
        """Cases that have not begun."""
        return [case for case in self.cases if case.state is CaseState.WAITING]

    @property
    def running(self):
        """The case at work, or None."""
        return next((case for case in self.cases if case.state is CaseState.RUNNING), None)

    @property
    def place(self):
        """(number of the running case, number of all that were not removed)."""
        case = self.running
        return (self.cases.index(case) + 1 if case else 0), len(self.cases)

    def add(self, case):
        """Add a case at the end."""
        self.cases.append(case)

    def remove(self, indices):
        """Remove the waiting ones among these rows."""
        gone = [
            self.cases[i]
            for i in indices
            if i < len(self.cases) and self.cases[i].state is CaseState.WAITING
        ]
        self.cases = [case for case in self.cases if case not in gone]

    def next(self):
        """Begin the next waiting case; None when there is none, and the queue is at rest."""
        case = self.waiting[0] if self.waiting else None
        self.active = case is not None
        if case is not None:
            case.state = CaseState.RUNNING
        return case

    def end(self, state, told=""):
        """The running case ended; a cancel leaves the rest waiting."""
        case = self.running
        if case is not None:
            case.state, case.told = state, told
        if state is CaseState.CANCELLED:
            self.active = False


def readCsv(path, request):
    """Cases of a CSV file that the command line reads too.

    Parameters
    ----------
    path
        With a header line; relative paths are taken from the file's folder.
    request
        Request to start from; a row's clinical values and tracer replace its own. An empty cell is
        a missing value.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` with the line that cannot be read.
    """
    from dataclasses import replace

    path = Path(path)
    cases = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise _unreadable(f"{path.name} cannot be read ({problem})") from problem
    for number, row in enumerate(rows, start=2):
        unknown = sorted(set(filter(None, row)) - set(COLUMNS))
        if unknown:
            raise _unreadable(f"{path.name} has unknown columns: {', '.join(unknown)}")
        cells = {key: (value or "").strip() for key, value in row.items() if key}
        if not cells.get("t1"):
            raise _unreadable(f"line {number} of {path.name} names no t1")
        try:
            clinical = ClinicalRecord(
                **{name: _value(name, cells.get(name, "")) for name in FIELDS}
            )
        except ValueError as problem:
            raise _unreadable(f"line {number} of {path.name}: {problem}") from problem
        tracer = cells.get("tracer") or request.tracer
        files = [path.parent / cells[key] if cells.get(key) else None for key in ("t1", "flair")]
        cases.append(
            Case(
                t1=str(files[0]),
                flair=None if files[1] is None else str(files[1]),
                request=replace(request, clinical=clinical, tracer=tracer),
                name=files[0].name,
                isFile=True,
            )
        )
    return cases


def _value(name, text):
    if not text:
        return None
    if name == "sex":
        return text.upper()
    return int(text) if name == "apoe4" else float(text)


def _unreadable(what):
    return PETSynthError(
        ErrorCode.BAD_REQUEST,
        f"The list {what}.",
        f"Its columns are {', '.join(COLUMNS)}.",
    )


def writeCsv(path, cases):
    """Write ``cases`` so that `readCsv` and the command line read them (files only)."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for case in cases:
            clinical = case.request.clinical
            values = [getattr(clinical, name) for name in FIELDS]
            cells = ["" if value is None else f"{value}" for value in values]
            writer.writerow([case.t1, case.flair or "", *cells, case.request.tracer])
