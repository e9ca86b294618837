"""``petsynth prepare``: all sessions of a data set into a store, resumable, in parallel."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import __version__
from ...batch.processes import run_tasks
from ...clinical import ClinicalRecord
from ...errors import ErrorCode, PETSynthError
from ...read.dataset import DataSet, Problem, Session
from ...read.table import find_images
from ...run.staging import is_output_problem, output_error
from ...tracers import all_tracers, tracer
from ...volume import Grid
from ..store import StoreWriter, Subject, open_store
from .grids import GRIDS
from .pages import write_index
from .split import SHARES, read_split_file, split_column, split_sessions
from .subject import Outcome, Task, prepare_subject

FAILURES = "failures.tsv"


@dataclass(frozen=True, eq=False)
class PrepareRequest:
    """What to prepare.

    Attributes
    ----------
    source
        BIDS folder or CSV file.
    store
        Folder of the store; continued when it is there.
    grid
        Lattice on the template.
    tracers
        Keys; empty takes all that the data set has.
    shares
        Share of the anatomies by split.
    split_file
        Table that decides instead.
    held_out_site
        Site whose people are only tested on.
    seed
        Of the split.
    jobs
        Number of processes.
    device
        Where brain masks are found.
    """

    source: Path
    store: Path
    grid: Grid = GRIDS["3mm"]
    tracers: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    split_file: Path | None = None
    held_out_site: str = ""
    seed: int = 0
    jobs: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Prepared:
    """What a run has made: rows now complete, rows that were there before, what failed."""

    made: int
    kept: int
    failed: int
    problems: tuple[Problem, ...]


def prepare_store(
    request: PrepareRequest, progress: Callable[[int, int], None] = lambda done, total: None
) -> Prepared:
    """Fill a store from a data set.

    Finished rows are kept, so an interrupted run goes on where it was. A subject that fails is
    named in ``failures.tsv`` and stops nobody; it is tried again by the next run.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the data set has nothing to use or belongs to another store,
        ``BAD_OUTPUT`` when the disk is full (run it again when there is space).
    """
    data = find_images(request.source)
    sessions = data.sessions
    tracers = _tracers(request, data)
    splits = _splits(request, sessions)
    facts = _facts(request, data, tracers, splits)
    try:
        writer = StoreWriter(request.store, facts, len(sessions))
        book = _Book(writer, sessions, splits)
        tasks = [
            Task(row, session, request.store, facts, len(sessions), request.device)
            for row, session in enumerate(sessions)
            if not book.done[row]
        ]
        progress(len(sessions) - len(tasks), len(sessions))
        problems = list(data.problems)
        _write_failures(request.store, problems)
        made = 0
        for count, (task, result) in enumerate(run_tasks(prepare_subject, tasks, request.jobs), 1):
            problems += _entered(book, task, result, request.store)
            made += bool(book.done[task.row])
            _write_failures(request.store, problems)
            progress(len(sessions) - len(tasks) + count, len(sessions))
        write_index(request.store / "qc")
    except OSError as problem:
        if is_output_problem(problem, request.store):
            raise _stopped(request.store, problem) from problem
        raise
    if not book.done.any():
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"None of the {len(sessions)} subjects could be prepared. The first: "
            f"{problems[0].name}: {problems[0].text}",
            f"See {FAILURES} in the store.",
        )
    open_store(request.store)
    kept = len(sessions) - len(tasks)
    return Prepared(made, kept, len(sessions) - made - kept, tuple(problems))


class _Book:
    """``subjects.tsv`` and ``done.npy``, in step with each other."""

    def __init__(
        self, writer: StoreWriter, sessions: Iterable[Session], splits: Mapping[str, str]
    ) -> None:
        self._writer = writer
        self.done = writer.done().copy()
        self._rows = {row: _subject(row, s, splits[s.anatomy]) for row, s in enumerate(sessions)}
        if self.done.any():
            self._rows |= {s.row: s for s in open_store(writer.folder).subjects}
        self._write()

    def finish(self, outcome: Outcome) -> None:
        """Enter a complete row; its line is in the table before it counts."""
        known = vars(self._rows[outcome.row])
        found = {
            "brain_ml": outcome.brain_ml,
            "flair": outcome.flair,
            "tracers": outcome.tracers,
        }
        self._rows[outcome.row] = Subject(**{**known, **found})
        self._write()
        self._writer.finish(outcome.row)
        self.done[outcome.row] = True

    def _write(self) -> None:
        self._writer.write_subjects(self._rows[row] for row in sorted(self._rows))


def _entered(
    book: _Book, task: Task, result: Outcome | BaseException, store: Path
) -> tuple[Problem, ...]:
    """Enter what became of ``task``; returns its problems."""
    if isinstance(result, Outcome):
        if result.complete:
            book.finish(result)
        return result.problems
    if is_output_problem(result, store):
        raise _stopped(store, result) from result
    words = f"It met a problem nobody expected ({type(result).__name__}: {result})."
    return (Problem(task.session.name, words, "Please report it; the others go on."),)


def _stopped(store: Path, problem: BaseException) -> PETSynthError:
    error = output_error(store, problem)
    hint = f"{error.hint} What is finished is kept; the same command continues."
    return PETSynthError(error.code, error.text, hint)


def _tracers(request: PrepareRequest, data: DataSet) -> tuple[str, ...]:
    """Keys of the tracers to prepare, in the registry's order."""
    there = {key for session in data.sessions for key in session.pets}
    wanted = {tracer(key).key for key in request.tracers} or there
    found = tuple(key for key in all_tracers() if key in wanted & there)
    if not found:
        words = ", ".join(sorted(there)) or "no PET with a known tracer"
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"{data.name} has no PET of the tracers wanted (it has {words}).",
            data.problems[0].hint if data.problems and not there else "Choose others.",
        )
    return found


def _splits(request: PrepareRequest, sessions: tuple[Session, ...]) -> dict[str, str]:
    said = split_column(sessions) if request.split_file is None else {}
    if request.held_out_site and (said or request.split_file is not None):
        where = "the split file" if request.split_file is not None else "the table's split column"
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A site is held out, but {where} says already who is tested on.",
            f"Leave --hold-out-site out, or {where}.",
        )
    if request.split_file is not None:
        return read_split_file(request.split_file, sessions)
    return said or split_sessions(sessions, request.shares, request.seed, request.held_out_site)


def _facts(
    request: PrepareRequest, data: DataSet, tracers: tuple[str, ...], splits: Mapping[str, str]
) -> dict[str, Any]:
    """What ``store.json`` says; equal facts mean that a run may be continued."""
    plan = [f"{s.name} {s.anatomy} {splits[s.anatomy]}" for s in data.sessions]
    return {
        "kind": "simulated" if data.simulated else "real",
        "grid": {
            "shape": list(request.grid.shape),
            "affine": request.grid.affine.tolist(),
            "space": request.grid.name,
        },
        "tracers": list(tracers),
        "source": data.name,
        "held_out_site": request.held_out_site,
        "plan_sha256": hashlib.sha256("\n".join(plan).encode()).hexdigest(),
        "petsynth": __version__,
    }


def _subject(row: int, session: Session, split: str) -> Subject:
    """The line of a session before it is prepared."""
    try:
        clinical = session.clinical
    except PETSynthError:
        clinical = ClinicalRecord()  # the row will fail with that very sentence
    return Subject(
        row=row,
        subject=session.name,
        anatomy=session.anatomy,
        site=session.fact("site"),
        scanner=session.scanner,
        split=split,
        diagnosis=session.fact("diagnosis"),
        group=session.fact("group"),
        clinical=clinical,
        brain_ml=0.0,
        flair=False,
        tracers=(),
    )


def _write_failures(folder: Path, problems: Iterable[Problem]) -> None:
    with (folder / FAILURES).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(("subject", "problem", "what_to_do"))
        table.writerows((p.name, p.text, p.hint) for p in problems)
