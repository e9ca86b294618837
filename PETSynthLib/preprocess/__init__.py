"""From a scan to what a generator sees: bias field, brain mask, alignment, intensity."""

from __future__ import annotations

from .atlas_grid import atlas_on, template_flair
from .prepare import in_brain, prepare
from .prepared import Prepared
from .space import write_space
from .transform import NativeToTemplate

__all__ = [
    "NativeToTemplate",
    "Prepared",
    "atlas_on",
    "in_brain",
    "prepare",
    "template_flair",
    "write_space",
]
