"""Regions of a cohort as numbers: the library's own measure, `quantify.region_means`."""

from ..quantify.region_means import (
    LABELS,
    label_sums,
    membership,
    region_index,
    region_keys,
    regional_means,
)

__all__ = [
    "LABELS",
    "label_sums",
    "membership",
    "region_index",
    "region_keys",
    "regional_means",
]
