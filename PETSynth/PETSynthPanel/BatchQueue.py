"""The queue of several T1s, without Qt: what waits, what runs, what became of the rest."""

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from PETSynthLib.run.queue_file import QueueRow, read_queue


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
    t1, flair, mask
        Id of a node, or path of a file that is loaded when its turn comes; FLAIR and mask may be
        None.
    request
        The library's request without files.
    name
        For the table.
    isFile
        Whether they are paths.
    told
        Duration of a finished case, or the sentence of a failure.
    """

    t1: str
    flair: str | None
    request: object
    name: str
    isFile: bool = False
    mask: str | None = None
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


def casesOf(path, request):
    """The cases of a CSV file (`PETSynthLib.run.queue_file`).

    Parameters
    ----------
    path
        The file.
    request
        Request to start from; a row's clinical values and tracer replace its own.

    Raises
    ------
    PETSynthError
        With one sentence for each row that is wrong.
    """
    return [
        Case(
            t1=str(row.t1),
            flair=_text(row.flair),
            mask=_text(row.mask),
            request=replace(request, clinical=row.clinical, tracer=row.tracer or request.tracer),
            name=row.t1.name,
            isFile=True,
        )
        for row in read_queue(Path(path))
    ]


def rowOf(case, files):
    """The line of a case; ``files`` are the paths of its T1w, FLAIR and mask, or None."""
    places = [None if file is None else Path(file) for file in files]
    return QueueRow(*places, tracer=case.request.tracer, clinical=case.request.clinical)


def _text(path):
    return None if path is None else str(path)
