"""The network of `unet`: the whole brain in, mean and spread of every tracer out."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbone import IMAGES, condition_length, conditioned
from ..networks import GROUPS, GroupNorm, UNet, start_at_zero
from .plain import PlainUNet


class RegressionUNet(nn.Module):
    """3D U-Net behind a stride-2 stem, conditioned on one vector by scale and shift.

    Parameters
    ----------
    tracers
        Number of tracers T.
    condition
        Length of the vector: clinical values and flags, scanner, FLAIR present.
    """

    def __init__(
        self, tracers: int, condition: int, base: int, multipliers: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.tracers = tracers
        self.multiple = 2 ** len(multipliers)
        embed = 4 * base
        self.vector = nn.Sequential(nn.Linear(condition, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.stem = nn.Conv3d(IMAGES, base, 2, stride=2)
        self.body = UNet(3, base, multipliers, embed, attend=False)
        self.norm = GroupNorm(GROUPS, base)
        self.head = nn.ConvTranspose3d(base, 2 * tracers, 2, stride=2)
        start_at_zero(self.head)
        nn.init.normal_(self.head.weight, 0, 0.01)

    def forward(self, images: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation.

        Parameters
        ----------
        images
            (N, 3, I, J, K); any extent, padded to what the levels need.
        condition
            (N, condition).

        Returns
        -------
        Two tensors (N, T, I, J, K), float32.
        """
        extent = images.shape[2:]
        pad = [p for n in reversed(extent) for p in (0, -n % self.multiple)]
        h = self.body(self.stem(F.pad(images, pad)), F.silu(self.vector(condition)))
        h = self.head(F.silu(self.norm(h))).float()
        h = h[..., : extent[0], : extent[1], : extent[2]]
        mean, log_sd = h.chunk(2, 1)
        return mean, torch.exp(log_sd.clamp(-7.0, 1.0))


def build_unet(facts: dict[str, Any]) -> nn.Module:
    """The network that ``method_config`` of a bundle describes: ours, or the published one."""
    shape = facts["network"]
    if "channels" in shape:
        channels = tuple(shape["channels"])
        return conditioned(facts, lambda c_in, c_out: PlainUNet(c_in, c_out, channels))
    return RegressionUNet(
        tracers=len(facts["tracer_order"]),
        condition=condition_length(facts),
        base=shape["base"],
        multipliers=tuple(shape["multipliers"]),
    )
