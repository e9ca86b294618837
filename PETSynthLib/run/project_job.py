"""One surface projection from request to finished output folder."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..export import marks
from ..export.surface_files import SurfaceResult
from ..progress import PROJECT_STAGES
from ..request import ProjectRequest
from .cancellation import Cancellation
from .project_walk import project_pet
from .reporter import Sink
from .timing import PROJECT_SECONDS, project_timing_key
from .whole import Finished, Work, absolute, absolute_database, run_work, strict_json


def run_projection(request: ProjectRequest, sink: Sink, cancellation: Cancellation) -> Finished:
    """Run ``request``; parameters and errors as `whole.run_work`."""
    request = replace(
        request,
        pet=str(absolute(request.pet)),
        output=str(absolute(request.output)),
        transform=absolute(request.transform),
        find_on=absolute(request.find_on),
        database=absolute_database(request.database),
    )
    work = Work(
        request.as_dict(),
        Path(request.output),
        project_timing_key(request),
        PROJECT_STAGES,
        PROJECT_SECONDS,
        partial(project_pet, request, to_json=strict_json),
        _described,
    )
    return run_work(work, sink, cancellation)


def _described(made: SurfaceResult) -> dict[str, Any]:
    pet, references = made.projection.pet, made.projection.references
    facts = made.projection.tracer
    marked = marks.evidence_fields(facts, made.release.synthetic)
    values = "   ".join(f"{key} {value:.2f}" for key, value in references.items())
    return {
        **marked,
        "notices": list(made.notices),
        "tracer": pet.tracer,
        "reference": pet.reference_region,
        "references": references,
        "headline": [],
        "headline_text": [
            *(finding.sentence for finding in made.findings),
            f"Uptake of the references: {values}",
        ],
    }
