"""``petsynth scales``: the equations that turn an SUVR into Centiloid or CenTauRz; fit our own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ErrorCode, PETSynthError

app = typer.Typer(help="List scales, and calibrate them on the public GAAIN images.")


@app.command("list")
def list_scales() -> None:
    """List the published equations and those fitted on this computer."""
    from ..quantify.scales import UNITS, fitted, own_folder, published

    for one in (*published(), *fitted()):
        sign = "-" if one.intercept < 0 else "+"
        print(
            f"{UNITS[one.scale]:9} {one.tracer:13} {one.slope:8.2f} x SUVR {sign} "
            f"{abs(one.intercept):.2f}  {one.pipeline}; {one.region} / {one.reference}"
        )
        print(f"{'':9} {one.source}")
    print(f"Own fits are kept in {own_folder()}.")


@app.command("fit")
def fit(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="CSV: subject, suvr (ours), standard (published Centiloid; for centaurz the "
            "standard pipeline's SUVR), and for PiB group (young, ad).",
        ),
    ],
    tracer: Annotated[str, typer.Option(help="Tracer of the images.")],
    scale: Annotated[str, typer.Option(help="centiloid or centaurz.")] = "centiloid",
    region: Annotated[str, typer.Option(help="Region; default: the tracer's target.")] = "",
    reference: Annotated[
        str, typer.Option(help="Reference region; default: whole cerebellum for Centiloids.")
    ] = "",
) -> None:
    """Calibrate PETSynth's own SUVR on a GAAIN set; kept only when the fit is good enough."""
    from ..quantify.scale_fit import fit_scale, read_pairs
    from ..quantify.scales import UNITS, write_fitted
    from ..tracers import tracer as tracer_named

    facts = tracer_named(tracer)
    if scale not in facts.scales:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"{facts.label} has no scale {scale!r}.",
            f"It has {', '.join(facts.scales) or 'none'}.",
        )
    usual = "cerebellum_whole" if scale == "centiloid" else facts.reference_region
    suvr, standard, groups = read_pairs(table)
    found = fit_scale(
        scale,
        tracer,
        region or facts.target_region,
        reference or usual,
        suvr,
        standard,
        groups,
        f"fitted on {table.name}",
    )
    one = found.equation
    print(f"{UNITS[scale]} = {one.slope:.2f} x SUVR {one.intercept:+.2f}   ({found.n} people)")
    print(
        f"Against the published values: slope {found.slope:.3f}, "
        f"intercept {found.intercept:.2f}, R2 {found.r2:.3f}"
    )
    if found.complaints:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The fit is not good enough and was not kept: {'; '.join(found.complaints)}.",
            "Check alignment, region and reference of the images that lie far off.",
        )
    print(f"Kept: {write_fitted(one, found.evidence)}")
