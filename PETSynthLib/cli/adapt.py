"""``petsynth adapt``: a model at a new site, with a few of its people and no training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Quiet, Verbose


def adapt(
    data: Annotated[
        Path, typer.Option(help="Store of the site's people, with PETs.", metavar="STORE")
    ],
    init: Annotated[str, typer.Option(metavar="BUNDLE", help="Name or folder of the model.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="NEW", help="Folder of the new model.")
    ],
    device: Device = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Fit a model's scale, scanner and intervals to a site with at least twenty of its people."""
    from rich.console import Console
    from rich.progress import Progress

    from ..learn.calibrate import adapt as run
    from ..learn.store import open_store

    console = Console(stderr=True, quiet=quiet, highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Adapting")

        def tell(words: str, done: int, total: int) -> None:
            bar.update(task, description=words, completed=done, total=total)

        done = run(open_store(data), init, output, device=device, tell=tell)
    if quiet:
        return
    print(f"Model: {done.calibrated.folder}")
    for tracer, factor in done.site.factor.items():
        people = done.calibrated.people.get(tracer, 0)
        print(
            f"{tracer}: SUVR times {factor:.3f}; regional error {done.before[tracer]:.3f} before, "
            f"{done.after[tracer]:.3f} after ({people} people, each held out)"
        )
    if done.site.scanner:
        shares = ", ".join(f"{name} {share:.2f}" for name, share in done.site.scanner.items())
        print(f"The site's scanner, where none is named: {shares}")
    if done.calibrated.warning:
        console.print(done.calibrated.warning, markup=False)
