"""The atlas on the simulation grid."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nilearn")
pytestmark = pytest.mark.torch

from PETSynthLib.assets import REFERENCE_BITS, atlas_volume
from PETSynthLib.learn.cohort.subject import template_at
from PETSynthLib.learn.cohort.template import simulation_grid, smooth_labels
from PETSynthLib.volume import CANONICAL, Grid, on_grid


def test_the_grid_has_the_same_extent_at_either_spacing() -> None:
    fine, coarse = simulation_grid(1.0), simulation_grid(2.0)
    assert fine.shape == tuple(2 * n for n in coarse.shape)
    # The first coarse voxel is centred between the first two fine ones.
    assert coarse.affine[:3, 3] - fine.affine[:3, 3] == pytest.approx([0.5, 0.5, 0.5])


def test_the_whole_template_brain_lies_inside_with_room_to_bend() -> None:
    brain = template_at(2.0).brain > 0.5
    whole = 8e-3 * float(atlas_volume("template_brain").mask.sum())
    assert 8e-3 * brain.sum() == pytest.approx(whole, rel=0.01)
    for axis in range(3):
        where = np.flatnonzero(brain.any(axis=tuple(a for a in range(3) if a != axis)))
        assert where[0] >= 3
        assert where[-1] <= brain.shape[axis] - 4


def test_smoothed_labels_agree_with_the_atlas_away_from_borders() -> None:
    fine = Grid((20, 20, 20), np.eye(4), CANONICAL.name)
    blocks = np.where(np.arange(10)[:, None, None] < 5, 3, 7) + np.zeros((10, 10, 10))
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = 0.5
    labels = smooth_labels(on_grid(blocks, Grid((10, 10, 10), affine, "x")), fine)
    assert (labels[1:9, 1:19, 1:19] == 3).all()
    assert (labels[11:19, 1:19, 1:19] == 7).all()


def test_every_reference_region_is_there() -> None:
    references = template_at(2.0).references
    assert set(references) == set(REFERENCE_BITS)
    assert all((mask > 0.5).sum() > 200 for mask in references.values())


def test_the_ventricles_are_near_the_middle_and_nowhere_else() -> None:
    near, (x, _, _) = template_at(2.0).ventricles, template_at(2.0).coordinates
    assert near.max() == pytest.approx(1.0)
    assert np.abs((x + 0 * near)[near > 0.3]).max() < 45
