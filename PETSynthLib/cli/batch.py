"""``petsynth batch``: a whole data set, in the manner of BIDS Apps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ErrorCode, PETSynthError
from ..request import Preset, Regions, SynthesisRequest
from .options import AtlasRegions, Device, Model, Quiet, Verbose

EXIT_SOME_FAILED = 1


def batch(
    bids: Annotated[Path, typer.Argument(metavar="BIDS", help="BIDS folder or CSV file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for all results.")],
    level: Annotated[str, typer.Argument(metavar="participant", help="The only level there is.")],
    tracer: Annotated[str, typer.Option(help="Tracers, separated by commas.")],
    participant_label: Annotated[
        list[str] | None, typer.Option(help="A participant to do (repeatable); all if left out.")
    ] = None,
    scores_shape_picture: Annotated[
        bool, typer.Option(help="Let MMSE, ADAS-Cog-13 and APOE4 of the table count.")
    ] = False,
    pet_scanner: Annotated[
        str | None, typer.Option(help="Imitate ge, philips or siemens for all.")
    ] = None,
    model: Model = "flow",
    preset: Annotated[Preset, typer.Option(help="How much time to spend.")] = Preset.BALANCED,
    samples: Annotated[int | None, typer.Option(help="Number of random samples.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples.")] = 0,
    regions: AtlasRegions = Regions.DEFORMABLE,
    device: Device = "auto",
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://...", help="A Dask scheduler to use instead.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Synthesize PET for every session of a data set; run it again to continue."""
    if level != "participant":
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The level {level!r} is not known.",
            "Write: petsynth batch BIDS OUT participant.",
        )
    from rich.console import Console
    from rich.progress import Progress

    from ..batch.participants import BatchRequest, run_batch
    from ..batch.summary import SUMMARY

    like = SynthesisRequest(
        t1="",
        output="",
        cognition_shapes_picture=scores_shape_picture,
        pet_scanner=pet_scanner,
        # A bare word is the name of a model, anything else the folder of one.
        model=model if Path(model).name == model else str(Path(model).expanduser().absolute()),
        preset=preset,
        samples=samples,
        seed=seed,
        regions=regions,
        device=device,
    )
    request = BatchRequest(
        source=bids,
        out=out,
        tracers=tuple(t.strip() for t in tracer.split(",") if t.strip()),
        like=like,
        labels=tuple(participant_label or ()),
        jobs=jobs,
        scheduler=scheduler,
    )
    console = Console(stderr=True, quiet=quiet, highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Synthesizing", total=None)
        lines = run_batch(
            request, lambda done, total: bar.update(task, completed=done, total=total)
        )
    failed = [line for line in lines if line.status == "failed"]
    if not quiet:
        kept = sum(line.status == "kept" for line in lines)
        made = len(lines) - kept - len(failed)
        print(f"{made} made, {kept} were there, {len(failed)} failed: {out / SUMMARY}")
        for line in failed[:5]:
            print(f"  {line.subject} {line.tracer}: {line.problem} {line.what_to_do}")
    return EXIT_SOME_FAILED if failed else 0
