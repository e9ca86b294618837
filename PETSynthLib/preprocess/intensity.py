"""One scale for every MRI: the bright end of the brain is 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import FloatArray

PERCENTILE = 97.0
HIGHEST = 1.6


def scaled(data: FloatArray, inside: NDArray[np.bool_]) -> FloatArray:
    """MRI values with the 97th percentile ``inside`` at 1, clipped to 0..1.6.

    The percentile lies in the white matter of a T1, beyond the reach of a few bright vessels.

    Parameters
    ----------
    data
        MRI, any unit, float32 (I, J, K).
    inside
        Brain mask of the same shape.
    """
    bright = float(np.percentile(data[inside], PERCENTILE)) if inside.any() else 0.0
    return np.asarray(np.clip(data / max(bright, 1e-6), 0.0, HIGHEST), dtype=np.float32)
