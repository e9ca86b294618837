"""The two networks of `flow`.

`MeanNetwork` reads a stack of axial slices and gives, for every tracer at once, the expected
uptake and its spread. Clinical facts touch it only through a few scalars a tracer:
``mean = m_0(MRI) + sum_k s_k(clinic) m_k(MRI)``, so that the clinic's share of the picture is a
separate map and can be read off, trained and withheld on its own.
`ResidualNetwork` predicts the data end of a rectified flow of the standardised residual on a
coarse 3D grid, so that all slices of a sample agree.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8


def start_at_zero(layer: nn.Module) -> None:
    """Set weight and bias of a layer to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class ConditionedBlock(nn.Module):
    """Residual block: two convolutions, group norm, SiLU; a vector scales and shifts the second.

    FiLM (Perez et al. 2018): ``h = GN(h) (1 + scale(e)) + shift(e)``. The last convolution and the
    conditioning start at zero, so that the block starts as the identity.
    """

    def __init__(self, conv: type[nn.Module], c_in: int, c_out: int, c_embed: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, c_in)
        self.conv1 = conv(c_in, c_out, 3, padding=1)
        self.norm2 = nn.GroupNorm(GROUPS, c_out)
        self.conv2 = conv(c_out, c_out, 3, padding=1)
        self.film = nn.Linear(c_embed, 2 * c_out)
        self.skip = conv(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        start_at_zero(self.conv2)
        start_at_zero(self.film)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Map (N, c_in, ...) with an embedding (N, c_embed) to (N, c_out, ...)."""
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.film(embedding).chunk(2, dim=1)
        view = (len(scale), -1) + (1,) * (x.dim() - 2)
        h = self.norm2(h) * (1 + scale.reshape(view)) + shift.reshape(view)
        out: Tensor = self.skip(x) + self.conv2(F.silu(h))
        return out


class SelfAttention2d(nn.Module):
    """Multi-head self-attention over the pixels of the lowest level, with a zero-started exit."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.exit = nn.Conv1d(channels, channels, 1)
        start_at_zero(self.exit)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J) to the same shape."""
        n, c = x.shape[:2]
        qkv = self.qkv(self.norm(x).flatten(2)).reshape(n, 3, self.heads, c // self.heads, -1)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(n, c, -1)
        out: Tensor = x + self.exit(mixed).reshape(x.shape)
        return out


class UNet(nn.Module):
    """U-Net of `ConditionedBlock`, one block a level down and two up."""

    def __init__(
        self, dims: int, base: int, multipliers: tuple[int, ...], c_embed: int, *, attend: bool
    ) -> None:
        super().__init__()
        conv: type[nn.Module] = nn.Conv2d if dims == 2 else nn.Conv3d
        channels, skips = base, [base]
        self.down = nn.ModuleList()
        for level, m in enumerate(multipliers):
            self.down.append(ConditionedBlock(conv, channels, base * m, c_embed))
            channels = base * m
            skips.append(channels)
            if level < len(multipliers) - 1:
                self.down.append(conv(channels, channels, 3, stride=2, padding=1))
                skips.append(channels)
        self.middle1 = ConditionedBlock(conv, channels, channels, c_embed)
        self.attention = SelfAttention2d(channels) if attend else nn.Identity()
        self.middle2 = ConditionedBlock(conv, channels, channels, c_embed)
        self.up = nn.ModuleList()
        for level, m in reversed(list(enumerate(multipliers))):
            for _ in range(2):
                self.up.append(ConditionedBlock(conv, channels + skips.pop(), base * m, c_embed))
                channels = base * m
            if level:
                self.up.append(conv(channels, channels, 3, padding=1))

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        """Map (N, base, ...) to (N, base, ...); extents must divide by 2^(levels - 1)."""
        kept = [h]
        for layer in self.down:
            h = layer(h, embedding) if isinstance(layer, ConditionedBlock) else layer(h)
            kept.append(h)
        h = self.middle2(self.attention(self.middle1(h, embedding)), embedding)
        for layer in self.up:
            if isinstance(layer, ConditionedBlock):
                h = layer(torch.cat([h, kept.pop()], 1), embedding)
            else:
                h = layer(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return h


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
    ) -> None:
        super().__init__()
        self.tracers, self.severities = tracers, severities
        embed = 4 * base
        self.context = nn.Sequential(nn.Linear(context, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.stem = nn.Conv2d(image_channels, base, 2, stride=2)
        self.body = UNet(2, base, multipliers, embed, attend=True)
        maps = tracers * (severities + 2)
        self.norm = nn.GroupNorm(GROUPS, base)
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
        Tensor (N, T, K + 2, I, J), float32: m_0, m_1..m_K and the log standard deviation.
        """
        embedding = F.silu(self.context(context))
        h = self.body(self.stem(images), embedding)
        h = self.shuffle(self.head(F.silu(self.norm(h)))).float()
        out: Tensor = h.reshape(len(h), self.tracers, self.severities + 2, *h.shape[2:])
        return out

    def scalars(self, clinical: Tensor) -> Tensor:
        """What the clinic alone gives: s_1..s_K and a log-sd shift.

        Maps (N, clinical) to (N, T, K + 1).
        """
        s: Tensor = self.clinic(clinical).float()
        return s.reshape(len(s), self.tracers, self.severities + 1)

    @staticmethod
    def combine(maps: Tensor, scalars: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (N, T, ...) from `maps` (N, T, K + 2, ...) and `scalars`."""
        s = scalars.reshape(*scalars.shape, *[1] * (maps.dim() - 3))
        mean = maps[:, :, 0] + (maps[:, :, 1:-1] * s[:, :, :-1]).sum(2)
        log_sd = (maps[:, :, -1] + s[:, :, -1]).clamp(-7.0, 1.0)
        return mean, log_sd.exp()


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
        self.norm = nn.GroupNorm(GROUPS, base)
        self.head = nn.Conv3d(base, 1, 3, padding=1)
        start_at_zero(self.head)

    def forward(self, x: Tensor, t: Tensor, images: Tensor, condition: Tensor) -> Tensor:
        """Predict r (N, 1, I, J, K) from x_t, t (N,), volumes (N, C, I, J, K) and the vector."""
        half = self.base // 2
        rates = torch.exp(-math.log(1e4) * torch.arange(half, device=t.device) / half)
        angle = 1000.0 * t[:, None] * rates[None]
        clock = self.clock(torch.cat([angle.cos(), angle.sin()], 1))
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
