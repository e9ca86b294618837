"""The atlas on other lattices: cut where voxels coincide, sampled where they do not."""

from __future__ import annotations

import numpy as np

from PETSynthLib.assets import atlas_volume
from PETSynthLib.generate.atlas.segment import segment
from PETSynthLib.preprocess import atlas_on, in_brain
from PETSynthLib.volume import CANONICAL, Grid


def coarse() -> Grid:
    """3 mm, symmetric about x = 0."""
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = (-82.5, -111.0, -81.0)
    return Grid((56, 64, 56), affine, CANONICAL.name)


def test_where_the_lattices_coincide_no_value_changes() -> None:
    affine = CANONICAL.affine.copy()
    affine[:3, 3] += 20.0
    part = atlas_on("template_t1", Grid((30, 30, 30), affine, CANONICAL.name))
    assert np.array_equal(part.data, atlas_volume("template_t1").data[10:40, 10:40, 10:40])


def test_elsewhere_labels_stay_labels_and_the_brain_keeps_its_volume() -> None:
    grid = coarse()
    labels = atlas_on("territories", grid).data
    assert set(np.unique(labels)) <= set(np.unique(atlas_volume("territories").data))
    brain = atlas_on("template_brain", grid)
    true = atlas_volume("template_brain").data.sum() * CANONICAL.voxel_ml
    assert abs(brain.data.sum() * grid.voxel_ml / true - 1) < 0.01


def test_tissue_can_be_told_on_three_millimetres_too() -> None:
    grid = coarse()
    brain = atlas_on("template_brain", grid)
    brain = brain.with_data(brain.mask)
    tissues = segment(in_brain(atlas_on("template_t1", grid), brain), brain)
    grey = tissues.grey.sum() * grid.voxel_ml
    true = atlas_volume("template_gm").data.sum() * CANONICAL.voxel_ml
    assert abs(grey / true - 1) < 0.1
