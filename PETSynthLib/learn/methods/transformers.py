"""Training `unetr` and `swinunetr`: the regression of `unet` with other networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from ...generate.swinunetr.network import build_swinunetr
from ...generate.unetr.network import PATCH, build_unetr
from ..settings import refuse, setting
from .regression import (
    PAPER_AUGMENTATION,
    PAPER_LOSS,
    PAPER_TRAIN,
    RegressionConfig,
    RegressionMethod,
)


def paper(**network: Any) -> dict[str, dict[str, Any]]:
    """The published configuration with a network's own sizes."""
    method = {
        **network,
        "inputs": "t1",
        "standardise": "manufacturer",
        "loss": PAPER_LOSS,
        "augment": PAPER_AUGMENTATION,
    }
    return {"train": PAPER_TRAIN, "method": method}


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
    configurations: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": paper(feature_size=16, width=768, hidden=3072, heads=12)
    }

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
    configurations: ClassVar[dict[str, dict[str, Any]]] = {"paper": paper(feature_size=48)}

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
