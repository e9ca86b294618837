"""One synthesis from request to finished output folder; what a worker and a shell both run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__, pipeline
from ..errors import Cancelled
from ..export import Record, headline_lines, marks
from ..export.nifti import write_pet
from ..export.policy import shown_rows
from ..home import petsynth_home
from ..request import SynthesisRequest
from ..volume import PetVolume
from .cancellation import Cancellation
from .events import Result
from .memory import peak_memory_mb
from .reporter import Reporter, Sink
from .staging import REQUEST, RESULT, Staging, is_output_problem, output_error
from .timing import StageClock, expected_seconds, remember_seconds, timing_key

RESULT_VERSION = 1
_MNI_CODE = 4
Walk = Callable[[SynthesisRequest, Path, Reporter, Path | None], pipeline.Outcome]


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


def run_synthesis(
    request: SynthesisRequest,
    sink: Sink,
    cancellation: Cancellation,
    walk: Walk = pipeline.synthesize,
    *,
    previews: bool = False,
) -> Finished:
    """Run ``request`` and put its results into its output folder, all of them or none.

    Parameters
    ----------
    request
        What to do; relative paths are taken from the current folder.
    sink
        Is told the events of the run (not the end: that is the return value or the exception).
    cancellation
        The switch that stops it.
    walk
        The pipeline.
    previews
        Whether somebody would look at previews.

    Raises
    ------
    PETSynthError, Cancelled
        The output folder is then as it was before.
    """
    request = _with_absolute_paths(request)
    staging = Staging(Path(request.output))
    cancellation.on_abandon(staging.discard)
    timings, kind = petsynth_home() / "timings.json", timing_key(request)
    clock = StageClock(expected_seconds(timings, kind))
    show = partial(_write_preview, staging) if previews else None
    reporter = Reporter(sink, cancellation, clock, show)
    try:
        outcome = walk(request, staging.folder, reporter, staging.previous_space)
        clock.finish()
        body = _result_body(request, staging, reporter, clock, outcome)
        _write_json(staging.folder / REQUEST, request.as_dict())
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
    remember_seconds(timings, kind, clock.seconds)
    return Finished(staging.output / RESULT, digest, body)


def _with_absolute_paths(request: SynthesisRequest) -> SynthesisRequest:
    """The same request, readable from any folder (``request.json`` is kept with the result)."""

    def absolute(path: str | None) -> str | None:
        return None if path is None else str(Path(path).expanduser().absolute())

    return replace(
        request,
        t1=str(absolute(request.t1)),
        output=str(absolute(request.output)),
        flair=absolute(request.flair),
        mask=absolute(request.mask),
        # A bare word is the name of a model, anything else the folder of one.
        model=request.model
        if Path(request.model).name == request.model
        else str(absolute(request.model)),
    )


def _write_preview(staging: Staging, volume: PetVolume) -> Path:
    """A preview on its own (template) grid; it lives as long as the run."""
    path = staging.scratch / marks.file_name(volume.tracer, "preview", ".nii.gz")
    write_pet(path, volume, volume.grid, _MNI_CODE)
    return path


def _result_body(
    request: SynthesisRequest,
    staging: Staging,
    reporter: Reporter,
    clock: StageClock,
    outcome: pipeline.Outcome,
) -> dict[str, Any]:
    record, table = outcome.record, outcome.table
    return {
        "version": RESULT_VERSION,
        "kind": "synthesize",
        "petsynth": __version__,
        **marks.sidecar_fields(record.tracer),
        "notices": _notices(record),
        "folder": str(staging.output),
        "tracer": request.tracer,
        "model": asdict(record.model),
        "seconds": {stage: round(value, 2) for stage, value in clock.seconds.items()},
        "total_seconds": round(clock.total, 2),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "findings": [finding.as_dict() for finding in reporter.findings],
        # Through the release policy: what may not be shown is not in here either.
        "headline": [
            asdict(r) for r in shown_rows(table.headline, table.slice_mm, record.distances)
        ],
        "headline_text": headline_lines(table, record),
    }


def _notices(record: Record) -> list[str]:
    """What has to be said before any number."""
    ambiguous = marks.AMBIGUOUS if record.release.triptych else ""
    return [text for text in (record.release.opening, record.release.banner, ambiguous) if text]


def _digests(staging: Staging) -> dict[str, str]:
    """SHA-256 of every result file by its path below the output folder."""
    return {
        name: hashlib.sha256((staging.folder / name).read_bytes()).hexdigest()
        for name in staging.files()
    }


def _write_json(path: Path, body: dict[str, Any]) -> str:
    """Write strict JSON (no NaN) in UTF-8; returns its SHA-256."""
    text = json.dumps(_plain(body), indent=1, ensure_ascii=False, allow_nan=False)
    content = text.encode("utf-8", "backslashreplace") + b"\n"
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
