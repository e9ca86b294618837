"""``petsynth prepare``: MRI and PET pairs of a data set into a store for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Quiet, Verbose


def prepare(
    source: Annotated[Path, typer.Argument(metavar="BIDS_OR_CSV", help="BIDS folder or CSV file.")],
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Folder of the store.")],
    grid: Annotated[str, typer.Option(help="2mm, 3mm, pasta, rela, or a JSON file.")] = "3mm",
    tracers: Annotated[str, typer.Option(help="Tracers, separated by commas; all if empty.")] = "",
    split: Annotated[
        str, typer.Option(help="Shares of the anatomies, like train=.7,validation=.1,test=.2.")
    ] = "",
    split_file: Annotated[
        Path | None, typer.Option(help="TSV or CSV with the columns subject and split instead.")
    ] = None,
    hold_out_site: Annotated[
        str, typer.Option(metavar="NAME", help="A site that is only tested on.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 1,
    device: Annotated[str, typer.Option(help="Where brain masks are found: cpu or cuda.")] = "cpu",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Prepare pairs of MRI and PET for training; run it again to continue."""
    from rich.console import Console
    from rich.progress import Progress

    from ..learn.prepare import PrepareRequest, grid_named, prepare_store
    from ..learn.prepare.run import FAILURES
    from ..learn.prepare.split import SHARES, parse_shares

    request = PrepareRequest(
        source=source,
        store=store,
        grid=grid_named(grid),
        tracers=tuple(t.strip() for t in tracers.split(",") if t.strip()),
        shares=parse_shares(split) if split else SHARES,
        split_file=split_file,
        held_out_site=hold_out_site,
        seed=seed,
        jobs=jobs,
        device=device,
    )
    console = Console(stderr=True, quiet=quiet, highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Preparing", total=None)
        made = prepare_store(
            request, lambda done, total: bar.update(task, completed=done, total=total)
        )
    if quiet:
        return
    print(f"{made.made} subjects prepared, {made.kept} were there, {made.failed} failed: {store}")
    for problem in made.problems[:5]:
        print(f"  {problem.name}: {problem.text} {problem.hint}")
    if made.problems:
        print(f"  {len(made.problems)} problems in all, listed in {store / FAILURES}")
    print(f"Look through the pictures before training: {store / 'qc' / 'index.html'}")
