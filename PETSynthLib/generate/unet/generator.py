"""Running a `unet` bundle: MRI in, mean and standard deviation out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ...volume import PetVolume
from ..bundle import Bundle
from ..condition import clinical_vector, scanner_vector
from ..device import Placement, keep_big_buffers, place
from ..interface import Effort, Generated, GeneratorInput
from .network import RegressionUNet, build_unet


@dataclass(frozen=True, eq=False)
class UNetGenerator:
    """A loaded `unet` bundle (see `Generator`)."""

    bundle: Bundle
    network: RegressionUNet
    placement: Placement

    @torch.inference_mode()
    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`. ``effort.samples`` must be 0: a regression draws none."""
        if effort.samples:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The model {self.bundle.name} draws no samples.",
                "Leave out --samples, or choose another model.",
            )
        started = time.perf_counter()
        facts: dict[str, Any] = self.bundle.config["method_config"]
        tracer = facts["tracer_order"].index(inputs.tracer.key)
        flair = np.zeros(inputs.t1.shape) if inputs.flair is None else inputs.flair.data
        images = np.stack([inputs.t1.data, flair, inputs.brain.mask]).astype(np.float32)
        condition = np.concatenate(
            [
                clinical_vector(inputs.clinical.numbers(), facts["clinical_scaling"]),
                scanner_vector(inputs.pet_scanner, facts),
                [np.float32(inputs.flair is not None)],
            ]
        ).astype(np.float32)
        progress.step(0, 1)
        device = self.placement.device
        with self.placement.autocast():
            mean, sd = self.network(
                torch.from_numpy(images)[None].to(device),
                torch.from_numpy(condition)[None].to(device),
            )
        progress.step(1, 1)
        scale = float(facts["suvr_scale"][inputs.tracer.key])
        pet = PetVolume(
            mean[0, tracer].clamp_min(0).cpu().numpy() * scale,
            inputs.t1.affine,
            inputs.t1.space,
            tracer=inputs.tracer.key,
            reference_region=inputs.tracer.reference_region,
        )
        spread = sd[0, tracer].cpu().numpy() * scale * inputs.brain.mask
        return Generated(
            mean=pet,
            sd=replace(pet, data=spread, quantity="sd"),
            regional_sd_factor=self.bundle.regional_factors(inputs),
            details={
                **self.placement.as_dict(),
                "seconds": round(time.perf_counter() - started, 3),
            },
        )


def load_unet(bundle: Bundle, device: str) -> UNetGenerator:
    """Load the weights of ``bundle`` (float16 on disk) onto ``device``."""
    keep_big_buffers()
    placement = place(device)
    network = build_unet(bundle.config["method_config"])
    network.load_state_dict({k: v.float() for k, v in load_file(bundle.weights).items()})
    network.to(placement.device).eval()
    return UNetGenerator(bundle, network, placement)
