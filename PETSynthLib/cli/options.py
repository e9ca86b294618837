"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from ..request import Regions

Output = Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="Folder for results.")]
Model = Annotated[str, typer.Option(help="Name or folder of a model.", metavar="NAME_OR_PATH")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:i, mps or xpu.")]
AtlasRegions = Annotated[
    Regions,
    typer.Option(help="How the table's atlas is laid onto the MRI; affine is quicker, coarser."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Print the trace of an error.")]
