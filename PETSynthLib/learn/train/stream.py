"""Which example comes when: a pure function of seed and position, whatever the processes do."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor

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
    a resumed run draws what was due. While a step is computed, a thread draws the next batch:
    reading and numpy leave Python's lock alone most of the time, as does torch.

    Attributes
    ----------
    seconds
        How long steps have waited for their batches.
    """

    def __init__(
        self, method: TrainingMethod, seed: int, batch: int, accumulate: int, rank: int, world: int
    ) -> None:
        self.method, self.seed = method, seed
        self.batch, self.accumulate = batch, accumulate
        self.rank, self.world = rank, world
        self.seconds = 0.0
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="examples")
        self._coming: tuple[tuple[int, int, int], Future[Batch]] | None = None

    def draw(self, index: int, stage: Stage, step: int, part: int) -> Batch:
        """The ``part``-th accumulated batch of a step of the ``index``-th stage, on the CPU."""
        started = time.perf_counter()
        if self._coming is not None and self._coming[0] == (index, step, part):
            batch = self._coming[1].result()
        else:
            batch = self._make(index, stage, step, part)
        last = part + 1 == self.accumulate
        following = (step + 1, 0) if last else (step, part + 1)
        made = self._ahead.submit(self._make, index, stage, *following)
        self._coming = ((index, *following), made)
        self.seconds += time.perf_counter() - started
        return batch

    def _make(self, index: int, stage: Stage, step: int, part: int) -> Batch:
        whole = self.batch * self.accumulate * self.world
        first = step * whole + (part * self.world + self.rank) * self.batch
        examples = []
        for number in range(first, first + self.batch):
            rng = example_rng(self.seed, index, number)
            subject = stage.subjects[int(rng.integers(len(stage.subjects)))]
            examples.append(self.method.draw(stage, subject, rng))
        return {
            name: torch.from_numpy(np.stack([e[name] for e in examples])) for name in examples[0]
        }
