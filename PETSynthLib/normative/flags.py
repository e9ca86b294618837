"""Which regions are flagged, and how many normals have as many.

Eighty regions are looked at, so a z of 2 somewhere is no news. The threshold is set on the largest
z of each normal person against the others: 5 % of the normals get any flag at all.

The threshold is one of the N largest z, so it is itself uncertain: over all databases that might
have been built, 5 % of new normals are flagged, but in any one of them the share follows a Beta
distribution (Vovk 2012, conditional validity of inductive conformal predictors): with 100 normals
it is 1.6 to 9.9 % in 95 of 100 databases. `usual_percent` says so where new people are checked.
A threshold from a normal distribution with the normals' correlations would scatter less, but flags
26 % where the tails are those of Student's t with 6 degrees.
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


def threshold_rank(n: int) -> int:
    """Which of ``n`` normals' largest z, from the smallest, is the threshold.

    The rank that also holds for the next person, as in a conformal quantile; above ``n`` there are
    too few normals.
    """
    return math.ceil((n + 1) * (1.0 - SHARE))


def usual_percent(n: int, fresh: int) -> tuple[float, float]:
    """Share of new normals with any flag that chance alone explains, percent.

    Parameters
    ----------
    n
        Normals of the database, at least 19.
    fresh
        New normals.

    Returns
    -------
    Limits that hold 99 % of the beta-binomial distribution: chance in who is in the database, and
    chance in who is new.
    """
    rank = threshold_rank(n)
    # Half a second to import, and only building and checking a database asks for it.
    from scipy.stats import betabinom

    flags = betabinom(fresh, n + 1 - rank, rank)
    low, high = flags.ppf((0.005, 0.995))
    return 100.0 * float(low) / fresh, 100.0 * float(high) / fresh


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
    rank = threshold_rank(n)
    if rank > n:
        return None
    threshold = float(np.sort(z.max(axis=1))[rank - 1])
    counts = sorted(((z > threshold).sum(axis=1)).tolist(), reverse=True)
    return Flags(threshold, tuple(counts), z.shape[1])


def flagged(z: Iterable[float], flags: Flags) -> int:
    """How many of ``z`` are flagged."""
    return sum(value > flags.threshold for value in z)
