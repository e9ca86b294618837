"""Images as networks of bounded range see them, -1..1, and back to SUVR: `pasta`.

``fixed``: numbers that stand in the bundle. ``paper``: every image by its own smallest and largest
value, as published releases do it. A picture made by such a model has no SUVR of its own: what
stands for the range of a scan is known of no person.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..tracers import all_tracers

Array = NDArray[np.float32]
Limits = tuple[float, float]
"""Values that count as -1 and 1."""

EMPTY = -1.0
"""Of the air, of no uptake, of an image that is not shown."""
MRI_TOP = 1.5
"""Intensity that counts as 1; 1.0 is the 97th percentile of the brain."""
ABOVE_WINDOW = 1.4
"""SUVR that counts as 1, over the upper end of the tracer's display window."""


def fixed_ranges(tracers: Iterable[str]) -> dict[str, list[float]]:
    """Tracer -> [low, high] in SUVR, for ``suvr_range`` of a bundle's ``method_config``."""
    known = all_tracers()
    return {t: [0.0, round(ABOVE_WINDOW * known[t].window[1], 3)] for t in tracers}


def own_range(image: Array) -> Limits:
    """Smallest and largest value of an image; never an empty range."""
    low, high = float(image.min()), float(image.max())
    return low, high if high > low else low + 1.0


def scaled(image: Array, limits: Limits) -> Array:
    """``limits`` to -1..1; nothing is cut off."""
    low, high = limits
    return np.asarray(2 * (image - low) / (high - low) - 1, dtype=np.float32)


def scaled_mri(image: Array, scaling: str) -> Array:
    """A T1 or FLAIR in -1..1: ``paper``, or else cut off at `MRI_TOP`."""
    low, high = own_range(image) if scaling == "paper" else (0.0, MRI_TOP)
    return scaled(np.clip(image, low, high), (low, high))


def suvr_of(image: Array, limits: Limits) -> Array:
    """The inverse of `scaled`, in SUVR; uptake is never negative."""
    low, high = limits
    return np.asarray(np.maximum((image + 1) / 2 * (high - low) + low, 0), dtype=np.float32)
