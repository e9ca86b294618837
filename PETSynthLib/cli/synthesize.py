"""``petsynth synthesize``: a T1 (and what else is known) to a synthetic PET."""

from __future__ import annotations

from typing import Annotated

import typer

from ..checks import OVERRIDABLE
from ..clinical import ClinicalRecord
from ..request import Preset, Regions, SynthesisRequest
from .options import AtlasRegions, Device, Json, Model, Output, Quiet, Verbose


def synthesize(
    t1: Annotated[str, typer.Argument(metavar="T1", help="T1-weighted MRI (NIfTI or NRRD).")],
    output: Output,
    tracer: Annotated[
        str, typer.Option(help="Tracer, e.g. fdg; it must be one of the model's.", metavar="TRACER")
    ],
    flair: Annotated[str | None, typer.Option(help="T2-FLAIR of the same person.")] = None,
    age: Annotated[float | None, typer.Option(help="Years.")] = None,
    sex: Annotated[str | None, typer.Option(help="F or M.")] = None,
    education: Annotated[float | None, typer.Option(help="Years of schooling.")] = None,
    mmse: Annotated[float | None, typer.Option(help="0-30; will shape the picture.")] = None,
    adas13: Annotated[float | None, typer.Option(help="0-85; will shape the picture.")] = None,
    apoe4: Annotated[int | None, typer.Option(help="0-2 alleles; will shape the picture.")] = None,
    pet_scanner: Annotated[
        str | None, typer.Option(help="Imitate a PET by ge, philips or siemens.")
    ] = None,
    mask: Annotated[str | None, typer.Option(help="Brain mask on the T1's grid.")] = None,
    model: Model = "flow",
    preset: Annotated[Preset, typer.Option(help="How much time to spend.")] = Preset.BALANCED,
    samples: Annotated[int | None, typer.Option(help="Number of random samples.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples.")] = 0,
    regions: AtlasRegions = Regions.DEFORMABLE,
    device: Device = "auto",
    use_anyway: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Override a red check (repeatable): {', '.join(OVERRIDABLE)}.", metavar="NAME"
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a synthetic PET from a T1-weighted MRI, in the MRI's own space."""
    clinical = ClinicalRecord(
        age=age,
        sex=None if sex is None else sex.upper(),
        education=education,
        mmse=mmse,
        adas13=adas13,
        apoe4=apoe4,
    )
    request = SynthesisRequest(
        t1=t1,
        output=output,
        tracer=tracer,
        flair=flair,
        mask=mask,
        clinical=clinical,
        # Who types a score on the command line says that it shall count.
        cognition_shapes_picture=bool(clinical.cognition()),
        pet_scanner=pet_scanner,
        model=model,
        preset=preset,
        samples=samples,
        steps=steps,
        seed=seed,
        regions=regions,
        device=device,
        overridden_checks=tuple(use_anyway or ()),
    )
    from .session import run_and_print

    run_and_print(request, as_json=json, quiet=quiet)
