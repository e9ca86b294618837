"""The path of a diffusion: noise added and taken away, whatever its network says.

Shared by every method that adds Gaussian noise by a schedule of `schedules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Says = Literal["epsilon", "clean", "v"]
"""What a network predicts: the noise, the picture itself, or ``v`` = sqrt(a) eps - sqrt(1 - a) x_0
(Salimans and Ho 2022, arXiv 2202.00512)."""


@dataclass(frozen=True, eq=False)
class Diffusion:
    """The path ``x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps`` and how a network speaks of it.

    Attributes
    ----------
    alphas
        (T,): ``a``, from `schedules`.
    says
        What the network predicts.
    """

    alphas: Tensor
    says: Says

    @property
    def total(self) -> int:
        """Steps of noise T."""
        return len(self.alphas)

    def shares(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(a_t) and sqrt(1 - a_t) of steps (N,), shaped to multiply ``like`` (N, ...).

        They are float32 at least: bfloat16 knows too few of them.
        """
        view = (-1, *[1] * (like.dim() - 1))
        kind = torch.promote_types(like.dtype, torch.float32)
        signal, noise = self.alphas.sqrt(), (1.0 - self.alphas).sqrt()
        signal, noise = (v.to(like.device, kind)[t].reshape(view) for v in (signal, noise))
        return signal, noise

    def noisy(self, clean: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """x_t."""
        signal, noise = self.shares(t, clean)
        return signal * clean + noise * epsilon

    def clean(self, x: Tensor, said: Tensor, t: Tensor) -> Tensor:
        """The picture behind ``x`` as the network sees it, not yet held within any bound."""
        if self.says == "clean":
            return said
        signal, noise = self.shares(t, x)
        if self.says == "epsilon":
            return (x - noise * said) / signal
        return signal * x - noise * said

    def wanted(self, clean: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """What the network shall say of a picture and the noise that was added to it."""
        if self.says == "clean":
            return clean
        if self.says == "epsilon":
            return epsilon
        signal, noise = self.shares(t, clean)
        return signal * epsilon - noise * clean
