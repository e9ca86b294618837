"""``petsynth ssp``: a PET on the brain surface, eight views, as pages and as numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..clinical import ClinicalRecord
from ..request import ProjectRequest
from .options import Json, Quiet, Verbose


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
        typer.Option("--output", "-o", metavar="DIR", help="Folder; default: ssp/ beside the PET."),
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
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Lay a PET onto the brain surface, in the manner of 3D-SSP: PNG, PDF and numbers."""
    beside = pet if pet.is_dir() else pet.parent
    request = ProjectRequest(
        pet=str(pet),
        output=str(beside / "ssp" if output is None else output),
        tracer=tracer,
        transform=None if transform is None else str(transform),
        find_on=None if find_on is None else str(find_on),
        database=None if normals is None else str(normals),
        clinical=ClinicalRecord(age=age, sex=None if sex is None else sex.value),
        palette=palette.value,
    )
    from .session import run_and_print

    run_and_print(request, as_json=json, quiet=quiet)
