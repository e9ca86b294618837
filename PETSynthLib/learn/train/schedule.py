"""How far a stage has come, and the learning rate that belongs to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .config import TrainConfig


@dataclass(frozen=True)
class Budget:
    """What a stage may use.

    Attributes
    ----------
    steps
        Its steps.
    seconds
        Its seconds, or None when only the steps count.
    """

    steps: int
    seconds: float | None

    def progress(self, step: int, seconds: float) -> float:
        """0 at its beginning, 1 or more when it is used up; whatever runs out first decides."""
        by_steps = step / self.steps
        if self.seconds is None:
            return by_steps
        return max(by_steps, seconds / self.seconds if self.seconds > 0 else 1.0)


def budgets(shares: list[float], config: TrainConfig) -> list[Budget]:
    """The training's budget split over its stages by ``shares`` (their sum is 1)."""
    seconds = None if config.max_minutes is None else 60.0 * config.max_minutes
    return [
        Budget(max(1, round(share * config.steps)), None if seconds is None else share * seconds)
        for share in shares
    ]


def learning_rate(config: TrainConfig, peak: float, step: int, progress: float) -> float:
    """Linear warm-up, then half a cosine from ``peak`` to ``final_rate`` of it."""
    warm = min(1.0, (step + 1) / config.warm_up) if config.warm_up else 1.0
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return peak * warm * (config.final_rate + (1.0 - config.final_rate) * cosine)
