"""What a network knows beside the picture: clinical and acquisition vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clinical import FIELDS


def clinical_vector(
    numbers: dict[str, float | None], scaling: dict[str, list[float]]
) -> NDArray[np.float32]:
    """Standardised values then presence flags, each in the order of `FIELDS`.

    Parameters
    ----------
    numbers
        Field -> value or None when missing (a missing value becomes 0 with flag 0).
    scaling
        Field -> [mean, sd] of the training cohort.
    """
    values, flags = [], []
    for name in FIELDS:
        value = numbers[name]
        mean, sd = scaling[name]
        values.append(0.0 if value is None else (value - mean) / sd)
        flags.append(float(value is not None))
    return np.array(values + flags, np.float32)


def scanner_vector(scanner: str | None, facts: dict[str, Any]) -> NDArray[np.float32]:
    """One-hot over the bundle's scanners; all zero for an average scanner."""
    return np.array([float(scanner == name) for name in facts["scanners"]], np.float32)
