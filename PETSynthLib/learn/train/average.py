"""The moving average of a player's weights: what is validated, kept and shipped."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class WeightAverage:
    """Exponential moving average of a network's weights (networks without integer buffers)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = network, decay
        self.values: dict[str, torch.Tensor] = copy.deepcopy(network.state_dict())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the network; the first steps count more, so that the start is forgotten."""
        decay = min(self.decay, (step + 1) / (step + 10))
        names = list(self.values)
        own = self.network.state_dict()
        torch._foreach_lerp_([self.values[n] for n in names], [own[n] for n in names], 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network holds the average inside the context, its own weights after it."""
        own = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.network.load_state_dict(self.values)
        try:
            yield
        finally:
            self.network.load_state_dict(own)
