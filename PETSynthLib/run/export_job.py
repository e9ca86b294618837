"""One export of a finished result from request to output folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, PETSynthError
from ..export.dicom import write_dicom
from ..export.finished import REQUEST, RESULT, Finished, read_finished
from ..export.formats import WRITERS, Destination
from ..export.nameless import require_no_names, without_names
from ..progress import EXPORT_STAGES, Progress
from ..request import ExportRequest
from . import whole
from .cancellation import Cancellation
from .reporter import Sink
from .timing import EXPORT_SECONDS, export_timing_key

DICOM = "dicom"


@dataclass(frozen=True)
class Exported:
    """What was made of a result.

    Attributes
    ----------
    finished
        The result.
    files
        Format -> how many files.
    names
        Their paths below the output folder, with ``/``.
    """

    finished: Finished
    files: dict[str, int]
    names: frozenset[str]


def run_export(request: ExportRequest, sink: Sink, cancellation: Cancellation) -> whole.Finished:
    """Run ``request``; parameters and errors as `whole.run_work`."""
    request = replace(
        request,
        result=str(whole.absolute(request.result)),
        output=str(whole.absolute(request.output)),
        source_dicom=whole.absolute(request.source_dicom),
    )
    _refuse_at_once(request)
    stages = tuple(one for one in EXPORT_STAGES if one[0] in ("read", *request.formats))
    work = whole.Work(
        # The word would lead from a pseudonym back to the person.
        replace(request, study="").as_dict(),
        Path(request.output),
        export_timing_key(request),
        stages,
        {key: EXPORT_SECONDS[key] for key, _ in stages},
        partial(export_result, request),
        partial(_described, request),
    )
    return whole.run_work(work, sink, cancellation)


def export_result(
    request: ExportRequest, folder: Path, progress: Progress, previous_space: Path | None = None
) -> Exported:
    """Write every format of the request, each into its folder below ``folder``.

    Parameters
    ----------
    request
        With absolute paths.
    folder
        Existing folder for the formats.
    progress
        Is told where the export is, and stops it.
    previous_space
        Not used: nothing is measured here.

    Raises
    ------
    PETSynthError
        One sentence on what is wrong, one on what to do.
    Cancelled
        When ``progress`` said so.
    """
    progress.stage("read")
    finished = read_finished(Path(request.result))
    if request.deidentify:
        finished = without_names(finished)
    files = {}
    for name in request.formats:
        progress.stage(name)
        place = folder / name
        place.mkdir()
        if name == DICOM:
            source = None if request.source_dicom is None else Path(request.source_dicom)
            written = write_dicom(
                finished,
                place,
                request.objects,
                source,
                request.deidentify,
                progress,
                request.study,
            )
        else:
            final = Path(request.output) / name
            to = Destination(place, final, request.subject, request.deidentify)
            written = WRITERS[name](finished, to, progress)
        files[name] = len(written)
    paths = (path for path in folder.rglob("*") if path.is_file())
    return Exported(finished, files, frozenset(p.relative_to(folder).as_posix() for p in paths))


def _refuse_at_once(request: ExportRequest) -> None:
    result, output = Path(request.result).resolve(), Path(request.output).resolve()
    if output.is_relative_to(result):
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The output folder {output} lies inside the result itself.",
            "Choose a folder beside it: what was exported must not be taken for a part of it.",
        )
    if any(result.is_relative_to(output / name) for name in request.formats):
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The result {result} lies where the exported files would go.",
            "Choose another output folder.",
        )
    if request.deidentify:
        require_no_names(request.formats)


def _described(request: ExportRequest, made: Exported) -> dict[str, Any]:
    finished = made.finished
    counts = [f"{name}: {count} files" for name, count in made.files.items()]
    return {
        **finished.marked_fields,
        "notices": list(finished.notices),
        "tracer": finished.tracer.key,
        "reference": finished.reference_region,
        "formats": list(request.formats),
        "result_sha256": finished.digest,
        "headline": [],
        "headline_text": counts,
        "earlier": _earlier(Path(request.output), made.names),
    }


def _earlier(output: Path, replaced: frozenset[str]) -> list[dict[str, Any]]:
    """Records of the exports before, of which files stay in the folder: a PET and its measurement
    go there one after the other, as do the people of a BIDS derivative.

    Parameters
    ----------
    output
        The folder.
    replaced
        Files that this export writes.
    """
    try:
        record = json.loads((output / RESULT).read_text(encoding="utf-8"))
        record["request"] = json.loads((output / REQUEST).read_text(encoding="utf-8"))
        records = [*record.pop("earlier", []), record]
        gone = {*replaced, REQUEST}
        for one in records:
            one["files"] = {name: sha for name, sha in one["files"].items() if name not in gone}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # there was no export before; another kind of result there was refused already
    return [one for one in records if one["files"]]
