"""Samplers and schedules against closed-form answers; choosing a device."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.generate.device import available_devices, place, why_not
from PETSynthLib.generate.samplers import sample_euler
from PETSynthLib.generate.schedules import linear_times

pytestmark = pytest.mark.torch


def test_times_run_from_noise_to_data() -> None:
    assert linear_times(4).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_known_endpoint_is_reached_in_any_number_of_steps() -> None:
    data = torch.tensor([3.0, -1.0])
    for steps in (1, 2, 7):
        drawn = sample_euler(lambda x, t: data, torch.randn(2), linear_times(steps))
        assert drawn == pytest.approx(data)


def test_a_gaussian_comes_out_with_its_mean_and_spread() -> None:
    # r ~ N(m, s^2): E[r | x_t] = m + t s^2 (x - t m) / ((1 - t)^2 + t^2 s^2), by hand.
    m, s = 2.0, 0.5

    def posterior_mean(x: torch.Tensor, t: float) -> torch.Tensor:
        return m + t * s**2 * (x - t * m) / ((1 - t) ** 2 + t**2 * s**2)

    noise = torch.randn(20000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drawn = sample_euler(posterior_mean, noise, linear_times(100))
    assert float(drawn.mean()) == pytest.approx(m, abs=0.02)
    assert float(drawn.std()) == pytest.approx(s, rel=0.03)


def test_the_callback_sees_every_evaluation() -> None:
    seen: list[int] = []
    sample_euler(lambda x, t: x, torch.zeros(1), linear_times(3), lambda i, _: seen.append(i))
    assert seen == [0, 1, 2]


def test_a_named_device_is_taken_or_refused_never_replaced() -> None:
    assert str(place("cpu").device) == "cpu"
    absent = next(d for d in ("cuda:7", "xpu", "mps") if d not in available_devices())
    with pytest.raises(PETSynthError) as refusal:
        place(absent)
    assert refusal.value.code is ErrorCode.DEVICE
    assert "cpu" in refusal.value.hint


def test_a_device_counts_only_when_it_has_computed() -> None:
    assert why_not("cpu") == ""
    assert why_not("meta") != "", "a device without arithmetic"
