"""Time grids of the samplers, as small pure functions."""

from __future__ import annotations

import torch


def linear_times(steps: int) -> torch.Tensor:
    """``steps + 1`` times from 0 (noise) to 1 (data), evenly spaced, float64."""
    return torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)


def linear_betas(steps: int, first: float = 1e-4, last: float = 0.02) -> torch.Tensor:
    """(steps,) float64: variance added at each step (Ho et al. 2020, arXiv 2006.11239)."""
    return torch.linspace(first, last, steps, dtype=torch.float64)


def cumulative_alphas(betas: torch.Tensor) -> torch.Tensor:
    """Share of the data's variance that is left after each step."""
    return torch.cumprod(1.0 - betas, 0)


def even_steps(total: int, count: int) -> list[int]:
    """``count`` of the steps ``total - 1 .. 0``, falling, evenly spaced, the first one included."""
    count = min(count, total)
    return [total - 1 - k * total // count for k in range(count)]


def bridge_variance(mixed: torch.Tensor, largest: float = 1.0) -> torch.Tensor:
    """``2 s (m - m^2)``: variance of a Brownian bridge, 0 at both ends (Li et al. 2023, eq. 4).

    Parameters
    ----------
    mixed
        m, 0 at the data and 1 at the source.
    largest
        s.
    """
    return 2.0 * largest * (mixed - mixed**2)
