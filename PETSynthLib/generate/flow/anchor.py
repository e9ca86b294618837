"""How far `flow`'s mean network may leave the regional model: the anchor of a bundle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Anchor:
    """How far a network may move a region's level away from what the regional model expects.

    A network learns from few people where uptake is, and is easily carried away over how much
    there is. The level of region r is ``d + trust (a - d)``: d the regional model's deviation, a
    the network's own. An image that is too smooth also loses level in thin cortex; that much is
    given back. All numbers are fitted on people whom the network had not seen.

    Attributes
    ----------
    centre
        (T, R): the network's mean over a region's grey matter in an average person, SUVR.
    trust
        (T,): 1 leaves the network alone, 0 follows the regional model.
    offset
        (T, R): what the network's regions lack on average, SUVR.
    """

    centre: Array
    trust: Array
    offset: Array

    def correction(self, level: Array, deviation: Array, tracer: int) -> Array:
        """What is to be added to each region (R,), SUVR.

        Parameters
        ----------
        level
            `levels` of the network's image, (R,).
        deviation
            Of the regional model, (R,).
        """
        away = level - self.centre[tracer] - deviation
        added = (self.trust[tracer] - 1.0) * np.nan_to_num(away)
        return np.asarray(added + self.offset[tracer])
