"""The network of the plain diffusion methods: a 3D U-Net that is told the time."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .backbone import IMAGES, condition_length
from .networks import GROUPS, GroupNorm, UNet, start_at_zero, time_features

TIME_WIDTH = 32


class TimedUNet(nn.Module):
    """One tracer's noisy PET and the MRI in, one volume out.

    Parameters
    ----------
    tracers
        Number of tracers, which are told apart by a one-hot vector.
    condition
        Length of the vector of facts.
    """

    def __init__(
        self, tracers: int, condition: int, base: int, multipliers: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.multiple = 2 ** len(multipliers)
        embed = 4 * base
        self.vector = nn.Sequential(
            nn.Linear(TIME_WIDTH + condition + tracers, embed), nn.SiLU(), nn.Linear(embed, embed)
        )
        self.stem = nn.Conv3d(1 + IMAGES, base, 2, stride=2)
        self.body = UNet(3, base, multipliers, embed, attend=False)
        self.norm = GroupNorm(GROUPS, base)
        self.head = nn.ConvTranspose3d(base, 1, 2, stride=2)
        start_at_zero(self.head)

    def forward(self, noisy: Tensor, t: Tensor, images: Tensor, told: Tensor) -> Tensor:
        """The prediction.

        Parameters
        ----------
        noisy
            (N, 1, I, J, K), network scale.
        t
            (N,), 0 at the data, 1 at the noise or the source.
        images
            (N, 3, I, J, K): T1, FLAIR, mask.
        told
            (N, condition + tracers).

        Returns
        -------
        (N, 1, I, J, K), float32.
        """
        extent = noisy.shape[2:]
        pad = [p for n in reversed(extent) for p in (0, -n % self.multiple)]
        embedding = F.silu(self.vector(torch.cat([time_features(1000.0 * t, TIME_WIDTH), told], 1)))
        h = self.body(self.stem(F.pad(torch.cat([noisy, images], 1), pad)), embedding)
        h = self.head(F.silu(self.norm(h)))
        out: Tensor = h.float()
        return out[..., : extent[0], : extent[1], : extent[2]]


def build_timed(facts: dict[str, Any]) -> TimedUNet:
    """The network that ``method_config`` of a bundle describes."""
    shape = facts["network"]
    return TimedUNet(
        len(facts["tracer_order"]),
        condition_length(facts),
        shape["base"],
        tuple(shape["multipliers"]),
    )
