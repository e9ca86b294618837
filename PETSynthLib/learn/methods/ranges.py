"""The SUVR that the ends of a bounded network's range stand for (`generate.scaling`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...generate.scaling import Limits, own_range
from .interface import Material

NO_SCALE = (
    " Every scan was scaled by its own range, as published: its numbers are SUVR only by the mean "
    "range of the training scans."
)
"""For the card of a model that was trained so."""


def usual_ranges(
    material: Material, scaling: str, tell: Callable[[str, int, int], None]
) -> dict[str, torch.Tensor]:
    """With the published scaling, tracer -> mean range (2,) of the training scans; else nothing."""
    ranges: dict[str, torch.Tensor] = {}
    tracers = material.store.tracers if scaling == "paper" else ()
    for number, tracer in enumerate(tracers):
        tell("Ranges of the PETs", number, len(tracers))
        own = [own_range(material.pet(s, tracer)) for s in material.train if tracer in s.tracers]
        if own:
            ranges[tracer] = torch.from_numpy(np.mean(own, 0))
    return ranges


def limits_of(facts: dict[str, Any], tracer: str, pet: NDArray[np.float32]) -> Limits:
    """SUVR that count as -1 and 1 in an example, by ``method_config`` of the bundle to be."""
    if facts["scaling"] == "paper":
        return own_range(pet)
    low, high = facts["suvr_range"][tracer]
    return low, high
