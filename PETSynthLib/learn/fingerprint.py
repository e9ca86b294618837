"""Fingerprints of images: whether two are the same, without keeping or showing either.

A bundle states those of the T1s it was trained and calibrated on (``training.fingerprints``,
``calibration.fingerprints``), so that `petsynth audit` can tell whether the people it is tried on
were among them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .store import Store, Subject

LENGTH = 16
"""Hexadecimal digits kept: two of a million images collide with a chance of 3 in 10^8."""


def fingerprint(image: NDArray[np.floating]) -> str:
    """Digest of an image's shape and values as float16 (as a store keeps them)."""
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image, dtype="<f2").tobytes())
    return digest.hexdigest()[:LENGTH]


def fingerprints(store: Store, subjects: Iterable[Subject]) -> list[str]:
    """Sorted fingerprints of the T1s of ``subjects``."""
    return sorted({fingerprint(store.t1(s.row)) for s in subjects})
