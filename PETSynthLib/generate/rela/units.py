"""The numbers that a PET is made noisy in, and back to SUVR.

``fixed`` and ``paper``: -1..1 between two SUVRs (`generate.scaling`). ``deviation``: by how many
standard deviations a voxel is off the mean PET of the training people. What is known of everybody
then needs no learning, and what is asked for, how people differ, has the variance that the noise
schedule expects: on a range from 0 to the highest SUVR it would drown in all but the last steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scaling import EMPTY, Array, Limits

MOST_DEVIATION = 5.0
"""Standard deviations beyond which a voxel is cut off."""


@dataclass(frozen=True, eq=False)
class Units:
    """``(SUVR - centre) / width``, held within ``bound``.

    Attributes
    ----------
    centre
        SUVR of 0: a number, or a picture (I, J, K).
    width
        SUVR of 1.
    bound
        Of either side.
    empty
        What counts as nothing, where a grid is padded.
    """

    centre: Array | float
    width: float
    bound: float
    empty: float

    def of(self, suvr: NDArray[Any]) -> Array:
        """SUVR (I, J, K) in these units, cut off beyond the bound."""
        z = (suvr - self.centre) / self.width
        return np.asarray(z.clip(-self.bound, self.bound), np.float32)

    def suvr(self, z: NDArray[Any]) -> Array:
        """The inverse; uptake is never negative."""
        return np.asarray(np.maximum(z * self.width + self.centre, 0), np.float32)


def units_between(limits: Limits) -> Units:
    """-1..1 between two SUVRs."""
    low, high = limits
    return Units((low + high) / 2, (high - low) / 2, 1.0, EMPTY)


def units_of(facts: Mapping[str, Any], tracer: str, means: Mapping[str, Array]) -> Units:
    """The units of a bundle's tracer.

    Parameters
    ----------
    facts
        ``method_config``.
    means
        Tracer -> mean PET (I, J, K) of the training people, SUVR; empty but for ``deviation``.
    """
    if facts["scaling"] == "deviation":
        return Units(means[tracer], facts["suvr_sd"][tracer], MOST_DEVIATION, 0.0)
    low, high = facts["suvr_range"][tracer]
    return units_between((low, high))
