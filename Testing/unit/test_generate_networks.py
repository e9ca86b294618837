"""Blocks that the networks of several methods are built of."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.networks import time_features

pytestmark = pytest.mark.torch


def test_time_features_are_cosines_then_sines() -> None:
    found = time_features(torch.tensor([0, 1000]), 4)
    assert found[0].tolist() == [1, 1, 0, 0]
    # Rates 1 and 10,000^(-1/2) = 0.01: angles 1000 and 10.
    angles = torch.tensor([1000.0, 10.0])
    assert torch.allclose(found[1], torch.cat([angles.cos(), angles.sin()]), atol=1e-3)
