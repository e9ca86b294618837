"""``petsynth export``: a finished result in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..request import FORMATS, OBJECTS, ExportRequest
from .options import Json, Quiet, Verbose


def export(
    result: Annotated[
        Path,
        typer.Argument(metavar="RESULT_DIR", help="Folder of a synthesis or of a measurement."),
    ],
    formats: Annotated[
        list[str],
        typer.Option("--format", metavar="NAME", help=f"{', '.join(FORMATS)} (repeatable)."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder; a folder a format in it."),
    ],
    objects: Annotated[
        str,
        typer.Option(metavar="NAMES", help=f"DICOM objects: {','.join(OBJECTS)}; default pm."),
    ] = "",
    source_dicom: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The T1's DICOM series, whose study is added to."),
    ] = None,
    deidentify: Annotated[
        bool, typer.Option("--deidentify", help="Take out what may tell who the person is.")
    ] = False,
    subject: Annotated[
        str, typer.Option(metavar="LABEL", help="BIDS label; default: the T1's, or from its hash.")
    ] = "",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Export a finished result; nothing of it is computed again, and every file keeps its mark."""
    request = ExportRequest(
        result=str(result),
        output=str(output),
        formats=tuple(formats),
        objects=tuple(name.strip() for name in objects.split(",") if name.strip()),
        source_dicom=None if source_dicom is None else str(source_dicom),
        deidentify=deidentify,
        subject=subject.removeprefix("sub-"),
    )
    from .session import run_and_print

    run_and_print(request, as_json=json, quiet=quiet)
