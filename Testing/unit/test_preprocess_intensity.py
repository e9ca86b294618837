"""The scale of an MRI."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.preprocess.intensity import scaled


def test_the_97th_percentile_in_the_brain_becomes_one():
    data = np.zeros((10, 10, 3), np.float32)
    inside = np.zeros(data.shape, bool)
    inside[..., 0] = True
    data[..., 0] = np.arange(100).reshape(10, 10)
    data[..., 1] = 1e6  # scalp does not count
    result = scaled(data, inside)
    # 97th percentile of 0..99 is 96.03.
    assert result[5, 0, 0] == pytest.approx(50 / 96.03, rel=1e-5)
    assert result[0, 0, 1] == pytest.approx(1.6)


def test_the_scanners_unit_does_not_matter_and_negatives_are_cut():
    rng = np.random.default_rng(0)
    data = rng.normal(5, 3, (8, 8, 8)).astype(np.float32)
    inside = np.ones(data.shape, bool)
    assert np.allclose(scaled(data, inside), scaled(data * 37.0, inside), atol=1e-5)
    assert scaled(data, inside).min() == 0.0


def test_an_empty_brain_divides_by_nothing():
    assert np.isfinite(scaled(np.ones((2, 2, 2), np.float32), np.zeros((2, 2, 2), bool))).all()
