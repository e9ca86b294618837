"""The network of RelA-Diffusion (Yu et al., arXiv 2602.21345): a 3D U-Net that is told the time.

Names and shapes of its weights are those of the published checkpoint, so that one can be loaded as
it is: residual blocks with the time added between two convolutions, a transformer block behind each
residual block of the levels that attend, and one more residual block a level on the way up. The
published cross-attention is given no context; each of its positions then attends to the block's own
input, which is what `TransformerBlock` does. Ours may be told a vector more (clinic, scanner).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..networks import GroupNorm, start_at_zero, time_features

EPS = 1e-6


@dataclass(frozen=True)
class Shape:
    """What decides a network's weights.

    Attributes
    ----------
    images
        Channels in: noisy PET, T1, FLAIR.
    out
        Channels out.
    channels
        Of each level.
    attention
        Which levels attend.
    blocks
        Residual blocks a level on the way down.
    groups
        Of the group norms.
    head
        Channels of an attention head.
    classes
        Rows of the tracers' embedding.
    told
        Length of the vector beside time and tracer; 0: none, as published.
    """

    images: int = 3
    out: int = 1
    channels: tuple[int, ...] = (16, 32, 64)
    attention: tuple[bool, ...] = (False, False, True)
    blocks: int = 2
    groups: int = 8
    head: int = 64
    classes: int = 4
    told: int = 0


class Convolution(nn.Module):
    """A convolution that keeps the extent, or halves it with ``stride`` 2.

    A grid narrower than the kernel is convolved in float32: the bfloat16 form of oneDNN (torch 2.13
    on a CPU) gives weights of the kernel's rim gradients out of unwritten memory there.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, c_out, kernel, stride=stride, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, I, J, K) to (N, c_out, ...)."""
        if min(x.shape[2:]) < self.conv.kernel_size[0]:
            with torch.autocast(x.device.type, enabled=False):
                small: Tensor = self.conv(x.float())
            return small
        out: Tensor = self.conv(x)
        return out


class ResidualBlock(nn.Module):
    """Two convolutions behind group norm and SiLU; the embedding is added between them."""

    def __init__(self, shape: Shape, c_in: int, c_out: int, c_embed: int) -> None:
        super().__init__()
        self.norm1 = GroupNorm(shape.groups, c_in, EPS)
        self.conv1 = Convolution(c_in, c_out)
        self.time_emb_proj = nn.Linear(c_embed, c_out)
        self.norm2 = GroupNorm(shape.groups, c_out, EPS)
        self.conv2 = Convolution(c_out, c_out)
        self.skip_connection = Convolution(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        start_at_zero(self.conv2)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Map (N, c_in, ...) with an embedding (N, c_embed) to (N, c_out, ...)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(F.silu(embedding))[:, :, None, None, None]
        out: Tensor = self.skip_connection(x) + self.conv2(F.silu(self.norm2(h)))
        return out


class Attention(nn.Module):
    """Multi-head self-attention of tokens (N, L, C)."""

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.heads = channels // head
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(channels, channels, bias=False)
        self.to_v = nn.Linear(channels, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Tokens in, tokens out."""
        n, length, c = x.shape
        q, k, v = (
            layer(x).reshape(n, length, self.heads, c // self.heads).transpose(1, 2)
            for layer in (self.to_q, self.to_k, self.to_v)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, c)
        out: Tensor = self.to_out(mixed)
        return out


class GatedFeedForward(nn.Module):
    """Linear, gate by GELU (Shazeer 2020), linear; four times as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, 8 * channels)
        self.linear2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens in, tokens out."""
        value, gate = self.linear1(x).chunk(2, -1)
        out: Tensor = self.linear2(value * F.gelu(gate))
        return out


class TransformerBlock(nn.Module):
    """Self-attention, attention to the block's own input again, feed-forward; each added."""

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.attn1 = Attention(channels, head)
        self.ff = GatedFeedForward(channels)
        self.attn2 = Attention(channels, head)
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.norm3 = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens in, tokens out."""
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x))
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class SpatialTransformer(nn.Module):
    """A transformer block over all voxels of a level, added to them."""

    def __init__(self, shape: Shape, channels: int) -> None:
        super().__init__()
        self.norm = GroupNorm(shape.groups, channels, EPS)
        self.proj_in = Convolution(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(channels, shape.head)])
        self.proj_out = Convolution(channels, channels, 1)
        start_at_zero(self.proj_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J, K) to the same shape."""
        h = self.proj_in(self.norm(x))
        tokens = h.flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            tokens = block(tokens)
        out: Tensor = x + self.proj_out(tokens.transpose(1, 2).reshape(h.shape))
        return out


class Downsampler(nn.Module):
    """Half the extent by a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = Convolution(channels, channels, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J, K) to half the extent."""
        out: Tensor = self.op(x)
        return out


class Upsampler(nn.Module):
    """Twice the extent: nearest neighbour, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J, K) to twice the extent."""
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class Level(nn.Module):
    """Residual blocks of one resolution, each with a transformer block where the level attends."""

    def __init__(
        self, shape: Shape, widths: list[int], channels: int, c_embed: int, *, attend: bool
    ) -> None:
        super().__init__()
        if attend:
            self.attentions = nn.ModuleList(SpatialTransformer(shape, channels) for _ in widths)
        self.resnets = nn.ModuleList(ResidualBlock(shape, w, channels, c_embed) for w in widths)

    def block(self, number: int, x: Tensor, embedding: Tensor) -> Tensor:
        """Run the ``number``-th residual block and what belongs to it."""
        h: Tensor = self.resnets[number](x, embedding)
        if hasattr(self, "attentions"):
            h = self.attentions[number](h)
        return h


class DownLevel(Level):
    """A level on the way down; every state is kept for the way up."""

    def __init__(
        self, shape: Shape, c_in: int, channels: int, c_embed: int, *, attend: bool, last: bool
    ) -> None:
        widths = [c_in] + (shape.blocks - 1) * [channels]
        super().__init__(shape, widths, channels, c_embed, attend=attend)
        if not last:
            self.downsampler = Downsampler(channels)

    def forward(self, h: Tensor, embedding: Tensor, kept: list[Tensor]) -> Tensor:
        """Map (N, c_in, ...) to (N, channels, ...), halved but for the last level."""
        for number in range(len(self.resnets)):
            h = self.block(number, h, embedding)
            kept.append(h)
        if hasattr(self, "downsampler"):
            h = self.downsampler(h)
            kept.append(h)
        return h


class UpLevel(Level):
    """A level on the way up; each block also reads what was kept on the way down."""

    def __init__(
        self,
        shape: Shape,
        widths: list[int],
        channels: int,
        c_embed: int,
        *,
        attend: bool,
        last: bool,
    ) -> None:
        super().__init__(shape, widths, channels, c_embed, attend=attend)
        if not last:
            self.upsampler = Upsampler(channels)

    def forward(self, h: Tensor, embedding: Tensor, kept: list[Tensor]) -> Tensor:
        """Map (N, C, ...) to (N, channels, ...), doubled but for the last level."""
        for number in range(len(self.resnets)):
            h = self.block(number, torch.cat([h, kept.pop()], 1), embedding)
        if hasattr(self, "upsampler"):
            h = self.upsampler(h)
        return h


class Middle(nn.Module):
    """Two residual blocks with a transformer block between them."""

    def __init__(self, shape: Shape, channels: int, c_embed: int) -> None:
        super().__init__()
        self.resnet_1 = ResidualBlock(shape, channels, channels, c_embed)
        self.attention = SpatialTransformer(shape, channels)
        self.resnet_2 = ResidualBlock(shape, channels, channels, c_embed)

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        """Map (N, C, ...) to the same shape."""
        out: Tensor = self.resnet_2(self.attention(self.resnet_1(h, embedding)), embedding)
        return out


class DiffusionUNet(nn.Module):
    """The network; see the module's docstring."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        base, widths = shape.channels[0], shape.channels
        c_embed, levels = 4 * base, len(widths)
        self.conv_in = Convolution(shape.images, base)
        self.time_embed = nn.Sequential(
            nn.Linear(base, c_embed), nn.SiLU(), nn.Linear(c_embed, c_embed)
        )
        self.class_embedding = nn.Embedding(shape.classes, c_embed)
        if shape.told:
            self.told = nn.Linear(shape.told, c_embed)
            start_at_zero(self.told)
        self.down_blocks = nn.ModuleList()
        skips, c_in = [base], base
        for level, width in enumerate(widths):
            last, attend = level == levels - 1, shape.attention[level]
            self.down_blocks.append(
                DownLevel(shape, c_in, width, c_embed, attend=attend, last=last)
            )
            skips += shape.blocks * [width] + ([] if last else [width])
            c_in = width
        self.middle_block = Middle(shape, c_in, c_embed)
        self.up_blocks = nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            reads = [skips.pop() for _ in range(shape.blocks + 1)]
            own = [c_in] + shape.blocks * [width]
            sums = [a + b for a, b in zip(own, reads, strict=True)]
            attend = shape.attention[level]
            self.up_blocks.append(
                UpLevel(shape, sums, width, c_embed, attend=attend, last=level == 0)
            )
            c_in = width
        self.out = nn.Sequential(
            GroupNorm(shape.groups, base, EPS), nn.SiLU(), Convolution(base, shape.out)
        )
        start_at_zero(self.out[2])

    @property
    def multiple(self) -> int:
        """What every extent must divide by."""
        return int(2 ** (len(self.shape.channels) - 1))

    def forward(self, x: Tensor, t: Tensor, tracer: Tensor, told: Tensor | None = None) -> Tensor:
        """The noise (or whatever it was trained to say) of a noisy PET.

        Parameters
        ----------
        x
            (N, images, I, J, K): noisy PET, T1, FLAIR; extents divide by `multiple`.
        t
            (N,): steps of noise, 0..T-1.
        tracer
            (N,): rows of the tracers' embedding.
        told
            (N, told), where the shape has it.

        Returns
        -------
        Tensor (N, out, I, J, K), float32.
        """
        embedding = self.time_embed(
            time_features(t, self.shape.channels[0])
        ) + self.class_embedding(tracer)
        if told is not None:
            embedding = embedding + self.told(told)
        h = self.conv_in(x)
        kept = [h]
        for level in self.down_blocks:
            h = level(h, embedding, kept)
        h = self.middle_block(h, embedding)
        for level in self.up_blocks:
            h = level(h, embedding, kept)
        out: Tensor = self.out(h)
        return out.float()


def shape_from(facts: dict[str, Any]) -> Shape:
    """A `Shape` from the JSON form of its attributes."""
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
    return Shape(**lists)
