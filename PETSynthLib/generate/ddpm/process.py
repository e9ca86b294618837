"""The conditional DDPM (Ho et al. 2020, arXiv 2006.11239), sampled by DDIM."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..diffusion import Diffusion
from ..drawn import Model
from ..samplers import sample_ddim
from ..schedules import linear_alphas, trailing_steps

STEPS = 1000
CENTRE = 0.5
"""Taken off the network scale, so that brain and background lie on both sides of 0."""
BOUNDS = (-1.0, 5.0)
"""Where a prediction is held, network scale without `CENTRE`."""


def diffusion_of(facts: dict[str, Any]) -> Diffusion:
    """The path that ``method_config`` of a bundle describes."""
    return Diffusion(linear_alphas(STEPS), facts["says"])


def draw(
    model: Model, t1: Tensor, steps: int, generator: torch.Generator, facts: dict[str, Any]
) -> Tensor:
    """One PET (1, 1, I, J, K), network scale."""
    path = diffusion_of(facts)

    def clean(x: Tensor, t: int) -> Tensor:
        when = torch.full((len(x),), t, device=x.device)
        return path.clean(x, model(x, t / STEPS), when).clamp(*BOUNDS)

    noise = torch.randn(t1.shape, generator=generator).to(t1.device)
    return sample_ddim(clean, noise, path.alphas, trailing_steps(STEPS, steps)) + CENTRE
