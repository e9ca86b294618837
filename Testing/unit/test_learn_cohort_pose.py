"""How the head lies, and grids that hold it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort.pose import grid_over, inverse, rigid
from PETSynthLib.volume import Volume


def test_a_motion_is_rigid_and_turns_about_the_given_point() -> None:
    about = np.array([10.0, -20.0, 30.0])
    turned = rigid(np.random.default_rng(0), 10.0, 0.0, about)
    assert turned[:3, :3] @ turned[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(turned[:3, :3]) == pytest.approx(1.0)
    assert turned[:3, :3] @ about + turned[:3, 3] == pytest.approx(about)
    assert not np.allclose(turned, np.eye(4), atol=1e-3)


def test_a_shift_stays_within_its_limit() -> None:
    rng = np.random.default_rng(1)
    shifts = np.array([rigid(rng, 0.0, 4.0, np.zeros(3))[:3, 3] for _ in range(200)])
    assert 3.5 < np.abs(shifts).max() <= 4.0


def test_the_grid_holds_the_moved_tissue_with_its_margin() -> None:
    data = np.zeros((30, 30, 30), np.float32)
    data[9:22, 9:22, 9:22] = 1.0
    tissue = Volume(data, np.diag([2.0, 2, 2, 1]))
    pose = rigid(np.random.default_rng(2), 10.0, 10.0, np.zeros(3))
    grid = grid_over(tissue, pose, (1.0, 1.0, 3.0), 10.0)
    assert grid.spacing == (1.0, 1.0, 3.0)
    points = np.argwhere(data > 0) * 2.0 @ pose[:3, :3].T + pose[:3, 3]
    index = (points - grid.affine[:3, 3]) / grid.spacing
    # Every third voxel is looked at, 2 mm each: up to 4 mm of the margin may go.
    assert (index * grid.spacing).min() > 10.0 - 4.5
    assert ((np.array(grid.shape) - 1 - index) * grid.spacing).min() > 10.0 - 4.5


def test_there_and_back_is_nothing() -> None:
    pose = rigid(np.random.default_rng(3), 10.0, 10.0, np.ones(3))
    assert inverse(pose) @ pose == pytest.approx(np.eye(4), abs=1e-12)
