"""T1 and FLAIR of a simulated brain, with contrast, bias, resolution and noise drawn anew.

Domain randomisation is what lets a network trained here work on a real scan. The images are brain
only: there is no skull to simulate.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...volume import Volume
from ..regions import LABELS
from .anatomy import Brain
from .fields import FloatMap, smooth_field
from .parameters import SCAN
from .uptake import CSF, LESION


def t1_map(brain: Brain, contrast: float, rng: np.random.Generator) -> FloatMap:
    """T1 intensity (I, J, K) of the tissue, white matter at 1.

    Parameters
    ----------
    contrast
        Factor on the difference between grey and white matter.
    """
    grey_mean = 1 - contrast * (1 - rng.uniform(*SCAN.t1_grey))
    by_region = (1 + rng.normal(0, SCAN.region_sd, LABELS)).astype(np.float32)
    # Deep nuclei hold much myelin: their grey is nearer to white.
    towards_white = np.float32(rng.uniform(*SCAN.t1_deep)) * (brain.deep > 0)
    grey = (grey_mean + towards_white * (1 - grey_mean)) * by_region[brain.classes]
    return _mix(
        brain, grey, 1.0, rng.uniform(*SCAN.t1_fluid), 1 - rng.uniform(*SCAN.t1_lesion), rng
    )


def flair_map(brain: Brain, rng: np.random.Generator) -> FloatMap:
    """T2-FLAIR intensity (I, J, K): grey brighter than white, CSF dark, lesions bright."""
    by_region = (1 + rng.normal(0, SCAN.region_sd, LABELS)).astype(np.float32)
    grey = rng.uniform(*SCAN.flair_grey) * by_region[brain.classes]
    white = rng.uniform(*SCAN.flair_white)
    return _mix(
        brain,
        grey,
        white,
        rng.uniform(*SCAN.flair_fluid),
        white + rng.uniform(*SCAN.flair_lesion),
        rng,
    )


def _mix(
    brain: Brain, grey: FloatMap, white: float, csf: float, lesion: float, rng: np.random.Generator
) -> FloatMap:
    shape, spacing = brain.grid.shape, brain.grid.spacing[0]
    image = brain.grey * grey * (1 + SCAN.grey_sd * smooth_field(rng, 18.0, shape, spacing)[0])
    for index, fraction in brain.fractions.items():
        image += np.float32({CSF: csf, LESION: lesion}.get(index, white)) * fraction
    bias = rng.uniform(*SCAN.bias) * smooth_field(rng, 60.0, shape, spacing)[0]
    return np.asarray(image * np.exp(bias), dtype=np.float32)


def slice_blur(
    image: FloatMap, thickness_mm: tuple[float, float, float], spacing_mm: float
) -> FloatMap:
    """Blur of voxels ``thickness_mm`` long along each axis, of an image at ``spacing_mm``."""
    # A box of width w has the standard deviation w / sqrt(12).
    sigma = [np.sqrt(max(0.0, w**2 - spacing_mm**2) / 12.0) / spacing_mm for w in thickness_mm]
    return np.asarray(ndimage.gaussian_filter(image, sigma), dtype=np.float32)


def with_noise(image: Volume, inside: Volume, sd: float, rng: np.random.Generator) -> Volume:
    """Rician noise inside the brain, zero outside, scaled to whole numbers (1.0 is 1000)."""
    real, imaginary = sd * rng.standard_normal((2, *image.shape), dtype=np.float32)
    seen = np.sqrt((image.data + real) ** 2 + imaginary**2) * (inside.data > 0.5)
    return image.with_data(np.round(1000 * seen))


def slice_thickness(rng: np.random.Generator) -> tuple[float, float, float]:
    """Voxel size of a T1 in mm: about 1 mm, a share with thick slices."""
    edge = float(np.round(rng.uniform(0.9, 1.1), 2))
    size = [edge, edge, edge]
    if rng.random() < SCAN.thick_share:
        size[int(rng.integers(3))] = float(np.round(rng.uniform(2.0, 3.0), 1))
    return size[0], size[1], size[2]
