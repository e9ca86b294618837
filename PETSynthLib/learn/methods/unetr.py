"""Training `unetr`: the regression of `unet` by a vision transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ...generate.unetr.network import PATCH, build_unetr
from ..settings import refuse, setting
from .regression import RegressionConfig, RegressionMethod


@dataclass(frozen=True)
class UNETRConfig(RegressionConfig):
    """Settings of `unetr`."""

    feature_size: int = setting(8, "channels of the highest level", low=1)
    width: int = setting(96, "channels of the transformer", low=1)
    hidden: int = setting(192, "channels inside its perceptrons", low=1)
    heads: int = setting(6, "attention heads, a divisor of the width", low=1)


class UNETRMethod(RegressionMethod):
    """See the module's docstring."""

    name = "unetr"
    title = "UNETR, all tracers"
    card = (
        "A vision transformer over patches of 16 voxels with a U-Net's way up regresses all "
        "tracers at once; clinical facts and scanner are painted over the brain."
    )
    config_type = UNETRConfig
    config: UNETRConfig

    def network_facts(self) -> dict[str, Any]:
        """See `RegressionMethod.network_facts`."""
        config = self.config
        if config.width % config.heads:
            raise refuse(
                f"The width {config.width} does not divide by {config.heads} heads.",
                "Choose --set method.width as a multiple of method.heads.",
            )
        shape = self.material.store.grid.shape
        return {
            "extent": [n + -n % PATCH for n in shape],
            "feature_size": config.feature_size,
            "width": config.width,
            "hidden": config.hidden,
            "heads": config.heads,
            "inputs": config.inputs,
        }

    def build(self) -> torch.nn.Module:
        """See `RegressionMethod.build`."""
        return build_unetr(self.facts)
