"""Small PETs in template space for the tests of surface projection."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PETSynthLib.assets import atlas_volume
from PETSynthLib.volume import CANONICAL, Volume, on_grid

LEFT_FRONTAL = (-40.0, 42.0, 22.0)
"""RAS mm, in the left middle frontal gyrus."""
LEFT_ORBITAL = (-28.0, 38.0, -12.0)
"""At the base of the left frontal lobe, seen from below."""
LEFT_MEDIAL = (-6.0, 50.0, 12.0)
"""On the medial face of the left frontal lobe, before the callosum."""
LEFT_PARIETAL = (-45.0, -62.0, 36.0)


def bump(centre: tuple[float, float, float], sigma_mm: float) -> np.ndarray:
    """A Gaussian of height 1 (array on `CANONICAL`)."""
    index = np.indices(CANONICAL.shape, dtype=np.float64)
    away = sum(
        (CANONICAL.spacing[n] * index[n] + CANONICAL.affine[n, 3] - centre[n]) ** 2
        for n in range(3)
    )
    return np.asarray(np.exp(-away / (2.0 * sigma_mm**2)))


def constant(value: float) -> Volume:
    """The same value everywhere."""
    return on_grid(np.full(CANONICAL.shape, value, np.float32), CANONICAL)


def blob(centre: tuple[float, float, float] = LEFT_FRONTAL, sigma_mm: float = 8.0) -> Volume:
    """1 everywhere and up to 6 around ``centre``."""
    return on_grid(1.0 + 5.0 * bump(centre, sigma_mm), CANONICAL)


def simulated(seed: int, lesion: tuple[float, float, float] | None = None) -> Volume:
    """FDG of grey and white matter at 6 mm with 2 % noise, and 30 % less around ``lesion``."""
    uptake = atlas_volume("template_gm").data + 0.35 * atlas_volume("template_wm").data
    if lesion is not None:
        uptake = uptake * (1.0 - 0.3 * bump(lesion, 12.0))
    noise = np.random.default_rng(seed).normal(size=CANONICAL.shape)
    noise = ndimage.gaussian_filter(noise, 1.3)
    noise *= 0.02 / noise.std()
    return on_grid(ndimage.gaussian_filter(uptake, 1.3) * (1.0 + noise), CANONICAL)
