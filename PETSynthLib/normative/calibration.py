"""Whether z-scores mean what they say: normals must have mean 0, SD 1, and 5 % above 1.64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Finding, Verdict

MEAN_WITHIN = 0.1
SD_WITHIN = (0.9, 1.1)
TAIL = 1.6449
"""z that 5 % of a normal distribution exceed."""


@dataclass(frozen=True)
class Calibration:
    """z of people who are normal, over all people and places.

    Attributes
    ----------
    people
        How many people.
    mean, sd
        Of all their z.
    percent_above
        Share of z above `TAIL`; 5 is right.
    """

    people: int
    mean: float
    sd: float
    percent_above: float

    @property
    def good(self) -> bool:
        """Whether mean and SD are within their limits."""
        return abs(self.mean) <= MEAN_WITHIN and SD_WITHIN[0] <= self.sd <= SD_WITHIN[1]

    def sentence(self, what: str) -> str:
        """The numbers in words."""
        return (
            f"{what}: z of {self.people} normals has mean {self.mean:.2f} and SD {self.sd:.2f}; "
            f"{self.percent_above:.1f} % lie above 1.64 (5 % expected)."
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Calibration:
        """The reverse of `as_dict`."""
        return cls(**body)


def calibration_of(z: NDArray[np.floating]) -> Calibration:
    """Summary of normals' z, (N, M); NaN is left out."""
    known = z[np.isfinite(z)]
    return Calibration(
        people=len(z),
        mean=round(float(known.mean()), 4),
        sd=round(float(known.std()), 4),
        percent_above=round(100.0 * float((known > TAIL).mean()), 2),
    )


def calibration_finding(name: str, what: str, found: Calibration) -> Finding:
    """A calibration as a check with value and limit."""
    return Finding(
        f"calibration_{name}",
        found.sd,
        f"mean within {MEAN_WITHIN}, SD {SD_WITHIN[0]} to {SD_WITHIN[1]}",
        Verdict.GREEN if found.good else Verdict.AMBER,
        found.sentence(what),
    )
