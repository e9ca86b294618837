"""What discriminators and those who shall deceive them minimise: scores as losses.

`learn.methods.discriminator` has the networks that give the scores.
"""

from __future__ import annotations

from torch import Tensor


def real_loss(scores: Tensor) -> Tensor:
    """Least squares (Mao et al. 2017, arXiv 1611.04076): scores shall be 1."""
    return (scores - 1).square().mean()


def fake_loss(scores: Tensor) -> Tensor:
    """Scores shall be 0."""
    return scores.square().mean()
