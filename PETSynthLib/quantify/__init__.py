"""Regional numbers of a PET, measured in the scan's own space."""

from .regions import COMPOSITES, HEADLINE, native_reference, region_labels, title_of
from .suvr import RegionTable, RegionValue, asymmetry_words, quantify

__all__ = [
    "COMPOSITES",
    "HEADLINE",
    "RegionTable",
    "RegionValue",
    "asymmetry_words",
    "native_reference",
    "quantify",
    "region_labels",
    "title_of",
]
