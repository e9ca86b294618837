"""The published 3D U-Net: strided convolutions down, transposed ones up, nothing else.

The network of the Cyclic 2.5D release and of most tables: MONAI's ``UNet`` without residual units,
instance norm (without parameters) and PReLU, of which it is a rewriting: the names of its tensors
are kept, so that published checkpoints load. Channels 64..1024, strides 2 in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class _Convolution(nn.Module):
    """A convolution, plain or transposed, with norm and PReLU unless it is the last."""

    def __init__(
        self, c_in: int, c_out: int, stride: int, *, transposed: bool, bare: bool = False
    ) -> None:
        super().__init__()
        self.conv: nn.Module
        if transposed:
            self.conv = nn.ConvTranspose3d(c_in, c_out, 3, stride, 1, output_padding=stride - 1)
        else:
            self.conv = nn.Conv3d(c_in, c_out, 3, stride, 1)
        self.adn = nn.Sequential()
        if not bare:
            self.adn.add_module("N", nn.InstanceNorm3d(c_out))
            self.adn.add_module("A", nn.PReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, I, J, K) to (N, c_out, ...)."""
        h: Tensor = self.adn(self.conv(x))
        return h


class _Beside(nn.Module):
    """What comes in, and what a part of the network makes of it, as channels side by side."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, ...) to (N, C + own, ...)."""
        return torch.cat([x, self.submodule(x)], 1)


class PlainUNet(nn.Module):
    """See the module's docstring.

    Parameters
    ----------
    channels
        Of each level; every level but the last halves the extent, which must divide by
        ``2 ** (len(channels) - 1)``.
    """

    def __init__(self, c_in: int, c_out: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.multiple = 2 ** (len(channels) - 1)
        self.least = 2 * self.multiple
        self.model = _level(c_in, c_out, channels, top=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, I, J, K) to (N, c_out, I, J, K)."""
        out: Tensor = self.model(x)
        return out


def _level(c_in: int, c_out: int, channels: tuple[int, ...], *, top: bool) -> nn.Sequential:
    first, *rest = channels
    if len(rest) > 1:
        inner: nn.Module = _level(first, first, tuple(rest), top=False)
        below = first
    else:
        inner = _Convolution(first, rest[0], 1, transposed=False)
        below = rest[0]
    return nn.Sequential(
        _Convolution(c_in, first, 2, transposed=False),
        _Beside(inner),
        _Convolution(first + below, c_out, 2, transposed=True, bare=top),
    )
