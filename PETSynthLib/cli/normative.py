"""``petsynth normative``: build a normative database, say what is in it, hold it to the test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Quiet, Verbose

if TYPE_CHECKING:
    from ..normative.database import Database

app = typer.Typer(help="Build, describe and check normative databases.", add_completion=False)

Folder = Annotated[
    Path,
    typer.Argument(metavar="NDB", help="Folder of a normative database, or a name of the list."),
]
Table = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="CSV of healthy people: subject, pet, age, sex; as known transform, fwhm.",
    ),
]


@app.command("build")
def build(
    table: Table,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where its folder is made.")
    ],
    tracer: Annotated[
        str, typer.Option(help="Tracer of acquired PET; of synthetic PET it is known.")
    ] = "",
    fwhm: Annotated[
        float | None,
        typer.Option(min=0.0, help="Blur every PET from its fwhm (column) to this one, mm."),
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(
            metavar="JSON",
            help="inclusion, scanners, ethnicity, window_min, licence, doi, as known.",
        ),
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the database.")] = "1.0.0",
    demo: Annotated[bool, typer.Option("--demo", help="The people are simulated.")] = False,
    age_squared: Annotated[bool, typer.Option("--age-squared", help="Ageing may bend.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Learn what is normal at an age and sex from healthy people's PET."""
    from ..run.normative import BuildRequest, build_database
    from .told import Told

    request = BuildRequest(table, output, tracer, fwhm, facts, version, demo, age_squared)
    with Told(silent=quiet) as tell:
        folder, made = build_database(request, tell)
    if not quiet:
        print(f"Database: {folder}")
        _print_calibration(made)


@app.command("list")
def list_names() -> None:
    """Print the databases that go by a name: the shipped ones and those in your home."""
    from ..normative.database import read_database
    from ..normative.find import list_databases

    for folder in list_databases():
        print(f"{folder.name}: {read_database(folder).meta.title}")


@app.command("info")
def info(database: Folder) -> None:
    """Print who the normals are and how well z means what it says."""
    from ..normative.database import read_database
    from ..normative.find import find_database

    made = read_database(find_database(database))
    meta = made.meta
    youngest, mean, oldest = meta.age
    rows = {
        "name": meta.name,
        "normals": meta.title,
        "tracer": meta.tracer,
        "reference": meta.reference_region,
        "model": meta.bundle_sha256 or "none, acquired PET",
        "age": f"{youngest:.0f} to {oldest:.0f}, mean {mean:.1f} years",
        "men": f"{meta.men_percent:.0f} %",
        "regression": " + ".join(meta.terms),
        "smoothness": f"{meta.fwhm_mm:.1f} mm",
        "template": meta.template,
        "built by": f"PETSynth {meta.software}",
        **meta.facts,
    }
    for key, value in rows.items():
        print(f"{key:12} {value}")
    _print_calibration(made)


@app.command("check")
def check(
    database: Folder,
    people: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Healthy people who are not in the database."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Check that a database is whole and calibrated, also on people it has never seen."""
    from ..errors import ErrorCode, PETSynthError
    from ..normative.database import read_database
    from ..normative.find import find_database
    from ..run.normative import check_database
    from .told import Told

    made = read_database(find_database(database))
    if not quiet:
        print(f"{made.meta.name}: whole")
        _print_calibration(made)
    good = all(one.good for one in made.meta.calibration.values())
    if people is not None:
        with Told(silent=quiet) as tell:
            fresh = check_database(made, people, tell)
        good = good and fresh.calibration.good
        if not quiet:
            print("\n".join(fresh.sentences()))
    if not good:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The z of {made.meta.name} does not mean what it says.",
            "Look for people who are not healthy, or who were scanned in another way.",
        )


def _print_calibration(made: Database) -> None:
    from ..normative.check import own_sentences

    for sentence in own_sentences(made):
        print(sentence)
    flags = made.meta.flags
    if flags is None:
        print("No z: too few normals.")
    else:
        some = flags.normals_with(1)
        print(f"Flag above z {flags.threshold:.2f}: {some} of {flags.n} normals get any.")
