"""Running a bundle of a regression, whatever its network: MRI in, mean and deviation out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ..bundle import Bundle
from ..condition import images_and_facts
from ..device import Placement, keep_big_buffers, place
from ..interface import Effort, Generated, GeneratorInput
from ..standardisation import suvr_line


@dataclass(frozen=True, eq=False)
class RegressionGenerator:
    """A loaded bundle of a regression (see `Generator`).

    Attributes
    ----------
    bundle
        Its facts.
    network
        Maps images (1, 3, I, J, K) and a vector to mean and standard deviation (1, T, I, J, K).
    placement
        Where it runs.
    """

    bundle: Bundle
    network: nn.Module
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
        facts = self.bundle.facts
        tracer = facts["tracer_order"].index(inputs.tracer.key)
        images, condition = images_and_facts(inputs, facts)
        progress.step(0, 1)
        device = self.placement.device
        with self.placement.autocast():
            mean, sd = self.network(
                torch.from_numpy(images)[None].to(device),
                torch.from_numpy(condition)[None].to(device),
            )
        progress.step(1, 1)
        line = suvr_line(facts, inputs.tracer.key, inputs.pet_scanner)
        pet = inputs.pet(line.to_suvr(mean[0, tracer].cpu().numpy()))
        spread = sd[0, tracer].cpu().numpy() * np.float32(line.factor) * inputs.brain.mask
        return Generated(
            mean=pet,
            sd=inputs.pet(spread, "sd"),
            regional_sd_factor=self.bundle.regional_factors(inputs),
            details={
                **self.placement.as_dict(),
                **({"standardised_for": line.scanner} if line.scanner else {}),
                "seconds": round(time.perf_counter() - started, 3),
            },
        )


def load_regression(
    bundle: Bundle, device: str, build: Callable[[dict[str, Any]], nn.Module]
) -> RegressionGenerator:
    """Load the weights of ``bundle`` onto ``device``.

    Parameters
    ----------
    build
        Makes the network that ``method_config`` describes.
    """
    keep_big_buffers()
    facts = bundle.facts
    placement = place(device)
    if facts.get("precision") == "float32":
        placement = replace(placement, dtype=torch.float32, why=f"{placement.why}; as published")
    network = build(facts)
    network.load_state_dict({k: v.float() for k, v in load_file(bundle.weights).items()})
    network.to(placement.device).eval()
    return RegressionGenerator(bundle, network, placement)
