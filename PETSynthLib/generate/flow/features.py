"""What `flow` sees beside the MRI: atlas channels around a stack of slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...preprocess.atlas_grid import atlas_on
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
    grey = atlas_on("template_gm", grid).data
    white = atlas_on("template_wm", grid).data
    brain = atlas_on("template_brain", grid).data
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
