"""Training `ddpm` (Ho et al. 2020): noise, or the PET itself, from a noisy PET and the MRI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch

from ...generate.ddpm.process import BOUNDS, CENTRE, STEPS, alphas, data_of, draw, noised
from ...generate.drawn import Sampler
from ..settings import setting
from .diffusion import DiffusionConfig, DiffusionMethod
from .interface import Batch, Material


@dataclass(frozen=True)
class DDPMConfig(DiffusionConfig):
    """Settings of `ddpm`."""

    predicts: Literal["noise", "data"] = setting(
        "data", "what the network says; the paper's noise needs far longer trainings"
    )


class DDPMMethod(DiffusionMethod):
    """See the module's docstring."""

    name = "ddpm"
    title = "Conditional DDPM, all tracers"
    card = (
        "A 3D U-Net takes noise off one tracer's PET, told the MRI, in a few deterministic steps; "
        "mean and deviation are those of its samples."
    )
    config_type = DDPMConfig
    config: DDPMConfig

    def __init__(self, config: DDPMConfig, material: Material, seed: int) -> None:
        super().__init__(config, material, seed)
        self.facts["predicts"] = config.predicts
        self.alphas = alphas().float()

    @property
    def sampler(self) -> Sampler:
        """See `DiffusionMethod.sampler`."""
        return draw

    def noisy(
        self, batch: Batch, data: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `DiffusionMethod.noisy`."""
        step = self.step(batch)
        centred = data - CENTRE
        shown = noised(centred, batch["noise"], self.alphas.to(step.device)[step])
        wanted = centred if self.config.predicts == "data" else batch["noise"]
        return shown, step / STEPS, wanted

    def step(self, batch: Batch) -> torch.Tensor:
        """The training step (N,) that each example's time stands for."""
        return (batch["time"] * STEPS).long().clamp_max(STEPS - 1)

    def data(self, batch: Batch, output: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """See `DiffusionMethod.data`."""
        share = self.alphas.to(shown.device)[self.step(batch)]
        return data_of(output, shown, share, self.config.predicts).clamp(*BOUNDS) + CENTRE

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`."""
        if facts["predicts"] != self.facts["predicts"]:
            raise ValueError("predicts")
        super().load(tensors, facts)
