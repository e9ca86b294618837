"""Which example comes when: a pure function of seed and position, whatever the processes do."""

from __future__ import annotations

import time

import numpy as np
import torch

from ..methods.interface import Batch, Stage, TrainingMethod

_STREAM = 11


def example_rng(seed: int, stage: int, index: int) -> np.random.Generator:
    """The generator of the ``index``-th example of a stage."""
    return np.random.default_rng([seed, _STREAM, stage, index])


class Stream:
    """Batches of one process.

    Position ``p`` of step ``n`` is example ``n * whole + p``, where ``whole`` counts all
    processes and accumulated batches: two processes draw what one with twice the batch draws, and
    a resumed run draws what was due.
    """

    def __init__(
        self, method: TrainingMethod, seed: int, batch: int, accumulate: int, rank: int, world: int
    ) -> None:
        self.method, self.seed = method, seed
        self.batch, self.accumulate = batch, accumulate
        self.rank, self.world = rank, world
        self.seconds = 0.0

    def draw(self, index: int, stage: Stage, step: int, part: int) -> Batch:
        """The ``part``-th accumulated batch of a step of the ``index``-th stage, on the CPU."""
        started = time.perf_counter()
        whole = self.batch * self.accumulate * self.world
        first = step * whole + (part * self.world + self.rank) * self.batch
        examples = []
        for number in range(first, first + self.batch):
            rng = example_rng(self.seed, index, number)
            subject = stage.subjects[int(rng.integers(len(stage.subjects)))]
            examples.append(self.method.draw(stage, subject, rng))
        stacked = {
            name: torch.from_numpy(np.stack([e[name] for e in examples])) for name in examples[0]
        }
        self.seconds += time.perf_counter() - started
        return stacked
