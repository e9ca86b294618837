"""From the template back to the scan: its own grid, units of SUVR, nothing outside the brain."""

from .restore import Restored, restore, soft_brain

__all__ = ["Restored", "restore", "soft_brain"]
