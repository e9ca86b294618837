"""Clipping of gradients: at a fixed norm, and at a multiple of what is usual for the network.

A loss of a hundredth has gradients far below any fixed norm. One freak batch among them can undo a
thousand steps, because AdamW has come to expect small ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

SETTLED = 50
"""Steps before the usual norm is known."""
MEMORY = 200
"""Steps over which the usual norm is averaged."""


class GradientClip:
    """Clips the gradients of one player (the same in every process: gradients are shared).

    Parameters
    ----------
    largest
        Norm that is never exceeded.
    spike
        Multiple of the usual norm that is never exceeded.
    """

    def __init__(self, largest: float, spike: float) -> None:
        self.largest, self.spike = largest, spike
        self.usual, self.seen = 0.0, 0

    @property
    def limit(self) -> float:
        """Norm at which the next gradient is clipped."""
        if self.seen < SETTLED:
            return self.largest
        return min(self.largest, self.spike * self.usual)

    def clip(self, parameters: Iterable[torch.nn.Parameter]) -> bool:
        """Clip in place; False, and nothing learnt, when the norm is no number."""
        limit = self.limit
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, limit))
        if not math.isfinite(norm):
            return False
        self.seen += 1
        # What was clipped counts as clipped: freaks do not become usual.
        self.usual += (min(norm, limit) - self.usual) / min(self.seen, MEMORY)
        return True

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        return {"usual": self.usual, "seen": self.seen}

    def restore(self, state: dict[str, float]) -> None:
        """The inverse of `state`."""
        self.usual, self.seen = state["usual"], int(state["seen"])
