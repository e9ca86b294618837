"""``petsynth quantify``: a PET and its MRI to regional numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from ..assets import REFERENCE_BITS
from ..checks import OVERRIDABLE_OF_MEASURING
from ..clinical import ClinicalRecord
from ..request import QuantifyRequest, Regions
from .options import AtlasRegions, Device, Json, Output, Quiet, Verbose


def quantify(
    pet: Annotated[
        str, typer.Argument(metavar="PET", help="PET (NIfTI or NRRD), or folder of a synthesis.")
    ],
    t1: Annotated[str, typer.Option(metavar="T1", help="T1-weighted MRI of the same person.")],
    output: Output,
    tracer: Annotated[
        str, typer.Option(metavar="TRACER", help="Of an acquired PET; a synthetic one's is known.")
    ] = "",
    parcellation: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="FreeSurfer, FastSurfer or SynthSeg labels; default: the atlas."
        ),
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Move a PET that lies beside the T1 onto it.")
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="REGION", help=f"Default: the tracer's. One of {', '.join(REFERENCE_BITS)}."
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="NDB", help="Normative database, for z: folder or name.")
    ] = None,
    age: Annotated[float | None, typer.Option(help="Years; needed with --database.")] = None,
    sex: Annotated[str | None, typer.Option(help="F or M; needed with --database.")] = None,
    gtm: Annotated[
        float | None,
        typer.Option(
            metavar="MM", help="Resolution of the scanner: adds partial-volume corrected means."
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="CSV region,weight of your own: correlated with z (acquired PET, --database).",
        ),
    ] = None,
    mask: Annotated[str | None, typer.Option(help="Brain mask on the T1's grid.")] = None,
    space: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder space/ of an earlier result on this T1."),
    ] = None,
    regions: AtlasRegions = Regions.DEFORMABLE,
    device: Device = "auto",
    use_anyway: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Override a red check (repeatable): {', '.join(OVERRIDABLE_OF_MEASURING)}.",
            metavar="NAME",
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure an acquired or synthetic PET in the regions of its MRI."""
    request = QuantifyRequest(
        pet=pet,
        t1=t1,
        output=output,
        tracer=tracer,
        parcellation=parcellation,
        mask=mask,
        space=space,
        register=register,
        reference=reference,
        database=database,
        clinical=ClinicalRecord(age=age, sex=None if sex is None else sex.upper()),
        gtm_fwhm_mm=gtm,
        pattern=pattern,
        regions=regions,
        device=device,
        overridden_checks=tuple(use_anyway or ()),
    )
    from .session import run_and_print

    run_and_print(request, as_json=json, quiet=quiet)
