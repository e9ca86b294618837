"""A scan whose skull has been removed already, as published data sets often hold them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..volume import Volume

BRAIN_ML = (600.0, 2200.0)
"""Adult brains with their fluid spaces hold about 1000 to 1900 mL; colin27, enlarged, 1960. Whole
heads have 2500 mL and more."""
ONE_PIECE = 0.98


def stripped_brain(t1: Volume) -> Volume | None:
    """The brain mask (0/1) that a stripped scan carries in itself, or None for a head.

    Stripped is a scan whose background is exactly zero and whose remaining voxels are one piece
    of the size of a brain. Holes inside (fluid at zero) belong to the brain.
    """
    support = t1.data != 0
    voxel_ml = t1.grid.voxel_ml
    low, high = BRAIN_ML
    # Most scans end here: their air is noise.
    if not low <= float(support.sum()) * voxel_ml <= high:
        return None
    labels, count = ndimage.label(support)
    sizes = np.bincount(labels.ravel(), minlength=2)[1:]
    if count == 0 or sizes.max() < ONE_PIECE * sizes.sum():
        return None
    piece = labels == 1 + int(sizes.argmax())
    brain = np.asarray(ndimage.binary_fill_holes(piece))
    return t1.with_data(brain) if low <= float(brain.sum()) * voxel_ml <= high else None
