"""The PET of a simulated brain: uptake times tissue at 1 mm, texture, scanner.

The noise-free image is what the scanner's resolution leaves of the uptake; the acquired one adds
what scanners add. A mere gain cancels in the SUVR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import lsq_linear

from ...generate.atlas.forward import FWHM_PER_SIGMA
from ...volume import Volume
from ..regions import LABELS
from .anatomy import Brain
from .fields import FloatMap
from .parameters import ACQUISITION
from .transfer import Transfer, psf

NOISE_MM = 6.0
"""Noise is correlated over 6 mm (FWHM)."""
FAINT = 0.005
"""What is less than this (SUVR, Bq/mL) is written as zero."""


def texture(brain: Brain, rng: np.random.Generator) -> FloatMap:
    """Log-normal variation of uptake (I, J, K), of mean 1 over the grey matter of every class.

    A part of it follows the thickness of the cortex, which the MRI shows; the rest does not.
    """
    a = ACQUISITION
    fwhm, sd = rng.uniform(*a.texture_mm), rng.uniform(*a.texture_sd)
    noise = rng.standard_normal(brain.grid.shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, fwhm / FWHM_PER_SIGMA / brain.grid.spacing[0])
    noise /= noise.std()
    thick = (brain.thickness - brain.thickness.mean()) / brain.thickness.std()
    share = a.texture_thickness
    field = np.exp(sd * (share * thick + np.sqrt(1 - share**2) * noise))
    weight = np.bincount(brain.classes.ravel(), brain.grey.ravel(), minlength=LABELS)
    total = np.bincount(brain.classes.ravel(), (brain.grey * field).ravel(), minlength=LABELS)
    mean = np.where(weight > 0, total / np.maximum(weight, 1e-9), 1.0)
    return np.asarray(field / mean.astype(np.float32)[brain.classes], dtype=np.float32)


def noise_free(
    brain: Brain,
    uptake: NDArray[np.float32],
    reference: float,
    fwhm_mm: float,
    rng: np.random.Generator,
) -> Volume:
    """SUVR (I, J, K) on the simulation grid as a scanner without noise sees it.

    Parameters
    ----------
    uptake
        Uptake of every class (C,).
    reference
        What that uptake gives in the tracer's reference region.
    fwhm_mm
        Resolution of the scanner.
    """
    activity = brain.grey * uptake[brain.classes] * texture(brain, rng)
    for index, fraction in brain.fractions.items():
        activity += uptake[index] * fraction
    seen = psf(activity, fwhm_mm, brain.grid.spacing[0]) / np.float32(reference)
    return Volume(seen, brain.grid.affine, brain.grid.name)


@dataclass(frozen=True)
class Imperfection:
    """What one scan adds.

    Attributes
    ----------
    scatter
        Background, share of the head's mean.
    radial
        Loss of sensitivity at the rim.
    noise
        Standard deviation where the uptake is the head's mean, share of it.
    gain
        Bq/mL per SUVR.
    """

    scatter: float
    radial: float
    noise: float
    gain: float


def draw_imperfection(carbon: bool, rng: np.random.Generator) -> Imperfection:
    """What a scan of an 18F (or 11C: ``carbon``) tracer adds."""
    a = ACQUISITION
    noise = rng.uniform(*a.noise) * (a.noise_carbon if carbon else 1.0)
    return Imperfection(
        rng.uniform(*a.scatter), rng.uniform(*a.radial), noise, rng.uniform(*a.gain)
    )


def acquired(truth: Volume, scan: Imperfection, rng: np.random.Generator) -> Volume:
    """The PET in Bq/mL on the grid of ``truth`` (SUVR), as ``scan`` makes it."""
    spacing = np.array(truth.grid.spacing)
    head = ndimage.binary_dilation(truth.data > 0.1, iterations=3)
    mean = float(truth.data[truth.data > 0.1].mean())
    soft = ndimage.gaussian_filter(head.astype(np.float32), 15.0 / FWHM_PER_SIGMA / spacing)
    image = truth.data + np.float32(scan.scatter * mean) * soft
    x, y = (
        (np.arange(n, dtype=np.float32) - (n - 1) / 2) * s
        for n, s in zip(truth.shape[:2], spacing[:2], strict=True)
    )
    radius = (x[:, None] ** 2 + y[None, :] ** 2) / 100.0**2
    image = image * (1 - np.float32(scan.radial) * radius)[:, :, None]
    white = rng.standard_normal(truth.shape, dtype=np.float32)
    grain = ndimage.gaussian_filter(white, NOISE_MM / FWHM_PER_SIGMA / spacing)
    image = image + grain / grain.std() * np.float32(scan.noise) * np.sqrt(image * mean)
    seen = np.clip(image, 0, None) * head * np.float32(scan.gain)
    return truth.with_data(rounded(seen))


def rounded(image: FloatMap) -> FloatMap:
    """``image`` with the precision of half floats, which packs well."""
    return np.where(image < FAINT, 0.0, image).astype(np.float16).astype(np.float32)


def uptake_that_gives(
    wanted: NDArray[np.float32], start: NDArray[np.float32], own: Transfer, order: int
) -> NDArray[np.float32]:
    """Uptake (C,) that shows given regional values through a subject's own anatomy.

    Used by the ``null`` configuration: whatever the brain's shape, the regions measure what age
    and sex say, so that anatomy tells nothing.

    Parameters
    ----------
    wanted
        SUVR of every label (`LABELS`,).
    start
        Uptake (C,) to stay near to where the regions leave a choice.
    order
        Number of the tracer.
    """
    there = np.flatnonzero(own.voxels[1:] > 0) + 1
    near = 1e-3
    matrix = np.vstack([own.by_label[there], own.reference[order][None], near * np.eye(len(start))])
    target = np.concatenate([wanted[there], [1.0], near * start])
    solved = lsq_linear(matrix, target, bounds=(0.0, 8.0)).x
    return np.asarray(solved, dtype=np.float32)
