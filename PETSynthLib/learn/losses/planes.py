"""Which plane the perceptual loss looks at, when: the cyclic 2.5D schedule.

Moon et al. 2026 (doi 10.1002/hbm.70508): each plane lasts T; after each round axial, coronal,
sagittal, ``T <- max(1, round(2 T / 3))``.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..place import Place

CYCLE = ("axial", "coronal", "sagittal")
UNITS = ("budget", "epochs", "steps")


@dataclass(frozen=True)
class PlaneSchedule:
    """The cycle of planes.

    Attributes
    ----------
    first
        T of the first round.
    unit
        ``epochs`` or ``steps`` as they are, or ``budget``: thousandths of the stage's budget, so
        that a training of any length, also one in minutes, sees what the paper's 1000 epochs see.
    """

    first: int = 120
    unit: str = "budget"

    def position(self, place: Place) -> float:
        """How far a training has come, in the schedule's unit."""
        if self.unit == "budget":
            return 1000.0 * place.progress
        return place.epoch if self.unit == "epochs" else float(place.step)

    def at(self, place: Place) -> tuple[int, str]:
        """Number of the round (from 0) and plane."""
        inside, number, length = max(0.0, self.position(place)), 0, self.first
        while inside >= length * len(CYCLE) and length > 1:
            inside -= length * len(CYCLE)
            number, length = number + 1, max(1, round(2 * length / 3))
        more, inside = divmod(inside, length * len(CYCLE))
        return number + int(more), CYCLE[int(inside // length)]

    def whole_rounds(self, since: Place, now: Place) -> int:
        """Rounds that began after ``since`` and are over at ``now``."""
        begun, _ = self.at(since)
        current, _ = self.at(now)
        return max(0, current - begun - 1)
