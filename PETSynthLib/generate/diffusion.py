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

    def epsilon(self, x: Tensor, said: Tensor, t: Tensor) -> Tensor:
        """The noise in ``x`` as the network sees it."""
        if self.says == "epsilon":
            return said
        signal, noise = self.shares(t, x)
        if self.says == "clean":
            return (x - signal * said) / noise
        return noise * x + signal * said

    def wanted(self, clean: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """What the network shall say of a picture and the noise that was added to it."""
        if self.says == "clean":
            return clean
        if self.says == "epsilon":
            return epsilon
        signal, noise = self.shares(t, clean)
        return signal * epsilon - noise * clean

    def amplification(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Factors (N,) by which an error of the network reaches noise and clean picture.

        The latter is sqrt((1 - a) / a) for ``epsilon``: 9 at t = 800, 48 at t = 999. The former is
        its inverse for ``clean``. For ``v`` neither is above 1.
        """
        signal, noise = self.shares(t, torch.empty(0, device=t.device))
        one = torch.ones_like(signal)
        if self.says == "epsilon":
            return one, noise / signal
        if self.says == "clean":
            return signal / noise, one
        return signal, noise
