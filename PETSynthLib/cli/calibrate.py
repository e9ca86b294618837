"""``petsynth calibrate``: regional intervals of a model, fitted on people it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Quiet, Verbose


def calibrate(
    data: Annotated[Path, typer.Option(help="Folder of the store.", metavar="STORE")],
    model: Annotated[str, typer.Option(metavar="BUNDLE", help="Name or folder of the model.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="NEW", help="Folder of the new model.")
    ],
    split: Annotated[str, typer.Option(help="Split of the store to use.")] = "calibration",
    device: Device = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a model whose 90 % regional intervals hold, by split-conformal calibration."""
    from rich.console import Console
    from rich.progress import Progress

    from ..learn.calibrate import calibrate as run
    from ..learn.store import open_store

    console = Console(stderr=True, quiet=quiet, highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Calibrating")
        done = run(
            open_store(data),
            model,
            output,
            device=device,
            splits=(split,),
            tell=lambda k, n: bar.update(task, completed=k, total=n),
        )
    if quiet:
        return
    print(f"Model: {done.folder}")
    print("People: " + ", ".join(f"{t} {n}" for t, n in done.people.items()))
    if done.warning:
        console.print(done.warning, markup=False)
