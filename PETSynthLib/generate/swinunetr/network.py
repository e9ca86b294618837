"""SwinUNETR (Hatamizadeh et al. 2022, arXiv 2201.01266): windows of attention, a U-Net's way up.

Four stages of two blocks; every second block shifts its windows by half (Liu et al. 2021, arXiv
2103.14030), each stage ends with merging 2x2x2 neighbours. Names as in MONAI's ``SwinUNETR``, with
two of its defects left out: its default merging takes two of the eight neighbours twice and two
never (its ``mergingv2`` does as here), and where a window is cut to a small volume it looks up
position biases of other places.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbone import conditioned
from ..unetr.blocks import BasicBlock, Mlp, OutBlock, UpBlock

DEPTH, STAGES = 2, 4
APART = -100.0
"""Added to the attention of voxels that a shift brought together from opposite ends."""
Extent = tuple[int, int, int]


class _WindowAttention(nn.Module):
    """Self-attention inside windows, with a learnt bias for each relative position."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        table = torch.zeros((2 * window - 1) ** 3, heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, window: Extent, apart: Tensor | None) -> Tensor:
        """Map (B windows, V, width); ``apart`` (windows of one volume, V, V) is added."""
        b, v, width = x.shape
        qkv = self.qkv(x).reshape(b, v, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, values = qkv.unbind(0)
        index = relative_positions(window, self.window).to(x.device)
        bias = self.relative_position_bias_table[index].permute(2, 0, 1)[None]
        if apart is not None:
            repeats = b // len(apart)
            bias = bias + apart[:, None].to(bias.dtype).repeat(repeats, 1, 1, 1)
        mixed = F.scaled_dot_product_attention(q, k, values, bias.to(q.dtype))
        h: Tensor = self.proj(mixed.transpose(1, 2).reshape(b, v, width))
        return h


@cache
def relative_positions(window: Extent, whole: int) -> Tensor:
    """(V, V): row of the table for each pair of voxels of a window inside a cube of ``whole``."""
    axes = [torch.arange(n) for n in window]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)
    apart = places[:, :, None] - places[:, None, :] + whole - 1
    span = 2 * whole - 1
    return (apart[0] * span + apart[1]) * span + apart[2]


@cache
def apart_mask(extent: Extent, window: Extent, shift: Extent) -> Tensor:
    """(windows, V, V): `APART` where two voxels of a shifted window were no neighbours."""
    zone = torch.zeros(1, *extent, 1)
    parts = [
        (slice(-w), slice(-w, -s), slice(-s, None)) if s else (slice(None),)
        for w, s in zip(window, shift, strict=True)
    ]
    for number, (i, j, k) in enumerate(product(*parts)):
        zone[:, i, j, k] = number
    flat = windows_of(zone, window).squeeze(-1)
    return torch.where(flat[:, None, :] == flat[:, :, None], 0.0, APART)


def windows_of(x: Tensor, window: Extent) -> Tensor:
    """(N, I, J, K, C) as windows (N * windows, V, C)."""
    n, i, j, k, c = x.shape
    a, b, d = window
    x = x.reshape(n, i // a, a, j // b, b, k // d, d, c)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, a * b * d, c)


def volume_of(x: Tensor, window: Extent, extent: Extent) -> Tensor:
    """The inverse of `windows_of`."""
    i, j, k = (n // w for n, w in zip(extent, window, strict=True))
    x = x.reshape(-1, i, j, k, *window, x.shape[-1])
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(len(x), *extent, x.shape[-1])


class _Block(nn.Module):
    """Attention in (shifted) windows and a perceptron, each beside the identity."""

    def __init__(self, width: int, heads: int, window: int, *, shifted: bool) -> None:
        super().__init__()
        self.window, self.shifted = window, shifted
        self.norm1 = nn.LayerNorm(width)
        self.attn = _WindowAttention(width, heads, window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, J, K, width) to the same shape."""
        x = x + self._attended(self.norm1(x))
        h: Tensor = x + self.mlp(self.norm2(x))
        return h

    def _attended(self, x: Tensor) -> Tensor:
        inside = x.shape[1:4]
        # An axis that fits into one window is not shifted.
        window: Extent = tuple(min(n, self.window) for n in inside)  # type: ignore[assignment]
        half = self.window // 2 if self.shifted else 0
        shift: Extent = tuple(half if n > self.window else 0 for n in inside)  # type: ignore[assignment]
        pad = [p for n, w in reversed(list(zip(inside, window, strict=True))) for p in (0, -n % w)]
        x = F.pad(x, (0, 0, *pad))
        extent: Extent = x.shape[1:4]  # type: ignore[assignment]
        apart = None
        if any(shift):
            x = torch.roll(x, [-s for s in shift], (1, 2, 3))
            apart = apart_mask(extent, window, shift).to(x.device)
        x = volume_of(self.attn(windows_of(x, window), window, apart), window, extent)
        if any(shift):
            x = torch.roll(x, shift, (1, 2, 3))
        return x[:, : inside[0], : inside[1], : inside[2]]


class _Merging(nn.Module):
    """2x2x2 neighbours as one voxel of twice the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(8 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(8 * width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, J, K, C) to (N, I / 2, J / 2, K / 2, 2 C)."""
        parts = [x[:, i::2, j::2, k::2] for i, j, k in product(range(2), repeat=3)]
        h: Tensor = self.reduction(self.norm(torch.cat(parts, -1)))
        return h


class _Stage(nn.Module):
    """Two blocks, the second shifted, and merging."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            _Block(width, heads, window, shifted=bool(k % 2)) for k in range(DEPTH)
        )
        self.downsample = _Merging(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, ...) to (N, 2 C, half ...)."""
        h = x.movedim(1, -1)
        for block in self.blocks:
            h = block(h)
        merged: Tensor = self.downsample(h)
        return merged.movedim(-1, 1)


class _Encoder(nn.Module):
    """The transformer: its input's patches and the states after each stage, normalised."""

    def __init__(self, c_in: int, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv3d(c_in, width, 2, 2)
        for s in range(STAGES):
            stage = _Stage(width * 2**s, heads * 2**s, window)
            self.add_module(f"layers{s + 1}", nn.ModuleList([stage]))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.patch_embed.proj(x)  # type: ignore[operator]
        states = [_normalised(x)]
        for s in range(STAGES):
            x = getattr(self, f"layers{s + 1}")[0](x)
            states.append(_normalised(x))
        return states


def _normalised(x: Tensor) -> Tensor:
    """Layer norm over the channels of (N, C, ...), without parameters."""
    return F.layer_norm(x.movedim(1, -1), x.shape[1:2]).movedim(-1, 1)


class SwinUNETR(nn.Module):
    """See the module's docstring.

    Parameters
    ----------
    feature_size
        Channels of the highest level, a multiple of ``heads``.
    heads
        Attention heads of the first stage; doubled at each.
    window
        Voxels along an edge of a window.
    """

    multiple = 2 ** (STAGES + 1)
    least = 2 * multiple

    def __init__(self, c_in: int, c_out: int, feature_size: int, heads: int, window: int) -> None:
        super().__init__()
        f = feature_size
        self.swinViT = _Encoder(c_in, f, heads, window)
        self.encoder1 = BasicBlock(c_in, f)
        self.encoder2 = BasicBlock(f, f)
        self.encoder3 = BasicBlock(2 * f, 2 * f)
        self.encoder4 = BasicBlock(4 * f, 4 * f)
        self.encoder10 = BasicBlock(16 * f, 16 * f)
        self.decoder5 = UpBlock(16 * f, 8 * f)
        self.decoder4 = UpBlock(8 * f, 4 * f)
        self.decoder3 = UpBlock(4 * f, 2 * f)
        self.decoder2 = UpBlock(2 * f, f)
        self.decoder1 = UpBlock(f, f)
        self.out = OutBlock(f, c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, I, J, K), multiples of 32, to (N, c_out, I, J, K)."""
        states = self.swinViT(x)
        h = self.decoder5(self.encoder10(states[4]), states[3])
        h = self.decoder4(h, self.encoder4(states[2]))
        h = self.decoder3(h, self.encoder3(states[1]))
        h = self.decoder2(h, self.encoder2(states[0]))
        out: Tensor = self.out(self.decoder1(h, self.encoder1(x)))
        return out


def build_swinunetr(facts: dict[str, Any]) -> nn.Module:
    """The network that ``method_config`` of a bundle describes."""
    shape = facts["network"]

    def make(c_in: int, c_out: int) -> SwinUNETR:
        return SwinUNETR(c_in, c_out, shape["feature_size"], shape["heads"], shape["window"])

    return conditioned(facts, make)
