"""``petsynth ssp``: a PET on the brain surface, eight views, as one picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import Quiet, Verbose


class Palette(StrEnum):
    """Choices of ``--palette``."""

    CLASSIC = "classic"
    UNIFORM = "uniform"


class Sex(StrEnum):
    """Choices of ``--sex``."""

    F = "F"
    M = "M"


def ssp(
    pet: Annotated[
        Path, typer.Argument(metavar="PET", help="PET image, or the folder of a synthesis.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder for the pages; default: PET's."),
    ] = None,
    transform: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="ITK transform of the scan to the template; default: space/ beside the PET.",
        ),
    ] = None,
    tracer: Annotated[
        str, typer.Option(help="Tracer of an acquired PET; of a synthetic one it is known.")
    ] = "",
    find_on: Annotated[
        Path | None,
        typer.Option(metavar="IMAGE", help="Find the peaks on this image, same space as the PET."),
    ] = None,
    palette: Annotated[
        Palette, typer.Option(help="classic, or uniform for colour-blind eyes.")
    ] = Palette.CLASSIC,
    normals: Annotated[
        Path | None,
        typer.Option(metavar="NDB", help="Normative database, for z pages: folder or name."),
    ] = None,
    age: Annotated[float | None, typer.Option(min=18, max=110, help="Age, years.")] = None,
    sex: Annotated[Sex | None, typer.Option(help="F or M.")] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show a PET on the brain surface, in the manner of 3D-SSP, as PNG and PDF."""
    from ..run.ssp import SspRequest, run_ssp

    words = None if sex is None else sex.value
    made = run_ssp(
        SspRequest(pet, output, transform, tracer, find_on, palette.value, normals, age, words)
    )
    if quiet:
        return
    for finding in made.findings:
        print(finding.sentence)
    values = "   ".join(f"{key} {value:.2f}" for key, value in made.references.items())
    print(f"Uptake of the references: {values}")
    for path in made.files:
        print(path)
