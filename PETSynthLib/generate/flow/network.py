"""The two networks of `flow`.

`MeanNetwork` reads a stack of axial slices and gives, for every tracer at once, the expected
uptake and its spread. Clinical facts touch it only through a few scalars a tracer:
``mean = m_0(MRI) + sum_k s_k(clinic) m_k(MRI)``, so that the clinic's share of the picture is a
separate map and can be read off, trained and withheld on its own. Since version 2 a regional
model (`regional`) adds ``(1 + g(MRI)) D``: D is what whole-brain anatomy and clinic say of each
region, painted onto the atlas, and the network only learns how strongly to believe it where; since
version 4 the network's spread is a factor on what the regional model leaves unknown of each region.
`ResidualNetwork` predicts the data end of a rectified flow of the standardised residual on a
coarse 3D grid, so that all slices of a sample agree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..networks import GROUPS, GroupNorm, UNet, start_at_zero, time_features

SPREAD_UNIT = 0.1
"""Spread of a region (network scale) that leaves the network's own as it is."""
LEAST_SPREAD = 0.05
"""Added to the factor: outside the regions the network alone decides."""


class Regional(NamedTuple):
    """What the regional model says of every voxel, (N, T, ...) each, in the network's scale.

    Attributes
    ----------
    deviation
        D: expected uptake beyond the average.
    spread
        Standard deviation of the region's uptake.
    """

    deviation: Tensor
    spread: Tensor


class MeanNetwork(nn.Module):
    """Expected uptake and spread of every tracer, slice by slice.

    Parameters
    ----------
    image_channels
        MRI slices and atlas channels.
    tracers, severities
        Number of tracers T and of clinical scalars K a tracer.
    clinical
        Length of the clinical vector (values and presence flags).
    context
        Length of the acquisition vector (scanner, FLAIR present).
    regional
        Whether a painted regional deviation D enters the mean (one more map, its gain).
    """

    def __init__(
        self,
        image_channels: int,
        tracers: int,
        severities: int,
        clinical: int,
        context: int,
        base: int,
        multipliers: tuple[int, ...],
        *,
        regional: bool = False,
    ) -> None:
        super().__init__()
        self.tracers, self.severities = tracers, severities
        self.maps_per_tracer = severities + 2 + int(regional)
        embed = 4 * base
        self.context = nn.Sequential(nn.Linear(context, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.stem = nn.Conv2d(image_channels, base, 2, stride=2)
        self.body = UNet(2, base, multipliers, embed, attend=True)
        maps = tracers * self.maps_per_tracer
        self.norm = GroupNorm(GROUPS, base)
        self.head = nn.Conv2d(base, 4 * maps, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.clinic = nn.Sequential(
            nn.Linear(clinical, 96), nn.SiLU(), nn.Linear(96, tracers * (severities + 1))
        )
        start_at_zero(self.head)
        nn.init.normal_(self.head.weight, 0, 0.01)

    def maps(self, images: Tensor, context: Tensor) -> Tensor:
        """What the MRI alone gives.

        Parameters
        ----------
        images
            (N, image_channels, I, J), I and J divisible by 8.
        context
            (N, context).

        Returns
        -------
        Tensor (N, T, K + 2, I, J), float32: m_0, m_1..m_K and the log standard deviation; with a
        regional model (N, T, K + 3, I, J), its gain g after m_0.
        """
        embedding = F.silu(self.context(context))
        h = self.body(self.stem(images), embedding)
        h = self.shuffle(self.head(F.silu(self.norm(h)))).float()
        out: Tensor = h.reshape(len(h), self.tracers, self.maps_per_tracer, *h.shape[2:])
        return out

    def scalars(self, clinical: Tensor) -> Tensor:
        """What the clinic alone gives: s_1..s_K and a log-sd shift.

        Maps (N, clinical) to (N, T, K + 1).
        """
        s: Tensor = self.clinic(clinical).float()
        return s.reshape(len(s), self.tracers, self.severities + 1)

    @staticmethod
    def combine(
        maps: Tensor, scalars: Tensor, regional: Regional | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (N, T, ...).

        Parameters
        ----------
        maps
            (N, T, K + 2, ...) of `maps`, or K + 3 with a regional model.
        scalars
            (N, T, K + 1) of `scalars`.
        regional
            What the regional model says, painted.
        """
        s = scalars.reshape(*scalars.shape, *[1] * (maps.dim() - 3))
        mean, shares = maps[:, :, 0], maps[:, :, 1:-1]
        if regional is not None:
            mean, shares = mean + (1 + shares[:, :, 0]) * regional.deviation, shares[:, :, 1:]
        mean = mean + (shares * s[:, :, :-1]).sum(2)
        sd = (maps[:, :, -1] + s[:, :, -1]).clamp(-7.0, 1.0).exp()
        return mean, sd if regional is None else sd * (regional.spread / SPREAD_UNIT + LEAST_SPREAD)


class ResidualNetwork(nn.Module):
    """Data end of the flow of the standardised residual, on the coarse grid.

    Parameters
    ----------
    image_channels
        Conditioning volumes beside the noisy residual (mean, log sd, T1, brain).
    condition
        Length of the vector (tracer, clinical values and flags, scanner).
    """

    def __init__(
        self, image_channels: int, condition: int, base: int, multipliers: tuple[int, ...]
    ) -> None:
        super().__init__()
        embed = 4 * base
        self.base = base
        self.vector = nn.Sequential(nn.Linear(condition, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.clock = nn.Sequential(nn.Linear(base, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.stem = nn.Conv3d(1 + image_channels, base, 3, padding=1)
        self.body = UNet(3, base, multipliers, embed, attend=False)
        self.norm = GroupNorm(GROUPS, base)
        self.head = nn.Conv3d(base, 1, 3, padding=1)
        start_at_zero(self.head)

    def forward(self, x: Tensor, t: Tensor, images: Tensor, condition: Tensor) -> Tensor:
        """Predict r (N, 1, I, J, K) from x_t, t (N,), volumes (N, C, I, J, K) and the vector."""
        clock = self.clock(time_features(1000.0 * t, self.base))
        embedding = F.silu(self.vector(condition) + clock)
        h = self.body(self.stem(torch.cat([x, images], 1)), embedding)
        out: Tensor = self.head(F.silu(self.norm(h))).float()
        return out


def build_mean(facts: dict[str, Any]) -> MeanNetwork:
    """The mean network that ``method_config`` of a bundle describes."""
    shape = facts["mean_network"]
    return MeanNetwork(
        image_channels=shape["image_channels"],
        tracers=len(facts["tracer_order"]),
        severities=shape["severities"],
        clinical=2 * len(facts["clinical_scaling"]),
        context=len(facts["scanners"]) + 1,
        base=shape["base"],
        multipliers=tuple(shape["multipliers"]),
        regional="regional" in facts,
    )


def build_residual(facts: dict[str, Any]) -> ResidualNetwork:
    """The residual network that ``method_config`` of a bundle describes."""
    shape = facts["residual_network"]
    vector = (
        len(facts["tracer_order"]) + 2 * len(facts["clinical_scaling"]) + len(facts["scanners"])
    )
    return ResidualNetwork(
        image_channels=4,
        condition=vector,
        base=shape["base"],
        multipliers=tuple(shape["multipliers"]),
    )
