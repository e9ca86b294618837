"""What several kinds of requests have in common: their version, choices and checks of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from ..errors import ErrorCode, PETSynthError

REQUEST_VERSION = 1
SYNTHESIZE, QUANTIFY, PROJECT, EXPORT = "synthesize", "quantify", "project", "export"
KINDS = (SYNTHESIZE, QUANTIFY, PROJECT, EXPORT)
"""Kinds of requests; each fills a folder of its own."""
SCANNERS = ("ge", "philips", "siemens")
MOST_STEPS = 1000
"""Of a sampler: every step of the published schedules."""


class Preset(StrEnum):
    """How much time to spend. The numbers behind it stand in the bundle's ``config.json``."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class Regions(StrEnum):
    """How the atlas is laid onto the MRI for the table; the picture takes the affine either way."""

    DEFORMABLE = "deformable"
    AFFINE = "affine"


def checked_names(names: Iterable[str], allowed: Mapping[str, str]) -> tuple[str, ...]:
    """Names of overridden checks, sorted, each once.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for a check that nobody may override.
    """
    if unknown := sorted(set(names) - set(allowed)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"These checks cannot be overridden: {', '.join(unknown)}.",
            f"Those that can are {', '.join(allowed)}.",
        )
    return tuple(sorted(set(names)))
