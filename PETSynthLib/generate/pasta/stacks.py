"""2.5D: a volume cut into overlapping stacks of slices in any plane, and put together again."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...volume import PLANES


def slices_of(volume: Tensor, plane: str) -> Tensor:
    """A volume (I, J, K) as slices (n, H, W) of a plane; no copy."""
    return volume.movedim(PLANES[plane], 0)


def volume_of(slices: Tensor, plane: str) -> Tensor:
    """The inverse of `slices_of`."""
    return slices.movedim(0, PLANES[plane])


def widened(slices: Tensor, extent: tuple[int, int], fill: float) -> Tensor:
    """Slices (n, H, W) on a wider canvas (n, *extent), filled behind the end of each axis."""
    down, right = (wide - has for wide, has in zip(extent, slices.shape[1:], strict=True))
    return F.pad(slices, (0, right, 0, down), value=fill)


def rounded_up(extent: tuple[int, int], multiple: int) -> tuple[int, int]:
    """The next extent that the levels of a network divide."""
    high, wide = (-(-n // multiple) * multiple for n in extent)
    return high, wide


def stacks_at(slices: Tensor, centres: list[int], thickness: int, fill: float) -> Tensor:
    """The stacks of ``thickness`` slices around ``centres``: (len(centres), thickness, H, W).

    Places beyond the first and last slice hold ``fill``.
    """
    half = thickness // 2
    beyond = F.pad(slices, (0, 0, 0, 0, half, half), value=fill)
    return torch.stack([beyond[k : k + thickness] for k in centres])


def stack_centres(count: int, stride: int) -> list[int]:
    """Centres of the stacks of ``count`` slices, ``stride`` apart, the two ends left alike."""
    first = (count - 1) % stride // 2
    return list(range(first, count, stride))


def stack_weights(thickness: int) -> Tensor:
    """(thickness,): weight of each slice of a stack, falling linearly from its centre."""
    half = thickness // 2
    distance = (torch.arange(thickness) - half).abs()
    return 1 - distance / (half + 1.0)


class Assembly:
    """Overlapping stacks averaged with `stack_weights` (paper: generation of the volume).

    Parameters
    ----------
    shape
        (n, H, W) of the slices.
    """

    def __init__(self, shape: tuple[int, int, int], thickness: int, device: torch.device) -> None:
        self.half = thickness // 2
        self.weights = stack_weights(thickness).to(device)
        count, *extent = shape
        self.sum = torch.zeros((count, *extent), device=device)
        self.weight = torch.zeros(count, device=device)

    def add(self, centres: list[int], stacks: Tensor) -> None:
        """Add the stacks (len(centres), thickness, H, W); what lies beyond the ends is dropped."""
        count, high, wide = self.sum.shape
        for k, stack in zip(centres, stacks, strict=True):
            low, top = max(0, k - self.half), min(count, k + self.half + 1)
            part = slice(low - k + self.half, top - k + self.half)
            weights = self.weights[part]
            self.sum[low:top] += weights[:, None, None] * stack[part, :high, :wide].float()
            self.weight[low:top] += weights

    def slices(self) -> Tensor:
        """The average (n, H, W); NaN where no stack has been."""
        return self.sum / torch.where(self.weight > 0, self.weight, math.nan)[:, None, None]
