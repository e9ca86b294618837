"""From the network's range to SUVR: a fixed scale, or what is usual for a scanner's manufacturer.

By-manufacturer standardisation (Moon et al. 2026, doi 10.1002/hbm.70508): ``y' = (y - mu) / sd``
with the training brains' mean and standard deviation for each manufacturer, inverted on output
with the scanner that is wanted; pooled numbers serve an unknown one. They stand in the bundle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

POOLED = "pooled"


@dataclass(frozen=True)
class Line:
    """``SUVR = offset + factor * value``.

    Attributes
    ----------
    offset, factor
        SUVR at 0, and per unit of the network.
    scanner
        Whose numbers they are: a manufacturer or `POOLED`; empty without standardisation.
    """

    offset: float
    factor: float
    scanner: str = ""

    def to_network(self, suvr: NDArray[np.float32]) -> NDArray[np.float32]:
        """SUVR in the network's range."""
        return (suvr - np.float32(self.offset)) / np.float32(self.factor)

    def to_suvr(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse; no SUVR is below 0."""
        suvr = np.float32(self.offset) + np.float32(self.factor) * values
        return np.asarray(np.maximum(suvr, 0), dtype=np.float32)


def suvr_line(facts: dict[str, Any], tracer: str, scanner: str | None) -> Line:
    """The line of a tracer and of the scanner that is imitated.

    Parameters
    ----------
    facts
        A bundle's ``method_config``: ``standardisation`` (tracer -> manufacturer -> [mu, sd]), or
        none of it and ``suvr_scale``.
    scanner
        A manufacturer; None or one that training did not know takes the pooled numbers.
    """
    if "standardisation" not in facts:
        return Line(0.0, float(facts["suvr_scale"][tracer]))
    table = facts["standardisation"][tracer]
    name = scanner if scanner in table else POOLED
    return Line(float(table[name][0]), float(table[name][1]), str(name))
