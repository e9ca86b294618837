"""Which regions are flagged, and how many normals have as many.

Eighty regions are looked at, so a z of 2 somewhere is no news. The threshold is set on the largest
z of each normal person: 5 % of the normals get any flag at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARE = 0.05


@dataclass(frozen=True)
class Flags:
    """The threshold of a database and what it does to the database's own people.

    Attributes
    ----------
    threshold
        z above which a region is flagged.
    counts
        Flagged regions of each normal against the others, most first; belongs to no person.
    regions
        How many regions are looked at.
    """

    threshold: float
    counts: tuple[int, ...]
    regions: int

    @property
    def n(self) -> int:
        """Number of normals."""
        return len(self.counts)

    def normals_with(self, flagged: int) -> int:
        """How many normals have at least ``flagged`` flags."""
        return sum(count >= flagged for count in self.counts)

    def header(self, flagged: int) -> str:
        """The sentence above a table with ``flagged`` flags."""
        if flagged == 0:
            have = self.normals_with(1)
            return (
                f"No region is flagged (z above {self.threshold:.2f}); {self.n - have} of {self.n} "
                "normals have none either."
            )
        words = "1 region is" if flagged == 1 else f"{flagged} of {self.regions} regions are"
        have = self.normals_with(flagged)
        return (
            f"{words} flagged (z above {self.threshold:.2f}); {have} of {self.n} normals have as "
            "many."
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "threshold": self.threshold,
            "counts": list(self.counts),
            "regions": self.regions,
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Flags:
        """The reverse of `as_dict`."""
        return cls(float(body["threshold"]), tuple(body["counts"]), int(body["regions"]))


def set_flags(z: NDArray[np.float64]) -> Flags | None:
    """Threshold and counts from the normals' own z, each against the others.

    Parameters
    ----------
    z
        (N, R), positive in the direction of disease.

    Returns
    -------
    None when there are too few normals for a threshold that `SHARE` of them pass.
    """
    n = len(z)
    # The rank that also holds for the next person, as in a conformal quantile.
    rank = math.ceil((n + 1) * (1.0 - SHARE))
    if rank > n:
        return None
    threshold = float(np.sort(z.max(axis=1))[rank - 1])
    counts = sorted(((z > threshold).sum(axis=1)).tolist(), reverse=True)
    return Flags(threshold, tuple(counts), z.shape[1])


def flagged(z: Iterable[float], flags: Flags) -> int:
    """How many of ``z`` are flagged."""
    return sum(value > flags.threshold for value in z)
