"""How smooth a PET is, and making a sharper one as smooth as the normals'.

A sharp PET has higher peaks than smooth normals and a smooth one lower: either would look like
disease. Smoothness is that of the difference to other people's PET, where anatomy cancels.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..checks import Finding, Verdict
from ..quantify.gtm import FWHM_PER_SIGMA
from ..volume import CANONICAL, Volume
from .measure import brain_index

ALIKE_MM = 1.0
"""Differences in FWHM below this are left alone: the estimate itself is no better."""

V = TypeVar("V", bound=Volume)


def residual_fwhm(
    difference: NDArray[np.floating], mask: NDArray[np.bool_], spacing: float
) -> float:
    """FWHM in mm of the Gaussian that would make noise as smooth as a difference image.

    From the correlation of neighbouring voxels, r = exp(-h^2 / 4 s^2) for a kernel of SD s
    (Forman et al., Magn Reson Med 1995;33:636-647); geometric mean of the three axes.

    Parameters
    ----------
    difference
        (I, J, K) one PET minus another or minus the normals' mean, SUVR.
    mask
        (I, J, K) where it is known.
    spacing
        Edge of the voxels, mm.
    """
    values = np.where(mask, difference, 0.0) - float(difference[mask].mean())
    variance = float((values[mask] ** 2).mean())
    if variance <= 0.0:
        return float("inf")
    widths = []
    for axis in range(3):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        both = mask[low] & mask[high]
        step = float(((values[high] - values[low])[both] ** 2).mean())
        correlation = min(max(1.0 - step / (2.0 * variance), 1e-6), 1.0 - 1e-9)
        widths.append(FWHM_PER_SIGMA * spacing / np.sqrt(-4.0 * np.log(correlation)))
    return float(np.exp(np.mean(np.log(widths))))


def brain_fwhm(difference: NDArray[np.floating]) -> float:
    """`residual_fwhm` of voxels (M,) in the order of `brain_index`."""
    whole = np.zeros(CANONICAL.shape, np.float32)
    whole.ravel()[brain_index()] = difference
    mask = np.zeros(CANONICAL.shape, bool)
    mask.ravel()[brain_index()] = True
    return residual_fwhm(whole, mask, CANONICAL.spacing[0])


def to_fwhm(volume: V, own_mm: float, wanted_mm: float) -> V:
    """``volume`` of resolution ``own_mm`` at the lower resolution ``wanted_mm``.

    Raises
    ------
    ValueError
        When it would have to be sharpened.
    """
    if wanted_mm < own_mm:
        msg = f"a PET of {own_mm:g} mm cannot be brought to {wanted_mm:g} mm"
        raise ValueError(msg)
    sigma = np.sqrt(wanted_mm**2 - own_mm**2) / FWHM_PER_SIGMA / np.array(volume.grid.spacing)
    return volume.with_data(ndimage.gaussian_filter(volume.data, sigma, mode="nearest"))


def smoothness_finding(own_mm: float, normals_mm: float) -> Finding:
    """How the smoothness of a PET compares with the normals', and what was done."""
    difference = own_mm - normals_mm
    if abs(difference) <= ALIKE_MM:
        verdict, words = Verdict.GREEN, "the PET is as smooth as the normals'"
    elif difference < 0.0:
        verdict, words = Verdict.GREEN, "the PET is sharper and was blurred to match"
    else:
        verdict = Verdict.AMBER
        words = "the PET is smoother, which cannot be undone: peaks read low, so does uptake"
    return Finding(
        "smoothness",
        round(difference, 1),
        f"within {ALIKE_MM:g} mm of the normals",
        verdict,
        f"Smoothness {own_mm:.1f} mm, normals {normals_mm:.1f} mm: {words}.",
    )
