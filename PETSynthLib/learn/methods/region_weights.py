"""Weights of the regions in an image loss: one for the target region, by region, or learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...errors import PETSynthError
from ...tracers import all_tracers
from ..regions import LABELS, membership, region_index, region_keys
from ..settings import refuse, setting


@dataclass(frozen=True)
class RegionWeightConfig:
    """How much the regions of the brain count; a voxel outside them counts 1."""

    target: float = setting(10.0, "weight of the tracer's target region (MetaROI)", low=0.0)
    regions: tuple[str, ...] = setting(
        (), "NAME=WEIGHT of further regions or composites, e.g. precuneus=15; they come last"
    )
    learnable: bool = setting(False, "learn a factor on each label's weight in training")
    pull: float = setting(0.1, "regulariser: how strongly learnt factors are held at 1", low=0.0)


class RegionWeights(nn.Module):
    """Weight of every voxel by its label, for each tracer.

    With ``learnable`` each label has a factor ``exp(s - mean s)``: their geometric mean stays 1, so
    that the loss cannot be made small by making all weights small. As in a likelihood with unequal
    noise, labels whose error cannot be reduced lose weight; `penalty`, the mean of ``s^2``, bounds
    by how much.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for a region that there is not, or a weight that is no number.
    """

    table: Tensor
    inside: Tensor

    def __init__(self, config: RegionWeightConfig, tracers: list[str]) -> None:
        super().__init__()
        self.pull = config.pull
        table = np.ones((len(tracers), LABELS), np.float32)
        for t, tracer in enumerate(tracers):
            target = all_tracers()[tracer].target_region
            table[t, membership()[region_index(target)]] = config.target
        for text in config.regions:
            mask, weight = _parsed(text)
            table[:, mask] = weight
        self.register_buffer("table", torch.from_numpy(table), persistent=False)
        named = torch.from_numpy(membership().any(0))
        self.register_buffer("inside", named, persistent=False)
        self.factors = nn.Parameter(torch.zeros(LABELS)) if config.learnable else None

    def forward(self, labels: Tensor, tracer: Tensor) -> Tensor:
        """Weights (N, ...) of labels (N, ...) for the tracers (N,), places in the list."""
        table = self.table
        if self.factors is not None:
            centred = self.factors - self.factors[self.inside].mean()
            table = table * torch.where(self.inside, centred, 0.0).exp()
        own = table[tracer]
        return own.gather(1, labels.long().flatten(1)).reshape(labels.shape)

    def penalty(self) -> Tensor:
        """What holds learnt factors at 1; 0 when none are learnt."""
        if self.factors is None:
            return self.table.new_zeros(())
        return self.pull * (self.factors[self.inside] ** 2).mean()


def _parsed(text: str) -> tuple[NDArray[np.bool_], float]:
    """Labels (`LABELS`,) of a region, or of both its sides, and their weight."""
    name, _, number = text.partition("=")
    keys = [key for key in region_keys() if name in (key, key.partition(".")[0])]
    try:
        weight = float(number)
        if not (keys and weight >= 0):
            raise ValueError(text)
    except ValueError:
        raise _unreadable(text) from None
    return np.asarray(membership()[[region_index(key) for key in keys]].any(0)), weight


def _unreadable(text: str) -> PETSynthError:
    return refuse(
        f"The region weight {text!r} cannot be used.",
        "Write NAME=WEIGHT with a region or composite of the atlas and a weight of at least 0, "
        "e.g. precuneus=15.",
    )
