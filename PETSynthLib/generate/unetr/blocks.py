"""Blocks that UNETR and SwinUNETR share: residual convolutions, steps up, vision transformers.

The names of the tensors are those of MONAI's networks, so that their weights load.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.01
"""Of the leaky ReLU."""


class _Conv(nn.Module):
    """A convolution without bias that keeps the extent, or a transposed one that doubles it."""

    def __init__(self, c_in: int, c_out: int, size: int, *, up: bool = False) -> None:
        super().__init__()
        self.conv = (
            nn.ConvTranspose3d(c_in, c_out, 2, 2, bias=False)
            if up
            else nn.Conv3d(c_in, c_out, size, padding=size // 2, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.conv(x)
        return h


class ResidualBlock(nn.Module):
    """Two convolutions of 3 with instance norm, and the way around them."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = _Conv(c_in, c_out, 3)
        self.conv2 = _Conv(c_out, c_out, 3)
        if c_in != c_out:
            self.conv3 = _Conv(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, I, J, K) to (N, c_out, I, J, K)."""
        h = F.leaky_relu(F.instance_norm(self.conv1(x)), SLOPE)
        h = F.instance_norm(self.conv2(h))
        around = F.instance_norm(self.conv3(x)) if hasattr(self, "conv3") else x
        return F.leaky_relu(h + around, SLOPE)


class BasicBlock(nn.Module):
    """A residual block under the name ``layer``."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.layer = ResidualBlock(c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.layer(x)
        return h


class UpBlock(nn.Module):
    """Doubles the extent, puts the skipped features beside, and a residual block."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.transp_conv = _Conv(c_in, c_out, 2, up=True)
        self.conv_block = ResidualBlock(2 * c_out, c_out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Map (N, c_in, ...) and the features (N, c_out, twice ...) to (N, c_out, twice ...)."""
        h: Tensor = self.conv_block(torch.cat([self.transp_conv(x), skip], 1))
        return h


class ProjectedUpBlock(nn.Module):
    """Doubles the extent ``1 + more`` times, with a residual block after each but the first."""

    def __init__(self, c_in: int, c_out: int, more: int) -> None:
        super().__init__()
        self.transp_conv_init = _Conv(c_in, c_out, 2, up=True)
        self.blocks = nn.ModuleList(
            nn.Sequential(_Conv(c_out, c_out, 2, up=True), ResidualBlock(c_out, c_out))
            for _ in range(more)
        )

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.transp_conv_init(x)
        for block in self.blocks:
            h = block(h)
        return h


class OutBlock(nn.Module):
    """A 1x1x1 convolution under the names of MONAI's."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Module()
        self.conv.conv = nn.Conv3d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.conv.conv(x)  # type: ignore[operator]
        return h


class Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.linear2(F.gelu(self.linear1(x)))
        return h
