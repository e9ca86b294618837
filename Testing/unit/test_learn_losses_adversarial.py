"""Scores as losses: least squares, pairs, and the slope of a critic."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.learn.losses.adversarial import (
    fake_loss,
    real_loss,
    relativistic,
    squared_slope,
)

pytestmark = pytest.mark.torch


def test_least_squares_are_least_at_their_labels() -> None:
    judged = torch.tensor([1.0, 1.0])
    assert (float(real_loss(judged)), float(fake_loss(judged))) == (0.0, 1.0)


def test_a_pair_scored_alike_costs_ln_2_and_a_wrong_order_its_distance() -> None:
    zero = torch.zeros(1, 1, 2, 2, 2)
    assert float(relativistic(zero, zero)) == pytest.approx(math.log(2))
    assert float(relativistic(zero + 30, zero)) == pytest.approx(0.0, abs=1e-6)
    assert float(relativistic(zero, zero + 30)) == pytest.approx(30.0)


def test_the_slope_is_the_full_norm_over_every_axis() -> None:
    # D(x) = sum w x: the gradient is w everywhere, its squared norm w^2 times all voxels.
    w = torch.tensor(0.5, requires_grad=True)
    pictures = torch.randn(3, 1, 4, 5, 6)
    slopes = squared_slope(lambda x: (w * x).flatten(1).sum(1), pictures)
    assert slopes.tolist() == pytest.approx([0.25 * 120] * 3)
    slopes.mean().backward()
    assert w.grad is not None
    assert float(w.grad) == pytest.approx(2 * 0.5 * 120)  # second derivative reaches the critic
