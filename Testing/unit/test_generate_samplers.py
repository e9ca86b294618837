"""Samplers against closed-form answers; choosing a device."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.generate.device import available_devices, place, why_not
from PETSynthLib.generate.samplers import (
    ddim_step,
    sample_bridge,
    sample_ddim,
    sample_euler,
    sample_solver,
)
from PETSynthLib.generate.schedules import (
    bridge_variance,
    even_snr_steps,
    linear_alphas,
    linear_times,
    scaled_linear_alphas,
    trailing_steps,
)

pytestmark = pytest.mark.torch


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


class TestDiffusion:
    @pytest.mark.parametrize("eta", [0.0, 1.0])
    @pytest.mark.parametrize("steps", [1, 3])
    def test_a_known_picture_is_reached_in_any_number_of_steps(
        self, steps: int, eta: float
    ) -> None:
        picture = torch.tensor([0.3, -0.9], dtype=torch.float64)
        noise, asked = torch.randn(2, dtype=torch.float64), trailing_steps(1000, steps)
        drawn = sample_ddim(lambda x, t: picture, noise, linear_alphas(1000), asked, eta)
        assert drawn == pytest.approx(picture)

    def test_a_step_to_the_data_end_is_the_prediction(self) -> None:
        x, data = torch.tensor([0.5, -2.0]), torch.tensor([1.0, 0.0])
        assert torch.equal(ddim_step(x, data, 0.3, 1.0), data)

    def test_a_step_without_chance_keeps_the_noise_that_it_sees(self) -> None:
        # x = sqrt(.25) 2 + sqrt(.75) e with e = 1, at a = .64: sqrt(.64) 2 + sqrt(.36) e, by hand.
        x = torch.tensor([1.0 + 0.75**0.5], dtype=torch.float64)
        after = ddim_step(x, torch.tensor([2.0], dtype=torch.float64), 0.25, 0.64)
        assert float(after) == pytest.approx(1.6 + 0.6)

    def test_the_model_is_asked_of_the_trainings_steps_and_the_callback_sees_each(self) -> None:
        asked: list[int] = []
        seen: list[int] = []

        def model(x: torch.Tensor, t: int) -> torch.Tensor:
            asked.append(t)
            return x

        sample_ddim(
            model, torch.ones(1), linear_alphas(10), [9, 5, 2], callback=lambda i, _: seen.append(i)
        )
        assert (asked, seen) == ([9, 5, 2], [0, 1, 2])

    @pytest.mark.parametrize(("eta", "steps"), [(0.0, 50), (1.0, 1000)])
    def test_a_gaussian_comes_out_with_its_mean_and_spread(self, eta: float, steps: int) -> None:
        # x = sqrt(a) r + sqrt(1 - a) eps with r ~ N(m, s^2): the posterior mean of r, by hand.
        m, s = 2.0, 0.5
        alphas = linear_alphas(1000)

        def posterior_mean(x: torch.Tensor, t: int) -> torch.Tensor:
            a = float(alphas[t])
            return m + a**0.5 * s**2 * (x - a**0.5 * m) / (a * s**2 + 1 - a)

        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(20000, generator=generator, dtype=torch.float64)
        drawn = sample_ddim(
            posterior_mean, noise, alphas, trailing_steps(1000, steps), eta, generator
        )
        assert float(drawn.mean()) == pytest.approx(m, abs=0.02)
        assert float(drawn.std()) == pytest.approx(s, rel=0.06)


class TestWithoutChance:
    """Data from N(MEAN, SD^2): the flow without chance takes each point to a known place."""

    MEAN, SD = 0.5, 0.25
    ALPHAS = scaled_linear_alphas(1000)

    def predicted(self, x: torch.Tensor, t: int) -> torch.Tensor:
        """E[x_0 | x_t], by hand."""
        a = self.ALPHAS[t]
        gain = a.sqrt() * self.SD**2 / (a * self.SD**2 + 1 - a)
        return self.MEAN + gain * (x - a.sqrt() * self.MEAN)

    def exact(self, x: torch.Tensor) -> torch.Tensor:
        """Where ``x`` at the last step belongs."""
        a = self.ALPHAS[-1]
        return self.MEAN + self.SD * (x - a.sqrt() * self.MEAN) / (a * self.SD**2 + 1 - a).sqrt()

    @staticmethod
    def start(count: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(count, generator=generator, dtype=torch.float64)

    def test_every_point_goes_where_the_exact_flow_takes_it(self) -> None:
        x = self.start(50)
        fine, coarse = (
            sample_ddim(self.predicted, x, self.ALPHAS, trailing_steps(1000, n))
            for n in (1000, 100)
        )
        assert (fine - self.exact(x)).abs().max() < 0.02
        off = [(found - self.exact(x)).abs().max() for found in (fine, coarse)]
        assert off[0] < 0.3 * off[1]

    def test_the_solver_is_nearer_in_few_steps(self) -> None:
        x, few = self.start(50), even_snr_steps(self.ALPHAS, 10)
        first, second = (
            (sample(self.predicted, x, self.ALPHAS, few) - self.exact(x)).abs().mean()
            for sample in (sample_ddim, sample_solver)
        )
        assert second < 0.5 * first

    def test_the_solver_believes_a_model_that_knows_the_picture(self) -> None:
        picture = torch.tensor([0.3, -0.9], dtype=torch.float64)
        seen: list[int] = []
        drawn = sample_solver(
            lambda x, t: picture, self.start(2), self.ALPHAS, [999, 600, 2],
            lambda i, _: seen.append(i),
        )  # fmt: skip
        assert drawn == pytest.approx(picture)
        assert seen == [0, 1, 2]


class TestBridge:
    def test_points_on_the_way_have_the_laws_mean_and_variance(self) -> None:
        # With the data known exactly, each visited point must follow
        # N((1 - m) data + m source, variance(m)).
        data, source = 3.0, 1.0
        mixed = torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0], dtype=torch.float64)
        visited: list[torch.Tensor] = []

        def model(x: torch.Tensor, m: float) -> torch.Tensor:
            visited.append(x)
            return torch.full_like(x, data)

        start = torch.full((40000,), source, dtype=torch.float64)
        generator = torch.Generator().manual_seed(0)
        end = sample_bridge(model, start, mixed, bridge_variance, generator)
        assert torch.equal(end, torch.full_like(end, data))
        for m, x in zip(mixed[1:-1].tolist(), visited[1:], strict=True):
            assert float(x.mean()) == pytest.approx((1 - m) * data + m * source, abs=0.02)
            assert float(x.var()) == pytest.approx(2 * (m - m**2), rel=0.04)
        # Neighbours on the way belong together: cov = var(m') (1 - m) / (1 - m').
        pair = torch.stack([visited[1], visited[2]])
        assert float(torch.cov(pair)[0, 1]) == pytest.approx(0.5 * 0.25 / 0.5, rel=0.06)
