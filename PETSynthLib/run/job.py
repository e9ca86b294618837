"""One synthesis from request to finished output folder; what a worker and a shell both run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import pipeline
from ..export import Record, headline_lines, marks
from ..export.shown import shown_rows
from ..export.tables import regions_line
from ..progress import STAGES
from ..request import SynthesisRequest
from .cancellation import Cancellation
from .reporter import Reporter, Sink
from .timing import DEFAULT_SECONDS, timing_key
from .whole import Finished, Work, absolute, run_work

Walk = Callable[[SynthesisRequest, Path, Reporter, Path | None], pipeline.Outcome]


def run_synthesis(
    request: SynthesisRequest,
    sink: Sink,
    cancellation: Cancellation,
    walk: Walk = pipeline.synthesize,
    *,
    previews: bool = False,
) -> Finished:
    """Run ``request``; parameters and errors as `whole.run_work`.

    Parameters
    ----------
    request
        What to do; relative paths are taken from the current folder.
    walk
        The pipeline.
    """
    request = _with_absolute_paths(request)
    work = Work(
        request.as_dict(),
        Path(request.output),
        timing_key(request),
        STAGES,
        DEFAULT_SECONDS,
        lambda folder, reporter, space: walk(request, folder, reporter, space),
        lambda outcome: _described(request, outcome),
    )
    return run_work(work, sink, cancellation, previews=previews)


def _with_absolute_paths(request: SynthesisRequest) -> SynthesisRequest:
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


def _described(request: SynthesisRequest, outcome: pipeline.Outcome) -> dict[str, Any]:
    record, table = outcome.record, outcome.table
    return {
        **marks.sidecar_fields(record.tracer),
        "notices": _notices(record),
        "tracer": request.tracer,
        "model": asdict(record.model),
        # Through the release policy: what may not be shown is not in here either.
        "headline": [
            asdict(r) for r in shown_rows(table.headline, table.slice_mm, record.distances)
        ],
        "regions": record.regions_source,
        "headline_text": headline_lines(table, record),
    }


def _notices(record: Record) -> list[str]:
    """What has to be said before any number."""
    ambiguous = marks.AMBIGUOUS if record.release.triptych else ""
    said = (record.release.opening, record.release.banner, ambiguous, regions_line(record))
    return [text for text in said if text]
