"""Intervals that keep their promise: split-conformal calibration of a bundle's regional spread."""

from .calibrate import ENOUGH, FEWEST, Calibrated, calibrate

__all__ = ["ENOUGH", "FEWEST", "Calibrated", "calibrate"]
