"""Training `unet`: our small 3D U-Net, or the published plain one; every loss of the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ...generate.unet.network import build_unet
from ..settings import setting
from .regression import RegressionConfig, RegressionMethod


@dataclass(frozen=True)
class UNetConfig(RegressionConfig):
    """Settings of `unet`."""

    base: int = setting(16, "channels of the first level", low=8)
    multipliers: tuple[int, ...] = setting((1, 2, 3), "channels of each level over base", low=1)
    channels: tuple[int, ...] = setting(
        (), "channels of the published plain U-Net's levels; none: our own network", low=1
    )


class UNetMethod(RegressionMethod):
    """See the module's docstring."""

    name = "unet"
    title = "Plain 3D regression U-Net"
    card = (
        "One 3D U-Net regresses its tracers at once from T1, FLAIR and brain mask; "
        "clinical facts and scanner scale and shift its features."
    )
    config_type = UNetConfig
    config: UNetConfig

    def network_facts(self) -> dict[str, Any]:
        """See `RegressionMethod.network_facts`."""
        if self.config.channels:
            return {"channels": list(self.config.channels), "inputs": self.config.inputs}
        return {"base": self.config.base, "multipliers": list(self.config.multipliers)}

    def build(self) -> torch.nn.Module:
        """See `RegressionMethod.build`."""
        return build_unet(self.facts)
