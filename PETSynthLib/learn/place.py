"""Where a training stands: what the engine tells methods, and what their schedules read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a stage's training stands.

    Attributes
    ----------
    step
        Steps that are done.
    epoch
        Examples that were drawn, over the stage's subjects.
    progress
        Share of the stage's budget that is used, 0..1.
    """

    step: int
    epoch: float
    progress: float
