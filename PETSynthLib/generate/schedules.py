"""Time grids of the samplers, as small pure functions."""

from __future__ import annotations

import torch


def linear_times(steps: int) -> torch.Tensor:
    """``steps + 1`` times from 0 (noise) to 1 (data), evenly spaced, float64."""
    return torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)
