"""Two kinds of people for a tracer: found where they are, not where they are not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.learn.methods.regional_kinds import has_kinds, kinds, leading, two_gaussians

pytestmark = pytest.mark.torch


def uptake_of(values: np.ndarray) -> np.ndarray:
    """(N, 1, 3): three regions that follow ``values``."""
    rng = np.random.default_rng(0)
    return values[:, None, None] * [1.0, 0.5, 0.8] + 0.01 * rng.normal(size=(len(values), 1, 3))


def gap(n: int) -> np.ndarray:
    """A quarter lies four sd above the others."""
    rng = np.random.default_rng(1)
    return 1 + 0.1 * rng.normal(size=n) + 0.4 * (np.arange(n) % 4 == 0)


def test_two_gaussians_are_told_apart() -> None:
    values = gap(200)
    upper, gain = two_gaussians(values)
    assert upper.mean() == pytest.approx(0.25, abs=0.03)
    assert ((upper > 0.5) == (np.arange(200) % 4 == 0)).mean() > 0.95
    assert gain > 6


def test_one_gaussian_stays_one() -> None:
    assert two_gaussians(np.random.default_rng(2).normal(size=200))[1] < 0


def test_a_tracer_has_kinds_only_when_many_people_say_so() -> None:
    one = np.random.default_rng(2).normal(1, 0.1, size=120)
    both = np.concatenate([uptake_of(gap(120)), uptake_of(one)], 1)
    assert has_kinds(both).tolist() == [True, False]
    assert has_kinds(both[:39]).tolist() == [False, False]
    # Two people far away are no kind.
    few = np.r_[one[:118], 3.0, 3.1]
    assert not has_kinds(uptake_of(few))[0]
    assert not has_kinds(np.ones((60, 1, 3)))[0]


def test_without_the_pet_nobody_belongs_anywhere() -> None:
    uptake = uptake_of(gap(60))
    uptake[:5] = np.nan
    belongs = kinds(uptake, np.array([True]))
    assert not belongs[:5].any()
    assert belongs[5:].sum(2) == pytest.approx(1.0)
    alone = kinds(uptake, np.array([False]))
    assert alone[5:, 0].tolist() == [[1.0, 0.0]] * 55


def test_the_leading_direction_points_upwards_and_bears_a_missing_region() -> None:
    values = gap(60)
    uptake = uptake_of(values)[:, 0]
    uptake[3, 1] = np.nan
    uptake[4] = np.nan
    found = leading(uptake)
    known = np.isfinite(found)
    assert (~known).nonzero()[0].tolist() == [4]
    others = known & (np.arange(60) != 3)
    assert np.corrcoef(found[others], values[others])[0, 1] > 0.99
