"""What `flow` reads off an MRI, region by region: few numbers, the same in training and inference.

A region's FDG follows its own grey matter and what blurs into it, much less that of the other
84 regions; so every region is described by its own numbers and by their mean over the cerebrum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...assets import region_names
from ...clinical import FIELDS
from ...volume import Volume
from ..atlas.forward import atlas_labels, grid_key_of, scanner_blur
from ..atlas.segment import segment

REGIONS = tuple(sorted(region_names()))
"""Atlas labels 1..85 in the order of every regional array here."""
CEREBELLUM = 84
"""First label of the two that are no part of the cerebrum."""
ANATOMY = ("grey_5mm", "grey_8mm", "csf_6mm", "grey_share", "csf_share", "t1_in_grey")
"""Of each region: grey matter and CSF as a scanner of that resolution sees them within its grey
matter, the shares of its territory, and the T1's brightness in its grey matter."""
OWN = (*ANATOMY, "flair_in_grey")
FLAIR_NUMBERS = ("flair_spread", "flair_load")
"""Of the whole brain's white matter."""
BRIGHT = 1.35
"""FLAIR over its white-matter median beyond which a voxel counts as hyperintense."""
LEAST_GREY = 1e-6

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read off an MRI.

    Attributes
    ----------
    regions
        (R, P): `OWN` of every region; the FLAIR's is NaN without one, all are 0 without a voxel.
    flair
        (2,): `FLAIR_NUMBERS`; NaN without a FLAIR.
    """

    regions: Array
    flair: Array

    def without_flair(self) -> Reading:
        """The same MRI, its FLAIR not shown."""
        hidden = self.regions.copy()
        hidden[:, len(ANATOMY) :] = np.nan
        return Reading(hidden, np.full(2, np.nan))


def read_mri(
    t1: Volume, brain: Volume, flair: Volume | None
) -> tuple[Reading, NDArray[np.float32]]:
    """The variables that come from the MRI, and its grey matter fraction (I, J, K).

    Parameters
    ----------
    t1, brain, flair
        As in `GeneratorInput`, on one template grid.
    """
    grid = t1.grid
    tissues = segment(t1, brain)
    territories, deep = atlas_labels(grid_key_of(grid))
    # Inside deep structures a T1 says little about what is grey.
    grey = (tissues.grey + np.where(deep, tissues.white, 0)).astype(np.float32)
    labels = territories.ravel()

    def total(image: NDArray[np.floating]) -> Array:
        weights = image.astype(np.float64).ravel()
        return np.asarray(np.bincount(labels, weights, REGIONS[-1] + 1)[list(REGIONS)], np.float64)

    voxels = np.maximum(total(np.ones(grid.shape)), 1)
    amount = np.maximum(total(grey), LEAST_GREY)
    columns = [
        total(grey * scanner_blur(grey, 5.0, grid)) / amount,
        total(grey * scanner_blur(grey, 8.0, grid)) / amount,
        total(grey * scanner_blur(tissues.csf, 6.0, grid)) / amount,
        total(tissues.grey) / voxels,
        total(tissues.csf) / voxels,
        total(grey * t1.data) / amount,
        np.full(len(REGIONS), np.nan) if flair is None else total(grey * flair.data) / amount,
    ]
    bright = np.full(2, np.nan)
    if flair is not None:
        # Hyperintensities lie deep in the hemispheres and may count as grey in a T1.
        inside = brain.mask & (tissues.csf < 0.5) & (territories < CEREBELLUM)
        white = flair.data[inside & (tissues.white > 0.8)]
        if white.size > 100 and (middle := float(np.median(white))) > 0:
            spread = float(np.percentile(flair.data[inside], 98)) / middle
            load = float((flair.data[inside] > BRIGHT * middle).mean())
            bright[:] = np.log(spread), np.sqrt(load)
    return Reading(np.stack(columns, 1), bright), tissues.grey


def variable_names(scanners: list[str]) -> tuple[str, ...]:
    """Names of the D variables of a region, in their order."""
    return (
        *OWN,
        *(f"cerebral_{name}" for name in OWN),
        *FLAIR_NUMBERS,
        *FIELDS,
        *(f"scanner_{s}" for s in scanners),
    )


def variables(
    reading: Reading, clinical: dict[str, float | None], scanner: NDArray[np.float32]
) -> Array:
    """All variables of one person (R, D); what is not known is NaN, in every region alike.

    Parameters
    ----------
    reading
        What `read_mri` has read.
    clinical
        Field -> number or None.
    scanner
        `condition.scanner_vector`; all zero: an average one, of which nothing is known.
    """
    cerebral = np.array(REGIONS) < CEREBELLUM
    whole = reading.regions[cerebral].mean(0)
    facts = [np.nan if (v := clinical[name]) is None else v for name in FIELDS]
    which = scanner if scanner.any() else np.full(len(scanner), np.nan)
    shared = np.concatenate([whole, reading.flair, facts, which])
    return np.concatenate([reading.regions, np.tile(shared, (len(REGIONS), 1))], 1)
