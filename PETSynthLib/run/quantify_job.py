"""One measurement of a PET from request to finished output folder."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..export import marks
from ..export.quantification import Quantification
from ..export.quantification_files import cells, header_lines, headline_lines
from ..progress import QUANTIFY_STAGES
from ..request import QuantifyRequest
from .cancellation import Cancellation
from .quantify_walk import measure_pet
from .reporter import Sink
from .timing import QUANTIFY_SECONDS, quantify_timing_key
from .whole import Finished, Work, absolute, absolute_database, run_work, strict_json


def run_quantification(
    request: QuantifyRequest, sink: Sink, cancellation: Cancellation
) -> Finished:
    """Run ``request``; parameters and errors as `whole.run_work`."""
    request = replace(
        request,
        pet=str(absolute(request.pet)),
        t1=str(absolute(request.t1)),
        output=str(absolute(request.output)),
        parcellation=absolute(request.parcellation),
        mask=absolute(request.mask),
        space=absolute(request.space),
        database=absolute_database(request.database),
        pattern=absolute(request.pattern),
    )
    work = Work(
        request.as_dict(),
        Path(request.output),
        quantify_timing_key(request),
        QUANTIFY_STAGES,
        QUANTIFY_SECONDS,
        partial(measure_pet, request, to_json=strict_json),
        _described,
    )
    return run_work(work, sink, cancellation)


def _described(made: Quantification) -> dict[str, Any]:
    marked = marks.evidence_fields(made.tracer, made.release.synthetic)
    return {
        **marked,
        "notices": header_lines(made),
        "tracer": made.tracer.key,
        "reference": made.pet.reference_region,
        "headline": [cells(row) for row in made.rows[: made.headline]],
        "headline_text": headline_lines(made),
    }
