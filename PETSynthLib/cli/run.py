"""``petsynth run``: a request file, as the panel, a batch or an earlier result wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..request import read_request
from .options import Json, Quiet, Verbose


def run(
    request: Annotated[Path, typer.Argument(metavar="REQUEST.JSON", help="Request file.")],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a request file, for example the request.json of an earlier result."""
    from .session import run_and_print

    run_and_print(read_request(request), as_json=json, quiet=quiet)
