"""The Brownian bridge from the T1 to the PET (Li et al. 2023, arXiv 2205.07680)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..drawn import Model
from ..samplers import sample_bridge
from ..schedules import bridge_variance


def bridged(data: Tensor, source: Tensor, noise: Tensor, m: Tensor) -> Tensor:
    """A point of the bridge at m (N,), of volumes (N, 1, I, J, K) (eq. 3)."""
    at = m.reshape(-1, 1, 1, 1, 1)
    return (1 - at) * data + at * source + bridge_variance(at).sqrt() * noise


def draw(
    model: Model, t1: Tensor, steps: int, generator: torch.Generator, facts: dict[str, Any]
) -> Tensor:
    """One PET (1, 1, I, J, K), network scale; the network predicts how far x is from the data."""
    del facts

    def data(x: Tensor, m: float) -> Tensor:
        return x - model(x, m)

    mixed = torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64)
    return sample_bridge(data, t1, mixed, bridge_variance, generator)
