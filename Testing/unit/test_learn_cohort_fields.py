"""Random fields pass through their nodes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort.fields import smooth_field


def test_a_field_passes_through_its_nodes_and_is_straight_between_them() -> None:
    # 9 voxels of 2 mm, nodes 8 mm apart: round(18 / 8) + 1 = 3 nodes.
    field = smooth_field(np.random.default_rng(5), 8.0, (9, 9, 9), 2.0, 2)
    nodes = np.random.default_rng(5).standard_normal((1, 2, 3, 3, 3), dtype=np.float32)[0]
    assert field[:, ::4, ::4, ::4] == pytest.approx(nodes, abs=1e-6)
    between = (field[:, 0, 0, 0] + field[:, 4, 0, 0]) / 2
    assert field[:, 2, 0, 0] == pytest.approx(between, abs=1e-6)
