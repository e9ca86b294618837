"""Intervals that keep their promise: split-conformal calibration of a bundle's regional spread."""

from .adapt import Adapted, adapt
from .calibrate import ENOUGH, FEWEST, Calibrated, calibrate
from .site import Site

__all__ = ["ENOUGH", "FEWEST", "Adapted", "Calibrated", "Site", "adapt", "calibrate"]
