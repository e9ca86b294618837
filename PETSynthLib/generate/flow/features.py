"""What `flow` sees beside the MRI: atlas channels, clinical and acquisition vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...assets import atlas_volume
from ...clinical import FIELDS
from ...volume import Grid
from ..atlas.forward import (
    Tissues,
    activity,
    atlas_labels,
    grid_key_of,
    labels_named,
    population_uptake,
    scanner_blur,
)

T1_SLICES = 5
FLAIR_SLICES = 3
ATLAS_BLUR_MM = 4.0


def atlas_channels(grid: Grid, tracer_order: list[str]) -> NDArray[np.float32]:
    """Atlas channels (C, K, I, J) of ``grid``, axial slices after the channel.

    Position (x, y, z scaled to -1..1), template grey and white matter, deep grey, cerebellum,
    brainstem, and the population uptake of each tracer as the template brain would show it.
    """
    shape = grid.shape
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    grey = atlas_volume("template_gm").crop(grid).data
    white = atlas_volume("template_wm").crop(grid).data
    brain = atlas_volume("template_brain").crop(grid).data
    territories, deep = atlas_labels(grid_key_of(grid))
    structures = [
        deep,
        territories >= 84,
        np.isin(territories, labels_named("brainstem")),
    ]
    tissues = Tissues(grey, white, np.clip(brain - grey - white, 0, 1))
    prior = [
        scanner_blur(
            activity(tissues, territories, deep, population_uptake(t)), ATLAS_BLUR_MM, grid
        )
        for t in tracer_order
    ]
    soft = [scanner_blur(s.astype(np.float32), ATLAS_BLUR_MM, grid) for s in structures]
    stack = np.stack([*axes, grey, white, *soft, *prior]).astype(np.float32)
    return np.ascontiguousarray(stack.transpose(0, 3, 1, 2))


def slice_stack(volume: NDArray[np.float32], k: int, count: int) -> NDArray[np.float32]:
    """``count`` neighbouring axial slices around ``k`` of (K, I, J); ends repeat the edge."""
    reach = count // 2
    return volume[np.clip(np.arange(k - reach, k + reach + 1), 0, len(volume) - 1)]


def clinical_vector(
    numbers: dict[str, float | None], scaling: dict[str, list[float]]
) -> NDArray[np.float32]:
    """Standardised values then presence flags, each in the order of `FIELDS`.

    Parameters
    ----------
    numbers
        Field -> value or None when missing (a missing value becomes 0 with flag 0).
    scaling
        Field -> [mean, sd] of the training cohort.
    """
    values, flags = [], []
    for name in FIELDS:
        value = numbers[name]
        mean, sd = scaling[name]
        values.append(0.0 if value is None else (value - mean) / sd)
        flags.append(float(value is not None))
    return np.array(values + flags, np.float32)


def scanner_vector(scanner: str | None, facts: dict[str, Any]) -> NDArray[np.float32]:
    """One-hot over the bundle's scanners; all zero for an average scanner."""
    return np.array([float(scanner == name) for name in facts["scanners"]], np.float32)
