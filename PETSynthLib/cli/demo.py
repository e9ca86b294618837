"""``petsynth demo``: FDG of the T1 that is shipped as sample data."""

from __future__ import annotations

from ..assets import asset_path
from ..request import SynthesisRequest
from .options import Device, Json, Model, Output, Quiet, Verbose

SAMPLE = "sample/colin27_T1w.nii.gz"


def demo(
    output: Output = "demo-output",
    model: Model = "flow",
    device: Device = "auto",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a synthetic FDG PET from the shipped sample MRI (age and sex unknown)."""
    from .session import run_and_print

    with asset_path(SAMPLE) as t1:
        request = SynthesisRequest(
            t1=str(t1), output=output, tracer="fdg", model=model, device=device
        )
        run_and_print(request, as_json=json, quiet=quiet)
