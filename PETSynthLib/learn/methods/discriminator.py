"""Discriminators of volumes, and what trainings with rivals share.

Their losses are in `learn.losses.adversarial`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..settings import setting

SLOPE = 0.2
"""Of the leaky ReLU."""


@dataclass(frozen=True)
class RivalConfig:
    """Settings of a discriminator (group ``method.rival``)."""

    base: int = setting(16, "channels of the first layer", low=4)
    layers: int = setting(3, "convolutions of stride 2", low=1, high=5)
    rate: float = setting(0.5, "learning rate over the generator's", low=0.0)
    weight: float = setting(0.01, "weight of deceiving it in the generator's loss", low=0.0)


class PatchDiscriminator(nn.Module):
    """3D PatchGAN (Isola et al. 2017): one score for each overlapping patch.

    Convolutions of stride 2, each with twice the channels, then two of stride 1. The class (tracer)
    is told to the first layer: behind the last it would only shift every score of that class.

    Parameters
    ----------
    images
        Channels: what is judged, and what it may be compared with.
    base
        Channels of the first layer.
    layers
        Convolutions of stride 2.
    classes
        Number of classes; 0: it is not told them.
    normalised
        Instance norm between the layers, instead of batch norm, which fails at batches of one;
        none where the slope is penalised, which takes its place (Huang et al. 2024, arXiv
        2501.05441).
    """

    def __init__(
        self, images: int, base: int, layers: int, classes: int, *, normalised: bool = True
    ) -> None:
        super().__init__()
        self.normalised = normalised
        widths = [base * 2**k for k in range(layers + 1)]
        self.first = nn.Conv3d(images, base, 4, 2, 1)
        self.label = nn.Embedding(classes, base) if classes else None
        self.rest = nn.ModuleList(nn.Conv3d(a, b, 4, 2, 1) for a, b in pairwise(widths[:-1]))
        self.rest.append(nn.Conv3d(widths[-2], widths[-1], 3, padding=1))
        self.last = nn.Conv3d(widths[-1], 1, 3, padding=1)

    def forward(self, volumes: Tensor, label: Tensor | None = None) -> Tensor:
        """Scores (N, 1, i, j, k) without a bound, of (N, images, I, J, K) and labels (N,)."""
        h = self.first(volumes)
        if self.label is not None and label is not None:
            h = h + self.label(label)[..., None, None, None]
        for layer in self.rest:
            h = layer(F.leaky_relu(h, SLOPE))
            h = F.instance_norm(h.float()) if self.normalised else h
        scores: Tensor = self.last(F.leaky_relu(h, SLOPE))
        return scores.float()


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Inside, no gradient is kept for the networks' own weights; it still flows through them."""
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)


class ImagePool:
    """Earlier fakes, so that a discriminator does not forget them (Shrivastava et al. 2017).

    Parameters
    ----------
    size
        How many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.kept: list[Tensor] = []

    def exchange(self, fakes: Tensor, chance: Tensor) -> Tensor:
        """Each fake, or with chance one half an earlier one whose place it takes.

        Parameters
        ----------
        fakes
            (N, ...), detached.
        chance
            (N,): uniform numbers, drawn with the examples.
        """
        shown = []
        for fake, number in zip(fakes, chance.tolist(), strict=True):
            if len(self.kept) < self.size:
                self.kept.append(fake.clone())
                shown.append(fake)
            elif number < 0.5:
                place = int(2 * number * self.size)
                shown.append(self.kept[place].to(fake.device))
                self.kept[place] = fake.clone()
            else:
                shown.append(fake)
        return torch.stack(shown)

    def state(self) -> dict[str, Any]:
        """See `Memory.state`."""
        return {str(k): v.cpu() for k, v in enumerate(self.kept)}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Memory.restore`."""
        self.kept = [state[str(k)] for k in range(len(state))]
