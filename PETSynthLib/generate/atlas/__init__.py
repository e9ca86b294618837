"""The control that needs no network: tissue of the T1 times regional population uptake.

It knows no disease and reads no clinical field; what it shows is anatomy. It stays for good as
fallback, and as the rival every trained model has to beat.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ..bundle import Bundle
from ..interface import Effort, Generated, GeneratorInput
from .forward import activity, atlas_labels, grid_key_of, population_uptake, scanner_blur
from .segment import segment


@dataclass(frozen=True, eq=False)
class AtlasGenerator:
    """Tissue segmentation x regional uptake, blurred by a scanner's point-spread function."""

    bundle: Bundle

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator`. ``effort.samples`` must be 0: an atlas has nothing to draw from."""
        if effort.samples:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "The atlas model draws no samples.",
                "Leave out --samples, or choose another model.",
            )
        started = time.perf_counter()
        facts = self.bundle.facts
        progress.step(0, 2)
        tissues = segment(inputs.t1, inputs.brain)
        progress.step(1, 2)
        territories, deep = atlas_labels(grid_key_of(inputs.t1.grid))
        uptake = activity(tissues, territories, deep, population_uptake(inputs.tracer.key))
        mean = scanner_blur(uptake, facts["psf_fwhm_mm"], inputs.t1.grid)
        spread = facts["coefficient_of_variation"][inputs.tracer.key]
        progress.step(2, 2)
        pet = inputs.pet(mean)
        return Generated(
            mean=pet,
            sd=replace(pet, data=(spread * mean).astype(np.float32), quantity="sd"),
            regional_sd_factor=self.bundle.config["regional_sd_factor"].get(inputs.tracer.key, {}),
            details={
                "device": "cpu",
                "precision": "float32",
                "fwhm_mm": facts["psf_fwhm_mm"],
                "seconds": round(time.perf_counter() - started, 3),
            },
        )


def load(bundle: Bundle, device: str) -> AtlasGenerator:
    """The generator of an ``atlas`` bundle. It runs on the CPU and needs no torch."""
    if device not in ("auto", "cpu"):
        raise PETSynthError(
            ErrorCode.DEVICE,
            f"The atlas model cannot run on {device}.",
            "Leave out --device, or choose cpu.",
        )
    return AtlasGenerator(bundle)
