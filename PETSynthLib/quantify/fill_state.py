"""Fill state: how much of a region is abnormal, whatever the height of the abnormality.

Doering et al., Radiology 2025;314:e241482: the share of voxels that differ significantly from
controls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume
from .region_means import label_sums, membership, region_keys
from .regions import labels_of

THRESHOLD = 2.0
"""z beyond which a voxel counts; stated beside every value, for it decides the value."""


def fill_state(
    z: Volume,
    labels: Volume,
    region: str,
    side: str = "both",
    threshold: float = THRESHOLD,
) -> float:
    """Percent of a region's voxels with z above ``threshold``.

    Parameters
    ----------
    z
        z of every voxel, positive in the direction of disease; NaN where the normals do not reach.
    labels
        Label map on the same grid.
    region, side
        As in `regions.labels_of`.

    Returns
    -------
    0 to 100; NaN when no voxel of the region has a z.

    Raises
    ------
    ValueError
        When the volumes do not share one grid.
    """
    if not z.grid.same_as(labels.grid):
        msg = "z and labels must share one grid"
        raise ValueError(msg)
    inside: NDArray[np.bool_] = np.isin(labels.data, labels_of(region, side)) & np.isfinite(z.data)
    if not inside.any():
        return float("nan")
    return 100.0 * float((z.data[inside] > threshold).mean())


def fill_states(z: Volume, labels: Volume, threshold: float = THRESHOLD) -> dict[str, float]:
    """`fill_state` of every region at once, by region key (`region_means.region_keys`).

    Parameters
    ----------
    z, labels, threshold
        As in `fill_state`.
    """
    known = np.isfinite(z.data)
    numbers = np.where(known, labels.data, 0).astype(np.intp)
    above = label_sums(numbers, (np.nan_to_num(z.data) > threshold).astype(np.float32))
    count = membership() @ label_sums(numbers)
    share = 100.0 * (membership() @ above) / np.maximum(count, 1.0)
    return {
        key: float(part) if n > 0 else float("nan")
        for key, part, n in zip(region_keys(), share, count, strict=True)
    }
