"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Output = Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="Folder for results.")]
Model = Annotated[str, typer.Option(help="Name or folder of a model.", metavar="NAME_OR_PATH")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:i, mps or xpu.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Print the trace of an error.")]
