"""Training `bbdm` (Li et al. 2023): the network says how far a bridge's point is from the PET."""

from __future__ import annotations

import torch

from ...generate.bbdm.process import bridged, draw
from ...generate.drawn import Sampler
from .drawn import DrawnConfig, DrawnMethod
from .interface import Batch


class BBDMMethod(DrawnMethod):
    """See the module's docstring."""

    name = "bbdm"
    title = "Brownian bridge from MRI to PET, all tracers"
    card = (
        "A 3D U-Net leads a Brownian bridge from the T1 to one tracer's PET; mean and deviation "
        "are those of its samples."
    )
    config_type = DrawnConfig

    @property
    def sampler(self) -> Sampler:
        """See `DrawnMethod.sampler`."""
        return draw

    def noisy(
        self, batch: Batch, data: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `DrawnMethod.noisy`."""
        at = batch["time"].float()
        shown = bridged(data, batch["images"][:, :1], batch["noise"], at)
        return shown, at, shown - data

    def data(self, batch: Batch, output: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """See `DrawnMethod.data`."""
        return shown - output
