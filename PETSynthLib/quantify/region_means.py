"""Regions as numbers: which labels belong to which region, and means over them.

Simulator, oracle, training, evaluation and normative databases all measure with these functions, so
that a regional value means the same everywhere.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..assets import region_names
from .regions import COMPOSITES, labels_of

LABELS = max(region_names()) + 1
"""One more than the highest label; label 0 lies in no region."""


@cache
def region_keys() -> tuple[str, ...]:
    """Keys of the R regions: ``precuneus.L``, ``precuneus.R``, unpaired names, composites."""
    keys = [name if side == "B" else f"{name}.{side}" for name, side in region_names().values()]
    return (*dict.fromkeys(keys), *COMPOSITES)


@cache
def membership() -> NDArray[np.bool_]:
    """Array (R, `LABELS`): whether a label belongs to a region."""
    table = np.zeros((len(region_keys()), LABELS), bool)
    for row, key in enumerate(region_keys()):
        name, _, side = key.partition(".")
        table[row, list(labels_of(name, side or "both"))] = True
    return table


def region_index(key: str) -> int:
    """Position of a region in `region_keys`."""
    return region_keys().index(key)


def label_sums(
    labels: NDArray[np.integer], values: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Sum of ``values`` (1 when left out) over the voxels of each label, array (`LABELS`,)."""
    weights = None if values is None else values.ravel().astype(np.float64)
    counted = np.bincount(labels.ravel(), weights, minlength=LABELS)
    return np.asarray(counted, dtype=np.float64)


def regional_means(
    labels: NDArray[np.integer], values: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Mean of an image over each region.

    Parameters
    ----------
    labels
        Label map (I, J, K) of a subject; 0 lies in no region.
    values
        Image (I, J, K).

    Returns
    -------
    Array (R,) in the order of `region_keys`, in the image's unit; NaN for an empty region.
    """
    total = membership() @ label_sums(labels, values)
    count = membership() @ label_sums(labels)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
