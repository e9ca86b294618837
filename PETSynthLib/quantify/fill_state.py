"""Fill state: how much of a region is abnormal, whatever the height of the abnormality.

Doering et al., Radiology 2025;314:e241482: the share of voxels that differ significantly from
controls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume
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
