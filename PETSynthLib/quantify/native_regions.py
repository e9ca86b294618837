"""Every region of a scan in its own space: the atlas bent onto it, or the user's parcellation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..assets import REFERENCE_BITS, atlas_volume, reference_mask, region_names
from ..preprocess.warp import Warp
from ..volume import CANONICAL, Volume, on_grid
from .regions import template_regions

EROSION_MM = 2.0
"""What is taken off the rim of a user's reference region: one voxel of the atlas, whose own
references are eroded by as much already."""
PURE_WHITE = 0.95
"""Probability above which a voxel of the template is white matter."""
WHITE = "white_matter"
BENT, LAID = "atlas, deformable", "atlas, affine"
"""Where labels come from, in the words of every header."""
REFERENCE_ROWS = (*REFERENCE_BITS, WHITE)
"""Regions of every table beside the atlas's, each eroded; any of them but white matter may be a
tracer's reference."""


@dataclass(frozen=True, eq=False)
class NativeRegions:
    """Regions on a scan's canonical grid.

    Attributes
    ----------
    labels
        Label map 0..85 (`assets.region_names`).
    references
        Name of `REFERENCE_ROWS` -> mask (0/1), eroded; they overlap.
    left
        (I, J, K) whether a voxel lies left of the middle of the brain.
    source
        Where the labels come from, in words.
    reference_source
        The same for each reference.
    """

    labels: Volume
    references: dict[str, Volume]
    left: NDArray[np.bool_]
    source: str
    reference_source: dict[str, str]


def atlas_regions(warp: Warp, native_brain: Volume) -> NativeRegions:
    """The atlas in the scan's own space, nearest neighbour, inside its brain."""
    maps = {"labels": template_regions(), **_template_masks(), "left": _left_half()}
    found = warp.labels_to_native(maps, native_brain)
    source = BENT if warp.deformable else LAID
    return NativeRegions(
        labels=found["labels"],
        references={name: found[name] for name in REFERENCE_ROWS},
        left=found["left"].mask,
        source=source,
        reference_source=dict.fromkeys(REFERENCE_ROWS, source),
    )


def eroded(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> NDArray[np.bool_]:
    """``mask`` without the voxels whose centre lies within `EROSION_MM` of the outside."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return mask
    box = tuple(slice(max(p.start - 1, 0), p.stop + 1) for p in found[0])
    inner = np.zeros_like(mask)
    part = np.pad(mask[box], 1)
    distance = ndimage.distance_transform_edt(part, sampling=spacing)
    inner[box] = (distance > EROSION_MM)[1:-1, 1:-1, 1:-1]
    return inner


def _template_masks() -> dict[str, Volume]:
    white = atlas_volume("template_wm").data > PURE_WHITE
    # Cerebrum only: the white matter of cerebellum and brain stem has another uptake.
    lower = [n for n, (name, _) in region_names().items() if name in ("brainstem", "cerebellum")]
    cerebrum = ~np.isin(atlas_volume("territories").data, [0, *lower])
    return {
        **{name: reference_mask(name) for name in REFERENCE_BITS},
        WHITE: on_grid(white & cerebrum, CANONICAL),
    }


def _left_half() -> Volume:
    left = np.zeros(CANONICAL.shape, bool)
    left[: CANONICAL.shape[0] // 2] = True
    return on_grid(left, CANONICAL)
