"""``petsynth batch``: a synthesis for every session of a data set, in the manner of BIDS Apps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, PETSynthError
from ..export.bids_dataset import DESCRIPTION, derivative_description
from ..export.finished import REQUEST, RESULT
from ..generate import find_bundle, verify_bundle
from ..read.dataset import DataSet, Session
from ..read.table import find_images
from ..request import SynthesisRequest, request_from_dict
from ..run.failure import explain, write_trace
from ..tracers import tracer
from .cluster import map_on_cluster
from .summary import Line, Scope, earlier, write_summary

Job = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class BatchRequest:
    """What to do with a data set.

    Attributes
    ----------
    source
        BIDS folder or CSV file.
    out
        Folder of the results, a BIDS derivative.
    tracers
        Keys.
    like
        Everything else of the single requests (its images, person and output are replaced).
    labels
        Participants to do, with or without ``sub-``; empty does all.
    jobs
        Processes of the local cluster.
    scheduler
        Address of a Dask scheduler instead of a local cluster.
    """

    source: Path
    out: Path
    tracers: tuple[str, ...]
    like: SynthesisRequest
    labels: tuple[str, ...] = ()
    jobs: int = 1
    scheduler: str | None = None


def run_batch(
    request: BatchRequest,
    progress: Callable[[int, int], None] = lambda done, total: None,
    job: Job | None = None,
) -> list[Line]:
    """Synthesize every tracer for every session; one that fails stops nobody.

    Results that are there already, made by the same request and the same model, are kept, so that
    an interrupted batch goes on where it was. A model that only the machines of a cluster have is
    told by its name alone. ``summary.tsv`` is written after every result; what it says of other
    participants and tracers stays.

    Returns
    -------
    The lines of this call.

    Parameters
    ----------
    request
        What to do.
    progress
        Told how many of how many are finished.
    job
        Runs one request in its JSON form, default: `synthesize_one`.

    Raises
    ------
    PETSynthError
        When the data set holds nothing to use, the folder cannot be written or no scheduler
        answers.
    """
    data = find_images(request.source)
    sessions = _chosen(data, request.labels)
    lines = [
        Line(p.name, "", "failed", None, "", "", p.text, p.hint)
        for p in data.problems
        if not request.labels
    ]
    model = _digest(request.like.model)
    todo: dict[str, tuple[str, str]] = {}
    tasks = []
    for session in sessions:
        for key in request.tracers:
            try:
                single = _single(request, session, tracer(key).key)
            except PETSynthError as problem:
                lines.append(_failed(session.name, key, "", problem))
                continue
            kept = _kept(single, model)
            if kept is None:
                tasks.append(single.as_dict())
                todo[single.output] = (session.name, key)
            else:
                lines.append(_line(session.name, key, "kept", kept, request.out))
    _describe(request.out, data)
    scope = Scope(
        there={s.name for s in data.sessions},
        names={s.name for s in sessions},
        tracers=request.tracers,
        everyone=not request.labels,
    )
    others = earlier(request.out, scope)
    total = len(lines) + len(tasks)
    write_summary(request.out, [*others, *lines])
    if tasks:
        progress(len(lines), total)
        job = job or synthesize_one
        for task, result in map_on_cluster(job, tasks, request.jobs, request.scheduler):
            name, key = todo[task["output"]]
            lines.append(_outcome(name, key, result, request.out))
            write_summary(request.out, [*others, *lines])
            progress(len(lines), total)
    return sorted(lines, key=lambda line: (line.subject, line.tracer))


def synthesize_one(body: dict[str, Any]) -> dict[str, Any]:
    """Run one request; returns ``result.json``'s content, or ``error`` and ``hint``."""
    from ..run.cancellation import Cancellation
    from ..run.job import run_synthesis

    try:
        return run_synthesis(request_from_dict(body), lambda event: None, Cancellation()).body
    except Exception as problem:  # whatever it is, it is this subject's only
        error = explain(problem)
        if error is not problem:
            write_trace(problem, [path for path in (body["t1"], body["flair"]) if path])
        return {"error": error.text, "hint": error.hint}


def _chosen(data: DataSet, labels: tuple[str, ...]) -> list[Session]:
    wanted = {label.removeprefix("sub-") for label in labels}
    chosen = [
        s
        for s in data.sessions
        if not wanted or s.name.partition("_ses-")[0].removeprefix("sub-") in wanted
    ]
    if not chosen:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"{data.name} has none of the participants {', '.join(sorted(wanted))}.",
            "Give labels as in participants.tsv, with or without sub-.",
        )
    return chosen


def _single(request: BatchRequest, session: Session, key: str) -> SynthesisRequest:
    def absolute(path: Path | None) -> str | None:
        return None if path is None else str(path.absolute())

    folder = request.out / Path(*session.name.split("_")) / f"trc-{tracer(key).bids}"
    return replace(
        request.like,
        t1=str(session.t1.absolute()),
        flair=absolute(session.flair),
        mask=absolute(session.mask),
        clinical=session.clinical,
        pet_scanner=request.like.pet_scanner or session.scanner or None,
        tracer=key,
        output=str(folder.absolute()),
    )


def _digest(model: str) -> str | None:
    """SHA-256 of a model's bundle; None when only the machines of a cluster have it."""
    try:
        return verify_bundle(find_bundle(model)).sha256
    except PETSynthError:
        return None


def _kept(request: SynthesisRequest, model: str | None) -> dict[str, Any] | None:
    """The result of the same request and the same model, when it is there.

    Parameters
    ----------
    model
        Digest of the bundle that would be used; a folder may hold another model than before. None
        when it is not on this machine: then the same request has to do.
    """
    folder = Path(request.output)
    try:
        before = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
        body: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = before == json.loads(json.dumps(request.as_dict()))
    used = body.get("model", {}).get("bundle_sha256")
    return body if same and model in (None, used) else None


def _outcome(name: str, key: str, result: dict[str, Any] | BaseException, out: Path) -> Line:
    if isinstance(result, BaseException):
        died = PETSynthError(
            ErrorCode.INTERNAL,
            f"Its process ended without a result ({type(result).__name__}).",
            "Look for memory; run it again, or alone with petsynth synthesize.",
        )
        return _failed(name, key, "", died)
    if "error" in result:
        return Line(name, key, "failed", None, "", "", result["error"], result["hint"])
    return _line(name, key, "done", result, out)


def _failed(name: str, key: str, folder: str, problem: PETSynthError) -> Line:
    return Line(name, key, "failed", None, "", folder, problem.text, problem.hint)


def _line(name: str, key: str, status: str, body: dict[str, Any], out: Path) -> Line:
    first = next(iter(body.get("headline_text") or []), "")
    folder = Path(body["folder"])
    absolute = out.absolute()
    shown = folder.relative_to(absolute) if folder.is_relative_to(absolute) else folder
    return Line(name, key, status, body.get("total_seconds"), first, shown.as_posix())


def _describe(out: Path, data: DataSet) -> None:
    """What makes the folder a BIDS derivative, and says that its PET are synthetic."""
    name = f"Synthetic PET computed from the MRI of {data.name}; no PET was acquired"
    body = derivative_description(name, "petsynth batch")
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(body, indent=1) + "\n"
        (out / DESCRIPTION).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The folder {out} cannot be written ({problem.strerror}).",
            "Choose another one, or free disk space.",
        ) from problem
