"""What preprocessing hands on: a scan, ready for a generator and for the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..checks import Finding
from ..volume import Affine, Volume
from .transform import NativeToTemplate


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan, ready for a generator and for the way back.

    Attributes
    ----------
    t1
        On the generator's grid in template space: bias-corrected, brain only (0 outside), 97th
        percentile in the brain at 1, clipped to 0..1.6.
    brain
        Brain mask (0/1) on the same grid.
    flair
        Aligned FLAIR, scaled likewise, or None.
    native_brain
        Brain mask on the scan's canonical grid.
    native_t1
        Bias-corrected T1 with skull on the scan's canonical grid, in the scan's own unit.
    transform
        Scan to template.
    findings
        Checks of the images and of every step; none is red.
    steps
        Provenance: name, version, parameters, seconds and outcome of each step.
    sources
        SHA-256 of the T1, FLAIR and mask files (None where there is none).
    t1_to_flair
        4x4 rigid, RAS mm of the T1 to RAS mm of the FLAIR, or None.
    fields
        ``t1`` and, where there is one, ``flair`` -> logarithm of its bias field (`bias_field`).
    """

    t1: Volume
    brain: Volume
    flair: Volume | None
    native_brain: Volume
    native_t1: Volume
    transform: NativeToTemplate
    findings: list[Finding]
    steps: list[dict[str, Any]]
    sources: dict[str, str | None]
    t1_to_flair: Affine | None
    fields: dict[str, Volume] = field(default_factory=dict)
