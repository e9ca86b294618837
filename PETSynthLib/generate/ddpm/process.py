"""The conditional DDPM (Ho et al. 2020, arXiv 2006.11239), sampled by DDIM."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..drawn import Model
from ..samplers import sample_ddim
from ..schedules import cumulative_alphas, even_steps, linear_betas

STEPS = 1000
CENTRE = 0.5
"""Taken off the network scale, so that brain and background lie on both sides of 0."""
BOUNDS = (-1.0, 5.0)
"""Where a prediction is held, network scale without `CENTRE`."""
PREDICTS = ("noise", "data")


def alphas() -> Tensor:
    """(T,) cumulative alphas of the linear schedule."""
    return cumulative_alphas(linear_betas(STEPS))


def noised(data: Tensor, noise: Tensor, alpha: Tensor) -> Tensor:
    """x_t of data (N, 1, I, J, K), without `CENTRE`, at cumulative alphas (N,)."""
    at = alpha.reshape(-1, 1, 1, 1, 1)
    return at.sqrt() * data + (1 - at).sqrt() * noise


def data_of(output: Tensor, x: Tensor, alpha: Tensor, predicts: str) -> Tensor:
    """The data that a network's output stands for."""
    if predicts == "data":
        return output
    at = alpha.reshape(-1, 1, 1, 1, 1)
    return (x - (1 - at).sqrt() * output) / at.sqrt()


def draw(
    model: Model, t1: Tensor, steps: int, generator: torch.Generator, facts: dict[str, Any]
) -> Tensor:
    """One PET (1, 1, I, J, K), network scale."""
    share = alphas()

    def data(x: Tensor, t: int) -> Tensor:
        alpha = share[t].float().reshape(1).to(x.device)
        found = data_of(model(x, t / STEPS), x, alpha, facts["predicts"])
        return found.clamp(*BOUNDS)

    noise = torch.randn(t1.shape, generator=generator).to(t1.device)
    return sample_ddim(data, noise, share, even_steps(STEPS, steps)) + CENTRE
