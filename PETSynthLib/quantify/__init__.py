"""Regional numbers of a PET, measured in the scan's own space."""

from .regions import COMPOSITES, HEADLINE, region_labels, title_of
from .suvr import RegionTable, RegionValue, asymmetry_words, quantify

__all__ = [
    "COMPOSITES",
    "HEADLINE",
    "RegionTable",
    "RegionValue",
    "asymmetry_words",
    "quantify",
    "region_labels",
    "title_of",
]
