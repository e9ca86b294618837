"""Regional numbers of a PET, measured in the scan's own space."""

from .native_regions import NativeRegions, atlas_regions
from .regions import COMPOSITES, HEADLINE, title_of
from .suvr import RegionTable, RegionValue, asymmetry_words, quantify

__all__ = [
    "COMPOSITES",
    "HEADLINE",
    "NativeRegions",
    "RegionTable",
    "RegionValue",
    "asymmetry_words",
    "atlas_regions",
    "quantify",
    "title_of",
]
