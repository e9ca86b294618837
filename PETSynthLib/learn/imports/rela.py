"""The published checkpoint of RelA-Diffusion (Yu et al., arXiv 2602.21345) as a bundle.

A dict with ``model_state_dict`` and ``epoch``; names and shapes are those of our own network, so
that nothing is converted. What the file leaves out and the paper does not say is stated on the card
as an assumption. Every training image was scaled by its own minimum and maximum: without a scale
that the user supplies, the picture has no SUVR.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from ...errors import ErrorCode, PETSynthError
from ...generate.bundle import BUNDLE_VERSION
from ...generate.draws import FEWEST
from ...generate.rela.network import DiffusionUNet, Shape
from ..methods.interface import presets_of
from ..methods.rela import LABELS, SCHEDULE
from ..prepare.grids import grid_named
from .interface import Foreign
from .weights import read_numbers, refused, require_weights

WHAT = "the published network of RelA-Diffusion"
STEPS = 100
CARD = """# rela-published: RelA-Diffusion, the published weights

Imported from a checkpoint of epoch {epoch}. Research only, not for diagnosis.

- **Inputs**: T1 and T2-FLAIR; it cannot do without the FLAIR. No clinical facts.
- **Outputs**: PBR28, PiB, flortaucipir (labels 0, 1, 2). {scale}
- **Assumed**, because neither file nor paper says it: brain-extracted images in MNI space, each \
scaled to -1..1 by its own minimum and maximum; 1 mm voxels cut from the middle of the MNI152 box.
- **Sampler**: {steps} DDIM steps; the paper takes 1000 DDPM steps (`--steps 1000` comes near it).
- **Evidence**: trained on real pairs by its authors. PETSynth has not verified it on anybody.
- **Licence**: that of the release it comes from (Apache-2.0) and of its data.
"""
SCALED = "SUVR by the scale that was supplied on import: {tops}."
UNSCALED = (
    "**No SUVR**: published images are scaled by their own minimum and maximum, and no scale was "
    "supplied. PETSynth can start a training from it, but draws, calibrates and judges nothing "
    "with it; import it again with `--option scale=...` when the range is known."
)


class RelaFormat:
    """``model_state_dict`` of the published release."""

    name = "rela"
    words = "the published checkpoint of RelA-Diffusion (.pt with model_state_dict)"
    options: dict[str, str] = {}  # noqa: RUF012
    optional: dict[str, str] = {  # noqa: RUF012
        "scale": "the SUVR at which each published image ended, such as "
        "pbr28:2,pib:3,flortaucipir:3"
    }

    def read(self, file: Path, options: dict[str, str]) -> Foreign:
        """See `ForeignFormat.read`."""
        state = read_numbers(file)
        weights = state.get("model_state_dict")
        if not isinstance(weights, dict):
            raise refused(
                f"{file.name} is no checkpoint of RelA-Diffusion (it has no model_state_dict).",
                "Give the .pt file of its release.",
            )
        with torch.device("meta"):
            network = DiffusionUNet(Shape())
        require_weights(file, weights, network, WHAT)
        tops = scale_of(options["scale"]) if "scale" in options else None
        words = ", ".join(f"{t} {top:g}" for t, top in (tops or {}).items())
        card = CARD.format(
            epoch=state.get("epoch", "unknown"),
            scale=SCALED.format(tops=words) if tops else UNSCALED,
            steps=STEPS,
        )
        tensors = {f"network.{k}": v.half() for k, v in weights.items()}
        return Foreign(_config(tops), tensors, card)


def scale_of(words: str) -> dict[str, float]:
    """Tracer -> SUVR from ``pbr28:2,pib:3,flortaucipir:3``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for an unknown tracer label, a missing one, or a number that is none.
    """
    pairs = [part.partition(":") for part in words.split(",")]
    found: dict[str, float] = {}
    for name, _, number in pairs:
        key = name.strip()
        if key not in LABELS:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The published model has no label for the tracer {key!r}.",
                f"It has {', '.join(LABELS)}.",
            )
        try:
            found[key] = float(number)
        except ValueError:
            found[key] = math.nan
    if set(found) != set(LABELS) or not all(0 < v < math.inf for v in found.values()):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The scale {words!r} does not give one SUVR above 0 for each tracer.",
            f"Write {','.join(f'{t}:3' for t in LABELS)}, or leave it out.",
        )
    return found


def _config(tops: dict[str, float] | None) -> dict[str, Any]:
    shape, grid, tracers = Shape(), grid_named("rela"), list(LABELS)
    return {
        "bundle_version": BUNDLE_VERSION,
        "name": "rela-published",
        "version": "0.1.0",
        "method": "rela",
        "title": "RelA-Diffusion, the published weights",
        "trained_on": "real pairs",
        "suvr_known": tops is not None,
        "licence": "that of the release and of its data",
        "grid": {
            "space": grid.name,
            "shape": list(grid.shape),
            "affine": grid.affine.tolist(),
        },
        "tracers": tracers,
        "uses": ["flair"],
        "needs": ["flair"],
        "presets": presets_of((STEPS // 4, STEPS, STEPS), samples=(0, 1, 4)),
        "target": "acquired PET of real subjects; the standard deviation includes its noise",
        "method_config": {
            "version": 1,
            "tracer_order": tracers,
            "tracer_labels": dict(LABELS),
            "scanners": [],
            "clinical_scaling": {},
            "suvr_range": {t: [0.0, top] for t, top in (tops or {}).items()},
            "suvr_sd": {},
            "scaling": "paper",
            "told": [],
            "says": "epsilon",
            "schedule": dict(SCHEDULE),
            "network": {k: list(v) if isinstance(v, tuple) else v for k, v in vars(shape).items()},
            "space": {"kind": "voxel", "patch": 1, "bound": 1.0},
            "sampler": {"name": "ddim", "draws": FEWEST},
        },
        "regional_sd_factor": {t: {} for t in tracers},
    }
