"""The shipped atlas on any template grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..assets import atlas_volume
from ..volume import Grid, Volume, on_grid
from .transform import resample

FLAIR_GREY, FLAIR_WHITE, FLAIR_FLUID = 0.92, 0.68, 0.12
"""Usual brightness in a FLAIR: the middle of the ranges that the simulator draws from."""
LABEL_MAPS = ("regions", "territories", "references")
"""Atlas volumes whose values are names, not amounts: they are never averaged."""


def atlas_on(name: str, grid: Grid) -> Volume:
    """The atlas volume ``name`` on a template ``grid``.

    A part of the atlas where the lattices coincide, voxel for voxel; resampled (label maps by
    the nearest voxel, images smoothed and linearly) where they do not, as on 3 mm.
    """
    volume = atlas_volume(name)
    try:
        return volume.crop(grid)
    except ValueError:
        return _resampled(name, grid.shape, grid.affine.tobytes(), grid.name)


def template_flair(grid: Grid) -> Volume:
    """What a FLAIR would show of the template's brain, which nobody has scanned with one."""
    grey, white, brain = (
        atlas_on(name, grid).data for name in ("template_gm", "template_wm", "template_brain")
    )
    fluid = np.clip(brain - grey - white, 0, 1)
    image = FLAIR_GREY * grey + FLAIR_WHITE * white + FLAIR_FLUID * fluid
    return on_grid(image.astype(np.float32), grid)


# A cohort asks for the same few maps once a subject; resampling takes a tenth of a second each.
@lru_cache(maxsize=16)
def _resampled(name: str, shape: tuple[int, int, int], affine: bytes, space: str) -> Volume:
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), space)
    labels = name in LABEL_MAPS
    order = 0 if labels else 1
    data = resample(atlas_volume(name), np.eye(4), grid, order=order, antialias=not labels)
    data.setflags(write=False)
    return on_grid(data, grid)
