"""The atlas at 1 mm, from which anatomies are made.

Grey and white matter are the ICBM 2009a maps that nilearn ships at 1 mm; labels come from the
project's own 2 mm atlas, their borders smoothed.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...assets import REFERENCE_BITS, atlas_volume, reference_mask
from ...generate.atlas.forward import deep_grey_labels, labels_named
from ...preprocess.transform import resample
from ...volume import CANONICAL, Grid, Volume, on_grid
from .fields import FloatMap

LABEL_SIGMA = 1.2
"""Smoothing (mm) of the borders between labels."""


EXTENT_MM = ((-82.0, 82.0), (-115.0, 81.0), (-83.0, 89.0))
"""Room for every brain, template space."""


def simulation_grid(spacing_mm: float) -> Grid:
    """Cubic grid over `EXTENT_MM`."""
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = [low + (spacing_mm - 1) / 2 for low, _ in EXTENT_MM]
    i, j, k = (int((high - low) / spacing_mm) for low, high in EXTENT_MM)
    return Grid((i, j, k), affine, CANONICAL.name)


class Template:
    """The atlas on `simulation_grid`, made once a process.

    Parameters
    ----------
    spacing_mm
        Voxel edge.
    """

    def __init__(self, spacing_mm: float = 1.0) -> None:
        self.grid = simulation_grid(spacing_mm)
        self.spacing = spacing_mm
        grey, white = _tissue_maps(self.grid)
        self.brain = self._soft("template_brain")
        self.grey = grey * self.brain
        self.white = white * self.brain
        self.csf = np.clip(self.brain - self.grey - self.white, 0, 1)
        territories = atlas_volume("territories")
        self.territories = smooth_labels(territories, self.grid)
        regions = atlas_volume("regions")
        deep = np.where(deep_grey_labels(regions.data), regions.data, 0)
        self.deep = smooth_labels(on_grid(deep, CANONICAL), self.grid, background=True)

    def _soft(self, name: str) -> FloatMap:
        return resample(atlas_volume(name), np.eye(4), self.grid)

    @cached_property
    def references(self) -> dict[str, FloatMap]:
        """Soft mask (I, J, K) of every reference region."""
        return {
            name: resample(reference_mask(name), np.eye(4), self.grid) for name in REFERENCE_BITS
        }

    @cached_property
    def coordinates(self) -> tuple[FloatMap, FloatMap, FloatMap]:
        """RAS millimetres of every voxel, three arrays that broadcast to (I, J, K)."""
        x, y, z = (
            np.float32(self.grid.affine[a, 3])
            + np.float32(self.spacing) * np.arange(n, dtype=np.float32)
            for a, n in enumerate(self.grid.shape)
        )
        return x[:, None, None], y[None, :, None], z[None, None, :]

    @cached_property
    def ventricles(self) -> FloatMap:
        """Nearness to the lateral ventricles, 0 to 1 (I, J, K)."""
        x, y, z = self.coordinates
        beside = np.isin(self.territories, labels_named("thalamusproper", "caudate"))
        box = (np.abs(x) < 38) & (y > -60) & (y < 38) & (z > -15) & (z < 32)
        inside = self.csf * (box & (beside | (np.abs(x) < 24)))
        soft = ndimage.gaussian_filter(inside, 3.0 / self.spacing)
        return np.asarray(soft / soft.max(), dtype=np.float32)


def _tissue_maps(grid: Grid) -> tuple[FloatMap, FloatMap]:
    """Probability of grey and white matter on ``grid``."""
    from nilearn.datasets import load_mni152_gm_template, load_mni152_wm_template

    maps = []
    for load in (load_mni152_gm_template, load_mni152_wm_template):
        image = load(resolution=1)
        volume = Volume(np.asarray(image.dataobj, np.float32), image.affine, grid.name)
        maps.append(np.clip(resample(volume, np.eye(4), grid), 0, 1))
    return maps[0], maps[1]


def smooth_labels(labels: Volume, grid: Grid, background: bool = False) -> NDArray[np.uint8]:
    """``labels`` on a finer ``grid`` without its blocks: the label with the largest share wins.

    Parameters
    ----------
    background
        Whether label 0 competes too; else every voxel near a label takes one.
    """
    sigma = LABEL_SIGMA / grid.spacing[0]
    nearest = resample(labels, np.eye(4), grid, order=0).astype(np.uint8)
    best = np.full(grid.shape, 0.5 if background else 1e-6, np.float32)
    out = np.zeros(grid.shape, np.uint8)
    for label, box in enumerate(ndimage.find_objects(nearest), start=1):
        if box is None:
            continue
        wide = tuple(
            slice(max(0, s.start - 5), min(n, s.stop + 5))
            for s, n in zip(box, grid.shape, strict=True)
        )
        share = ndimage.gaussian_filter((nearest[wide] == label).astype(np.float32), sigma)
        wins = share > best[wide]
        out[wide][wins] = label
        best[wide][wins] = share[wins]
    return out
