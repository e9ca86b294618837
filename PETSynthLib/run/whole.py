"""All of a result or none: the frame in which every request that fills a folder is run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from .. import __version__
from ..errors import Cancelled
from ..export import marks
from ..export.finished import REQUEST, RESULT
from ..export.nifti import write_pet
from ..home import petsynth_home
from ..volume import PetVolume
from .cancellation import Cancellation
from .events import Result
from .memory import peak_memory_mb
from .reporter import Reporter, Sink
from .staging import Staging, is_output_problem, output_error
from .timing import StageClock, expected_seconds, remember_seconds

RESULT_VERSION = 1
_MNI_CODE = 4

T = TypeVar("T")


@dataclass(frozen=True)
class Finished:
    """A run whose results are in place.

    Attributes
    ----------
    path
        ``result.json`` in the output folder.
    sha256
        Its digest.
    body
        Its content.
    """

    path: Path
    sha256: str
    body: dict[str, Any]

    def event(self) -> Result:
        """The event that ends the run."""
        return Result(
            path=str(self.path),
            sha256=self.sha256,
            seconds=self.body["total_seconds"],
            peak_memory_mb=self.body["peak_memory_mb"],
        )


@dataclass(frozen=True, eq=False)
class Work(Generic[T]):
    """One kind of request, ready to run.

    Attributes
    ----------
    request
        Its JSON form, with absolute paths.
    output
        Folder for the results.
    timing_key
        What decides how long it takes.
    stages, seconds
        Its stages, and what they take where nothing was measured yet.
    walk
        Fills a folder; is given the folder, who to report to, and ``space/`` of an earlier result.
    describe
        What ``result.json`` says beyond what every result says.
    """

    request: dict[str, Any]
    output: Path
    timing_key: str
    stages: tuple[tuple[str, str], ...]
    seconds: Mapping[str, float]
    walk: Callable[[Path, Reporter, Path | None], T]
    describe: Callable[[T], dict[str, Any]]


def run_work(
    work: Work[T], sink: Sink, cancellation: Cancellation, *, previews: bool = False
) -> Finished:
    """Run ``work`` and put its results into its output folder, all of them or none.

    Parameters
    ----------
    sink
        Is told the events of the run (not the end: that is the return value or the exception).
    cancellation
        The switch that stops it.
    previews
        Whether somebody would look at previews.

    Raises
    ------
    PETSynthError, Cancelled
        The output folder is then as it was before.
    """
    staging = Staging(work.output, work.request["kind"])
    cancellation.on_abandon(staging.discard)
    timings = petsynth_home() / "timings.json"
    clock = StageClock(expected_seconds(timings, work.timing_key, work.seconds))
    show = partial(_write_preview, staging) if previews else None
    reporter = Reporter(sink, cancellation, clock, show, work.stages)
    try:
        outcome = work.walk(staging.folder, reporter, staging.previous_space)
        clock.finish()
        body = {
            "version": RESULT_VERSION,
            "kind": work.request["kind"],
            "petsynth": __version__,
            "folder": str(staging.output),
            "seconds": {stage: round(value, 2) for stage, value in clock.seconds.items()},
            "total_seconds": round(clock.total, 2),
            "peak_memory_mb": round(peak_memory_mb(), 1),
            "findings": [{**one.as_dict(), "key": one.key} for one in reporter.findings],
            **work.describe(outcome),
        }
        _write_json(staging.folder / REQUEST, work.request)
        body["files"] = _digests(staging)
        digest = _write_json(staging.folder / RESULT, body)
        with cancellation.commit():
            staging.commit()
    except BaseException as problem:
        full = is_output_problem(problem, staging.folder)
        staging.discard()
        if cancellation.asked:
            # A child killed by the cancel makes its caller fail in any way it likes.
            raise Cancelled from problem
        if full:
            raise output_error(staging.output, problem) from problem
        raise
    remember_seconds(timings, work.timing_key, clock.seconds)
    return Finished(staging.output / RESULT, digest, body)


def absolute(path: str | None) -> str | None:
    """A path that is readable from any folder (``request.json`` is kept with the result)."""
    return None if path is None else str(Path(path).expanduser().absolute())


def absolute_database(given: str | None) -> str | None:
    """A folder's absolute path; a bare word that is no folder here is the name of a database."""
    named = given is not None and not Path(given).exists() and Path(given).name == given
    return given if named else absolute(given)


def _write_preview(staging: Staging, volume: PetVolume) -> Path:
    """A preview on its own (template) grid; it lives as long as the run."""
    path = staging.scratch / marks.file_name(volume.tracer, "preview", ".nii.gz")
    write_pet(path, volume, volume.grid, _MNI_CODE)
    return path


def _digests(staging: Staging) -> dict[str, str]:
    """SHA-256 of every result file by its path below the output folder."""
    return {
        name: hashlib.sha256((staging.folder / name).read_bytes()).hexdigest()
        for name in staging.files()
    }


def strict_json(body: Any) -> str:
    """Strict JSON (no NaN), indented, with a line end."""
    return json.dumps(_plain(body), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write_json(path: Path, body: dict[str, Any]) -> str:
    """Write strict JSON in UTF-8; returns its SHA-256."""
    content = strict_json(body).encode("utf-8", "backslashreplace")
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _plain(value: Any) -> Any:
    """Numbers that JSON does not know (NaN, infinities) as null; numpy scalars as numbers."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
