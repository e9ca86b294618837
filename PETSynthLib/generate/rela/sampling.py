"""One draw of a PET from noise: what training, validation and use have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..diffusion import Diffusion
from ..samplers import sample_ddim, sample_solver
from ..schedules import even_snr_steps, trailing_steps
from .network import DiffusionUNet
from .space import Space

ETA = {"ddim": 0.0, "ddpm": 1.0}
SAMPLERS = (*ETA, "solver")


@dataclass(frozen=True, eq=False)
class Known:
    """What a network is given beside the noisy PET.

    Attributes
    ----------
    mri
        (N, 2 channels, i, j, k) in the diffusion's space.
    tracer
        (N,): rows of the embedding.
    told
        (N, told), or None.
    """

    mri: Tensor
    tracer: Tensor
    told: Tensor | None


def steps_of(sampler: str, diffusion: Diffusion, count: int) -> list[int]:
    """Falling steps of the schedule that suit a sampler."""
    if sampler == "solver":
        return even_snr_steps(diffusion.alphas, count)
    return trailing_steps(diffusion.total, count)


def predictor(
    network: DiffusionUNet, space: Space, diffusion: Diffusion, known: Known
) -> Callable[[Tensor, int], Tensor]:
    """``model(x, t)``: the clean picture behind ``x``, held within the space's bound."""

    def model(x: Tensor, t: int) -> Tensor:
        when = torch.full((len(x),), t, device=x.device)
        said = network(torch.cat([x, known.mri], 1), when, known.tracer, known.told)
        return diffusion.clean(x, said, when).clamp(-space.bound, space.bound)

    return model


def draw(
    network: DiffusionUNet,
    space: Space,
    diffusion: Diffusion,
    known: Known,
    sampler: str,
    steps: list[int],
    seed: int,
    callback: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """One PET (1, 1, I, J, K) in the numbers of `units`, padded as `known` is.

    Parameters
    ----------
    known
        Of one person.
    sampler
        One of `SAMPLERS`.
    steps
        Falling steps of the schedule.
    seed
        Of all chance in the draw.
    callback
        Called with ``(i, clean)`` after each evaluation.
    """
    chance = torch.Generator().manual_seed(seed)
    shape = (1, space.channels, *known.mri.shape[2:])
    noise = torch.randn(shape, generator=chance).to(known.mri)
    model, alphas = predictor(network, space, diffusion, known), diffusion.alphas
    if sampler == "solver":
        z = sample_solver(model, noise, alphas, steps, callback)
    else:
        z = sample_ddim(model, noise, alphas, steps, ETA[sampler], chance, callback)
    return space.decode(z).float()
