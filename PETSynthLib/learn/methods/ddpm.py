"""Training `ddpm` (Ho et al. 2020): the PET, or its noise, from a noisy PET and the MRI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch

from ...generate.ddpm.process import BOUNDS, CENTRE, diffusion_of, draw
from ...generate.drawn import Sampler
from ..settings import setting
from .drawn import DrawnConfig, DrawnMethod
from .interface import Batch, Material


@dataclass(frozen=True)
class DDPMConfig(DrawnConfig):
    """Settings of `ddpm`."""

    says: Literal["clean", "epsilon", "v"] = setting(
        "clean", "what the network predicts; the paper's epsilon needs far longer trainings"
    )


class DDPMMethod(DrawnMethod):
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
        self.facts["says"] = config.says
        self.path = diffusion_of(self.facts)

    @property
    def sampler(self) -> Sampler:
        """See `DrawnMethod.sampler`."""
        return draw

    def noisy(
        self, batch: Batch, data: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `DrawnMethod.noisy`."""
        step, noise, centred = self.step(batch), batch["noise"], data - CENTRE
        shown = self.path.noisy(centred, noise, step)
        return shown, step / self.path.total, self.path.wanted(centred, noise, step)

    def step(self, batch: Batch) -> torch.Tensor:
        """The training step (N,) that each example's time stands for."""
        return (batch["time"] * self.path.total).long().clamp_max(self.path.total - 1)

    def data(self, batch: Batch, output: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """See `DrawnMethod.data`."""
        return self.path.clean(shown, output, self.step(batch)).clamp(*BOUNDS) + CENTRE

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`."""
        if facts["says"] != self.facts["says"]:
            raise ValueError("says")
        super().load(tensors, facts)
