"""Training `swinunetr`: the regression of `unet` by shifted windows of attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ...generate.swinunetr.network import build_swinunetr
from ..settings import refuse, setting
from .regression import RegressionConfig, RegressionMethod


@dataclass(frozen=True)
class SwinUNETRConfig(RegressionConfig):
    """Settings of `swinunetr`."""

    feature_size: int = setting(12, "channels of the highest level", low=1)
    heads: int = setting(3, "attention heads of the first stage, a divisor of them", low=1)
    window: int = setting(7, "voxels along an edge of an attention window", low=2)


class SwinUNETRMethod(RegressionMethod):
    """See the module's docstring."""

    name = "swinunetr"
    title = "SwinUNETR, all tracers"
    card = (
        "A transformer with shifted windows and a U-Net's way up regresses all tracers at once; "
        "clinical facts and scanner are painted over the brain."
    )
    config_type = SwinUNETRConfig
    config: SwinUNETRConfig

    def network_facts(self) -> dict[str, Any]:
        """See `RegressionMethod.network_facts`."""
        config = self.config
        if config.feature_size % config.heads:
            raise refuse(
                f"{config.feature_size} channels do not divide by {config.heads} heads.",
                "Choose --set method.feature_size as a multiple of method.heads.",
            )
        return {
            "feature_size": config.feature_size,
            "heads": config.heads,
            "window": config.window,
            "inputs": config.inputs,
        }

    def build(self) -> torch.nn.Module:
        """See `RegressionMethod.build`."""
        return build_swinunetr(self.facts)
