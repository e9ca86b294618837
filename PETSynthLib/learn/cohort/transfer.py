"""K: what a scanner measures of each tissue class in each region, R = K u.

K holds the anatomy and the point-spread function of one subject; with it the regional values of
any uptake follow without an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...generate.atlas.forward import FWHM_PER_SIGMA
from ...tracers import simulated_tracers
from ..regions import LABELS, label_sums, membership
from .uptake import CLASSES

TRUNCATE = 3.5
"""Sigmas after which the point-spread function ends."""

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Law:
    """From the uptake of classes to regional SUVR, R = K u over the reference.

    Attributes
    ----------
    regions
        K, array (R, C) in the order of `region_keys`; the rows of an empty region are NaN.
    reference
        Array (T, C): each tracer's reference region, in the registry's order.
    """

    regions: NDArray[np.float32]
    reference: NDArray[np.float32]

    def suvr(self, order: int, uptake: NDArray[np.float32]) -> NDArray[np.float32]:
        """Regional SUVR (n, R) of tracer number ``order`` for ``uptake`` (n, C)."""
        reference = uptake @ self.reference[order]
        return np.asarray(uptake @ self.regions.T / reference[:, None], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Transfer:
    """What one scanner measures in one anatomy.

    Attributes
    ----------
    by_label
        Array (`LABELS`, C): what is measured of each class in each label's voxels.
    voxels
        Array (`LABELS`,): number of those voxels.
    reference
        Array (T, C): the same in each tracer's reference region, in the registry's order.
    """

    by_label: NDArray[np.float64]
    voxels: NDArray[np.float64]
    reference: NDArray[np.float32]

    @cached_property
    def law(self) -> Law:
        """The same for regions: labels weighted by their voxels."""
        member = membership() * self.voxels
        with np.errstate(invalid="ignore", divide="ignore"):
            rows = member @ self.by_label / member.sum(1, keepdims=True)
        return Law(rows.astype(np.float32), self.reference)


def psf(image: FloatMap, fwhm_mm: float, spacing_mm: float) -> FloatMap:
    """``image`` as a scanner of resolution ``fwhm_mm`` sees it."""
    sigma = fwhm_mm / FWHM_PER_SIGMA / spacing_mm
    blurred = ndimage.gaussian_filter(image, sigma, mode="constant", truncate=TRUNCATE)
    return np.asarray(blurred, dtype=np.float32)


def class_boxes(labels: NDArray[np.uint8], margin: int) -> list[tuple[slice, slice, slice] | None]:
    """Box of each value of ``labels`` (from 1 on), wider by ``margin`` voxels on each side."""
    boxes: list[tuple[slice, slice, slice] | None] = []
    for box in ndimage.find_objects(labels):
        if box is None:
            boxes.append(None)
            continue
        wide = [
            slice(max(0, s.start - margin), min(n, s.stop + margin))
            for s, n in zip(box, labels.shape, strict=True)
        ]
        boxes.append((wide[0], wide[1], wide[2]))
    return boxes


def transfer(
    classes: NDArray[np.uint8],
    fractions: dict[int, FloatMap],
    grey: FloatMap,
    regions: NDArray[np.uint8],
    references: dict[str, NDArray[np.bool_]],
    fwhm_mm: float,
    spacing_mm: float,
) -> Transfer:
    """Push every class through the point-spread function, once.

    Parameters
    ----------
    classes
        Which grey-matter class (region label) each voxel's grey matter belongs to (I, J, K).
    fractions
        Fraction maps (I, J, K) of the classes that are not grey matter.
    grey
        Grey-matter fraction (I, J, K).
    regions
        The subject's label map, over which regional means are taken.
    references
        Mask of every reference region, by name.
    fwhm_mm, spacing_mm
        Resolution of the scanner, edge of a voxel.
    """
    names = list(dict.fromkeys(t.reference_region for t in simulated_tracers().values()))
    by_label = np.zeros((LABELS, CLASSES))
    by_reference = np.zeros((len(names), CLASSES))
    margin = int(np.ceil(TRUNCATE * fwhm_mm / FWHM_PER_SIGMA / spacing_mm)) + 1
    boxes = class_boxes(classes, margin)

    def add(index: int, seen: FloatMap, box: tuple[slice, ...]) -> None:
        by_label[:, index] += label_sums(regions[box], seen)
        for row, name in enumerate(names):
            by_reference[row, index] += float(seen[references[name][box]].sum(dtype=np.float64))

    for index, box in enumerate(boxes, start=1):
        if box is not None:
            add(index, psf(grey[box] * (classes[box] == index), fwhm_mm, spacing_mm), box)
    everywhere = (slice(None),) * 3
    for index, fraction in fractions.items():
        add(index, psf(fraction, fwhm_mm, spacing_mm), everywhere)

    voxels = label_sums(regions)
    sizes = np.array([references[name].sum() for name in names], dtype=np.float64)
    rows = [names.index(t.reference_region) for t in simulated_tracers().values()]
    reference = (by_reference / sizes[:, None])[rows]
    return Transfer(by_label / np.maximum(voxels, 1)[:, None], voxels, reference.astype(np.float32))
