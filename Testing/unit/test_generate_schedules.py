"""Time grids and noise schedules against numbers worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.schedules import (
    bridge_variance,
    cosine_alphas,
    even_snr_steps,
    linear_alphas,
    linear_times,
    scaled_linear_alphas,
    trailing_steps,
)

pytestmark = pytest.mark.torch


def test_times_run_from_noise_to_data() -> None:
    assert linear_times(4).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_linear_alphas_are_the_product_of_what_each_step_leaves() -> None:
    assert linear_alphas(3, 0.1, 0.3).tolist() == pytest.approx([0.9, 0.72, 0.504])
    assert float(linear_alphas(1000)[-1]) == pytest.approx(4.04e-5, rel=1e-2)


def test_scaled_linear_alphas_rise_by_the_square() -> None:
    assert float(scaled_linear_alphas(2, 0.01, 0.04)[1]) == pytest.approx(0.99 * 0.96)
    alphas = scaled_linear_alphas(1000)
    assert float(alphas[0]) == pytest.approx(1 - 5e-4)
    assert (alphas.diff() < 0).all()


def test_the_variance_of_a_bridge_is_nothing_at_both_ends() -> None:
    assert bridge_variance(torch.tensor([0.0, 0.5, 1.0])).tolist() == [0.0, 0.5, 0.0]


class TestCosine:
    def test_it_is_the_ratio_of_squared_cosines(self) -> None:
        alphas = cosine_alphas(1000)

        def f(t: int) -> float:
            return math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2

        for t in (0, 499, 998):
            assert float(alphas[t]) == pytest.approx(f(t + 1) / f(0), rel=1e-9)

    def test_the_last_steps_are_clipped(self) -> None:
        alphas = cosine_alphas(1000)
        assert float(alphas[999] / alphas[998]) == pytest.approx(0.001)
        assert (alphas.diff() < 0).all()


class TestSteps:
    @pytest.mark.parametrize("steps", [1, 2, 4, 7, 100, 999, 1000])
    def test_they_begin_with_pure_noise_and_lie_evenly(self, steps: int) -> None:
        found = trailing_steps(1000, steps)
        assert len(found) == steps
        assert found[0] == 999
        gaps = {a - b for a, b in pairwise(found)}
        assert all(abs(gap - 1000 / steps) < 1 for gap in gaps)

    def test_they_are_those_of_the_training(self) -> None:
        assert trailing_steps(1000, 4) == [999, 749, 499, 249]
        assert trailing_steps(1000, 3) == [999, 666, 333]
        assert trailing_steps(1000, 100) == list(range(999, 0, -10))
        assert trailing_steps(5, 5) == [4, 3, 2, 1, 0]

    def test_whoever_asks_for_more_than_there_are_gets_all(self) -> None:
        assert trailing_steps(3, 10) == [2, 1, 0]

    def test_even_in_signal_to_noise_they_end_where_little_noise_is_left(self) -> None:
        alphas = scaled_linear_alphas(1000)
        steps = even_snr_steps(alphas, 4)
        ratio = torch.log(alphas / (1 - alphas))[steps]
        gaps = (ratio[1:] - ratio[:-1]).tolist()
        assert steps[0] == 999
        assert gaps == pytest.approx([float(ratio[1] - ratio[0])] * 3, abs=0.05)
        assert float(1 - alphas[steps[-1]]) < 0.05
        many = even_snr_steps(alphas, 1000)
        assert many == sorted(set(many), reverse=True)
