"""What discriminators and those who shall deceive them minimise: scores as losses.

`learn.methods.discriminator` has the networks that give the scores.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def real_loss(scores: Tensor) -> Tensor:
    """Least squares (Mao et al. 2017, arXiv 1611.04076): scores shall be 1."""
    return (scores - 1).square().mean()


def fake_loss(scores: Tensor) -> Tensor:
    """Scores shall be 0."""
    return scores.square().mean()


def relativistic(better: Tensor, worse: Tensor) -> Tensor:
    """Loss (N,) of pairs: how little ``better`` is scored above ``worse``.

    ``mean softplus(-(better - worse))`` over the patches (Jolicoeur-Martineau 2019, the pairing
    form): ln 2 where both are scored alike.
    """
    return F.softplus(worse - better).flatten(1).mean(1)


def squared_slope(critic: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
    """``||grad D(x)||^2`` (N,) over all voxels of each picture, differentiable in the critic.

    The zero-centred penalty R1 on real and R2 on false pictures (Mescheder et al. 2018). D is the
    sum of a picture's scores. The release of RelA-Diffusion averages over one axis of the picture,
    which makes it as many times too weak as that axis is long; this is the norm that is meant.
    """
    asked = pictures.detach().requires_grad_(True)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(critic(asked).sum(), asked, create_graph=True)
    return slope.square().flatten(1).sum(1)
