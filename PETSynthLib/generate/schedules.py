"""Time grids and noise schedules of the samplers, as small pure functions.

A schedule of T steps is its ``alphas`` (T,), float64, falling: the share of the data's variance
that is left after each step.
"""

from __future__ import annotations

import math

import torch

LARGEST_BETA = 0.999
"""Of the cosine schedule's steps (Nichol and Dhariwal 2021)."""


def linear_times(steps: int) -> torch.Tensor:
    """``steps + 1`` times from 0 (noise) to 1 (data), evenly spaced, float64."""
    return torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)


def linear_alphas(total: int, first: float = 1e-4, last: float = 0.02) -> torch.Tensor:
    """The schedule whose added variance rises linearly (Ho et al. 2020, arXiv 2006.11239).

    Parameters
    ----------
    first, last
        Variance that the first and the last step add.
    """
    betas = torch.linspace(first, last, total, dtype=torch.float64)
    return torch.cumprod(1.0 - betas, 0)


def scaled_linear_alphas(total: int, first: float = 5e-4, last: float = 1.95e-2) -> torch.Tensor:
    """The schedule whose added variance rises with the square (Rombach et al. 2022).

    The numbers are those of RelA-Diffusion (Yu et al., arXiv 2602.21345).
    """
    betas = torch.linspace(first**0.5, last**0.5, total, dtype=torch.float64) ** 2
    return torch.cumprod(1.0 - betas, 0)


def cosine_alphas(total: int, offset: float = 0.008) -> torch.Tensor:
    """The cosine schedule (Nichol and Dhariwal 2021, arXiv 2102.09672, eq. 17).

    ``f(t) = cos^2((t / total + offset) / (1 + offset) pi / 2)``; a step adds the variance
    ``min(1 - f(t + 1) / f(t), 0.999)``.
    """
    t = torch.arange(total + 1, dtype=torch.float64) / total
    f = torch.cos((t + offset) / (1 + offset) * math.pi / 2) ** 2
    beta = (1 - f[1:] / f[:-1]).clamp(max=LARGEST_BETA)
    return torch.cumprod(1 - beta, 0)


def trailing_steps(total: int, steps: int) -> list[int]:
    """At most ``steps`` of 0..total - 1, evenly spaced and falling; the first is the noisiest.

    Sampling begins with pure noise, so that the network must be asked of the last step it was
    trained on, however few its steps are (Lin et al. 2024, arXiv 2305.08891, "trailing"). Whoever
    asks for more steps than there are gets all.
    """
    count = min(steps, total)
    return [total - 1 - k * total // count for k in range(count)]


def even_snr_steps(alphas: torch.Tensor, steps: int) -> list[int]:
    """At most ``steps`` falling steps, evenly spaced in the logarithm of signal to noise.

    The spacing that a solver of higher order wants (Lu et al. 2022, arXiv 2211.01095): a few of
    them still end where little noise is left. Steps that fall together are taken once.
    """
    ratio = torch.log(alphas / (1.0 - alphas))
    wanted = ratio[-1] + (ratio[0] - ratio[-1]) * torch.arange(steps) / steps
    nearest = (ratio[None] - wanted[:, None]).abs().argmin(1)
    return sorted(set(nearest.tolist()), reverse=True)


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
