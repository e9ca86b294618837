"""What the MRI added: PET, age and sex mean, and the difference, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..preprocess.transform import FWHM_TO_SIGMA
from ..volume import PetVolume, Volume
from .figure import CROP_MARGIN_MM, FigureWords, png
from .figure_parts import (
    NARROW,
    WIDE,
    Column,
    Layout,
    difference_painter,
    difference_scale,
    low_and_high,
    mri_painter,
    pet_painter,
    planes_part,
    uptake_scale,
)
from .planes import Places, brain_box

SMOOTH_FWHM_MM = 12.0
"""The mean's folds lie elsewhere than this brain's: unsmoothed, every sulcus would be a finding."""
BRAIN_SUVR = 0.4
"""Below this, a voxel is edge, ventricle or skull: heads differ there, uptake does not."""
_FINE_MM = 2.5
"""Voxels no larger than this are enough to hold what was smoothed."""


def smoothed_difference(pet: PetVolume, expected: PetVolume) -> PetVolume:
    """``pet`` minus ``expected``, smoothed by `SMOOTH_FWHM_MM` inside the brain; 0 outside.

    The brain is where both reach `BRAIN_SUVR`. Smoothing divides by the smoothed mask, so that
    the nothing outside the brain does not thin out what lies at its edge.
    """
    spacing = np.asarray(pet.grid.spacing)
    steps = [max(int(_FINE_MM // edge), 1) for edge in spacing]
    inside = (pet.data >= BRAIN_SUVR) & (expected.data >= BRAIN_SUVR)
    difference = np.where(inside, pet.data - expected.data, 0.0).astype(np.float32)
    sigma = SMOOTH_FWHM_MM * FWHM_TO_SIGMA / (spacing * steps)
    total, weight = (
        ndimage.gaussian_filter(_coarser(part, steps), sigma, truncate=3.0)
        for part in (difference, inside.astype(np.float32))
    )
    smooth = total / np.maximum(weight, 1e-3)
    for axis, (step, size) in enumerate(zip(steps, pet.shape, strict=True)):
        smooth = _finer(smooth, axis, step, size)
    return pet.with_data(np.where(inside, smooth, 0.0).astype(np.float32))


def _coarser(values: NDArray[np.float32], steps: Sequence[int]) -> NDArray[np.float32]:
    """Means over blocks of ``steps`` voxels; a block that is cut off counts as if it were whole."""
    pad = [(0, -size % step) for size, step in zip(values.shape, steps, strict=True)]
    padded = np.pad(values, pad)
    blocks = [
        n for size, step in zip(padded.shape, steps, strict=True) for n in (size // step, step)
    ]
    return np.asarray(padded.reshape(blocks).mean(axis=(1, 3, 5)), dtype=np.float32)


def _finer(values: NDArray[np.float32], axis: int, step: int, size: int) -> NDArray[np.float32]:
    """Linear interpolation along one axis, from blocks of ``step`` back to ``size`` voxels."""
    if step == 1:
        return values
    last = values.shape[axis] - 1
    place = np.clip((np.arange(size) - (step - 1) / 2.0) / step, 0, last)
    first = place.astype(int)
    share = (place - first).astype(np.float32)
    share = share.reshape([-1 if n == axis else 1 for n in range(3)])
    low = np.take(values, first, axis=axis)
    high = np.take(values, np.minimum(first + 1, last), axis=axis)
    return np.asarray(low + share * (high - low), dtype=np.float32)


def difference_pictures(
    t1: Volume,
    pet: PetVolume,
    sd: PetVolume | None,
    expected: PetVolume,
    where: Places,
    words: FigureWords,
    mean_heading: str = "Age/sex mean",
    layouts: Sequence[Layout] = (WIDE, NARROW),
) -> list[bytes]:
    """Draw a PET beside the mean of its age and sex, and what lies between them.

    Columns PET, mean, PET minus mean (`smoothed_difference`); the first two share a window. Of an
    exploratory tracer the columns are the mean and low, middle and high minus the mean: nothing
    shows the middle alone.

    Parameters
    ----------
    t1
        Bias-corrected T1 on the scan's canonical grid.
    pet, sd, expected
        SUVR on the same grid: the PET, its standard deviation (None for an acquired PET), the mean.
    where
        Points to cut through.
    words
        Tracer, release policy and marks.
    mean_heading
        What the mean is of.
    layouts
        How wide, one picture each.

    Returns
    -------
    PNG files, marked as `figure.figure` marks it.

    Raises
    ------
    ValueError
        When the volumes do not share a grid, or an exploratory tracer comes without its ``sd``.
    """
    if not all(other is None or t1.grid.same_as(other.grid) for other in (pet, sd, expected)):
        msg = "T1, PET, standard deviation and mean must share one grid"
        raise ValueError(msg)
    uptake, signed = uptake_scale(words.tracer), difference_scale(words.tracer)
    box = brain_box(pet, CROP_MARGIN_MM)
    mri = mri_painter(t1, pet, box)
    mean = Column(mean_heading, pet_painter(expected, box, uptake), True)

    def minus_mean(heading: str, shown: PetVolume) -> Column:
        difference = smoothed_difference(shown, expected)
        return Column(heading, difference_painter(mri, difference, box, signed), True)

    if words.release.triptych:
        if sd is None:
            msg = "low and high need the standard deviation"
            raise ValueError(msg)
        low, high = low_and_high(pet, sd)
        three = (("Low - mean", low), ("Middle - mean", pet), ("High - mean", high))
        columns = [mean, *(minus_mean(heading, shown) for heading, shown in three)]
    else:
        own = Column("PET", pet_painter(pet, box, uptake), True)
        columns = [own, mean, minus_mean("PET - mean", pet)]
    scales = [uptake, signed]
    return [
        png(planes_part(columns, pet, box, where, words.release, layout, scales), words)
        for layout in layouts
    ]
