"""Any volume-to-volume network as a generator of mean and spread, told what else is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..clinical import FIELDS

IMAGES = 3
"""T1, FLAIR, brain mask."""
PAINTED = 4
"""Channels through which a published network is told the clinic and the scanner."""
INPUTS = ("all", "t1")
T1_FORMS = ("percentile", "minmax", "zscore")
"""How a network wants its T1: 97th percentile of the brain at 1 (ours), 0..1, or mean 0 and sd 1 in
the brain."""


class ConditionedBackbone(nn.Module):
    """A published network with inputs and outputs like those of our own.

    The vector of facts is mapped to a few numbers, which are painted over the brain and shown as
    channels: a constant over the whole volume would be lost in the networks' instance norms.

    Parameters
    ----------
    make
        Makes the network from its numbers of channels in and out; ``multiple`` is what its extents
        must divide by, ``least`` what they must have (an instance norm of one voxel is nothing).
    tracers
        Number of tracers T.
    condition
        Length of the vector.
    inputs
        One of `INPUTS`: everything, or the T1 alone as in most papers.
    t1
        One of `T1_FORMS`.
    spread
        The standard deviation everywhere (network scale) of a network that has none of its own;
        None: it is learnt.
    """

    def __init__(
        self,
        make: Callable[[int, int], nn.Module],
        tracers: int,
        condition: int,
        inputs: str = "all",
        t1: str = "percentile",
        spread: float | None = None,
    ) -> None:
        super().__init__()
        self.inputs, self.t1, self.spread = inputs, t1, spread
        if inputs == "all":
            self.vector = nn.Linear(condition, PAINTED)
        self.backbone = make(
            IMAGES + PAINTED if inputs == "all" else 1, tracers if spread else 2 * tracers
        )

    def forward(self, images: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation.

        Parameters
        ----------
        images
            (N, 3, I, J, K): T1, FLAIR, brain mask; any extent.
        condition
            (N, condition).

        Returns
        -------
        Two tensors (N, T, I, J, K), float32.
        """
        shown = torch.cat([scaled_t1(images, self.t1), images[:, 1:]], 1)
        if self.inputs == "all":
            told = self.vector(condition)[..., None, None, None] * images[:, 2:3]
            shown = torch.cat([shown, told], 1)
        else:
            shown = shown[:, :1]
        extent = images.shape[2:]
        multiple: int = self.backbone.multiple  # type: ignore[assignment]
        least: int = self.backbone.least  # type: ignore[assignment]
        pad = [p for n in reversed(extent) for p in (0, max(least - n, -n % multiple))]
        h = self.backbone(F.pad(shown, pad))[..., : extent[0], : extent[1], : extent[2]].float()
        if self.spread:
            return h, images[:, 2:3].float() * self.spread + torch.zeros_like(h)
        mean, log_sd = h.chunk(2, 1)
        return mean, torch.exp(log_sd.clamp(-7.0, 1.0))


def scaled_t1(images: Tensor, form: str) -> Tensor:
    """The T1 (N, 1, I, J, K) of T1, FLAIR and mask, in one of `T1_FORMS`."""
    t1, mask = images[:, :1], images[:, 2:3]
    axes = (2, 3, 4)
    if form == "minmax":
        low, high = t1.amin(axes, keepdim=True), t1.amax(axes, keepdim=True)
        return (t1 - low) / (high - low).clamp_min(1e-6)
    if form == "zscore":
        count = mask.sum(axes, keepdim=True).clamp_min(1)
        mean = (t1 * mask).sum(axes, keepdim=True) / count
        sd = (((t1 - mean) ** 2 * mask).sum(axes, keepdim=True) / count).sqrt()
        return (t1 - mean) / sd.clamp_min(1e-6)
    return t1


def condition_length(facts: dict[str, Any]) -> int:
    """Length of the vector that a regression is told: clinic and flags, scanner, FLAIR shown."""
    return 2 * len(FIELDS) + len(facts["scanners"]) + 1


def conditioned(facts: dict[str, Any], make: Callable[[int, int], nn.Module]) -> nn.Module:
    """The backbone that ``method_config`` of a bundle describes, made by ``make``."""
    shape = facts["network"]
    return ConditionedBackbone(
        make,
        len(facts["tracer_order"]),
        condition_length(facts),
        shape.get("inputs", "all"),
        shape.get("t1", "percentile"),
        shape.get("spread"),
    )
