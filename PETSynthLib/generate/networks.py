"""Blocks that the networks of several methods are built of: a conditioned residual U-Net."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8
LONGEST_PERIOD = 10_000.0


def start_at_zero(layer: nn.Module) -> None:
    """Set weight and bias of a layer to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def time_features(t: Tensor, width: int) -> Tensor:
    """Cosines, then sines, of steps (N,) at geometric rates: (N, width), float32.

    A time of 0..1 is told as a step of a thousand.
    """
    half = width // 2
    rates = torch.exp(-math.log(LONGEST_PERIOD) * torch.arange(half, device=t.device) / half)
    angle = t.float()[:, None] * rates[None]
    return torch.cat([angle.cos(), angle.sin()], 1)


class GroupNorm(nn.GroupNorm):
    """Group norm in float32 whatever the rest runs in: its bfloat16 form is slow on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, ...)."""
        return F.group_norm(x.float(), self.num_groups, self.weight, self.bias, self.eps)


class ConditionedBlock(nn.Module):
    """Residual block: two convolutions, group norm, SiLU; a vector scales and shifts the second.

    FiLM (Perez et al. 2018): ``h = GN(h) (1 + scale(e)) + shift(e)``. The last convolution and the
    conditioning start at zero, so that the block starts as the identity.
    """

    def __init__(self, conv: type[nn.Module], c_in: int, c_out: int, c_embed: int) -> None:
        super().__init__()
        self.norm1 = GroupNorm(GROUPS, c_in)
        self.conv1 = conv(c_in, c_out, 3, padding=1)
        self.norm2 = GroupNorm(GROUPS, c_out)
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
        self.norm = GroupNorm(GROUPS, channels)
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
