"""The Typer application and its list of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import (
    adapt,
    audit,
    batch,
    calibrate,
    demo,
    doctor,
    evaluate,
    export,
    models,
    normative,
    prepare,
    quantify,
    run,
    scales,
    simulate,
    ssp,
    synthesize,
    train,
)

app = typer.Typer(
    name="petsynth",
    help="Synthetic PET from brain MRI. For research; not for diagnosis.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"petsynth {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


app.command("synthesize")(synthesize.synthesize)
app.command("quantify")(quantify.quantify)
app.command("export")(export.export)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("simulate")(simulate.simulate)
app.command("evaluate")(evaluate.evaluate)
app.command("audit")(audit.audit)
app.command("train")(train.train)
app.command("calibrate")(calibrate.calibrate)
app.command("adapt")(adapt.adapt)
app.add_typer(models.app, name="models")
app.command("prepare")(prepare.prepare)
app.command("ssp")(ssp.ssp)
app.add_typer(scales.app, name="scales")
app.add_typer(normative.app, name="normative")
app.command("batch")(batch.batch)
