"""Samplers of flows, diffusions and bridges, as pure functions with a callback.

A model always predicts the data end, whatever its network says.

**Flows** (`sample_euler`): ``x_t = (1 - t) eps + t r`` with eps ~ N(0, I) at t = 0 and data r at
t = 1 (Liu et al. 2023, arXiv 2209.03003); the velocity is ``(r_hat - x_t) / (1 - t)``.

**Diffusions** (`sample_ddim`, `sample_solver`): ``x_t = sqrt(a_t) r + sqrt(1 - a_t) eps`` with a
schedule ``a`` (T,) of `schedules`. The model is asked of falling steps, each of which it was
trained on; behind the last one lies the data end itself.

**Bridges** (`sample_bridge`): ``x_m ~ N((1 - m) r + m source, variance(m))``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

Model = Callable[[torch.Tensor, float], torch.Tensor]
StepModel = Callable[[torch.Tensor, int], torch.Tensor]
Callback = Callable[[int, torch.Tensor], None]
"""Is told ``(i, r_hat)`` after each evaluation."""


def sample_euler(
    model: Model,
    noise: torch.Tensor,
    times: torch.Tensor,
    callback: Callback | None = None,
) -> torch.Tensor:
    """Integrate the flow from ``noise`` along ``times`` by Euler steps.

    Parameters
    ----------
    model
        ``model(x, t)`` predicts the data end r (same shape as x).
    noise
        Standard normal start, any shape.
    times
        Increasing times (N + 1,) from 0 to 1; the last step lands on the prediction itself.
    callback
        Called with ``(i, r_hat)`` after each evaluation.
    """
    x = noise
    for i, (t, after) in enumerate(zip(times[:-1].tolist(), times[1:].tolist(), strict=True)):
        data = model(x, t)
        x = x + (after - t) * (data - x) / (1.0 - t)
        if callback is not None:
            callback(i, data)
    return x


def sample_ddim(
    model: StepModel,
    noise: torch.Tensor,
    alphas: torch.Tensor,
    steps: list[int],
    eta: float = 0.0,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
) -> torch.Tensor:
    """Sample a diffusion (Song et al. 2021, arXiv 2010.02502, eq. 12).

    Parameters
    ----------
    model
        ``model(x, t)`` predicts the data (same shape as x); ``t`` is a step of the training, never
        its place in ``steps``.
    noise
        Standard normal start, any shape.
    alphas
        The schedule (T,).
    steps
        Falling steps to ask the model of; the last one lands on its prediction.
    eta
        0: without chance (DDIM), the same noise gives the same picture. 1: with all the chance of
        the reverse process, which is DDPM (Ho et al. 2020, the smaller of their two variances).
    generator
        Of the CPU; draws that chance.
    """
    x, shares = noise, [*alphas[steps].tolist(), 1.0]
    for i, t in enumerate(steps):
        now, after = shares[i], shares[i + 1]
        data = model(x, t)
        sd = eta * ((1 - after) / (1 - now) * (1 - now / after)) ** 0.5
        x = ddim_step(x, data, now, after, sd)
        if sd > 0:
            fresh = torch.randn(x.shape, generator=generator, dtype=x.dtype)
            x = x + sd * fresh.to(x.device)
        if callback is not None:
            callback(i, data)
    return x


def ddim_step(
    x: torch.Tensor, data: torch.Tensor, now: float, after: float, sd: float = 0.0
) -> torch.Tensor:
    """One step from the share ``now`` to ``after`` of the data's variance, before fresh noise.

    Parameters
    ----------
    x, data
        State and predicted data end, one shape.
    after
        1 is the data end.
    sd
        Of the fresh noise that will be added.
    """
    noise = (x - math.sqrt(now) * data) / math.sqrt(1.0 - now)
    kept = math.sqrt(max(1.0 - after - sd**2, 0.0))
    return math.sqrt(after) * data + kept * noise


def sample_solver(
    model: StepModel,
    noise: torch.Tensor,
    alphas: torch.Tensor,
    steps: list[int],
    callback: Callback | None = None,
) -> torch.Tensor:
    """Sample a diffusion without chance in few steps: DPM-Solver++(2M) (Lu et al. 2022).

    Of second order (arXiv 2211.01095): each step after the first extrapolates the data end from the
    two last predictions. The step onto the data end is of first order. Parameters as in
    `sample_ddim`; `schedules.even_snr_steps` suits it.
    """
    x, shares = noise, [*alphas[steps].tolist(), 1.0]
    before: torch.Tensor | None = None
    length_before = 0.0
    for i, t in enumerate(steps):
        now, after = shares[i], shares[i + 1]
        data = model(x, t)
        if after == 1.0:
            x = data
        else:
            length = _log_snr(after) - _log_snr(now)
            aim = data
            if before is not None:
                aim = data + 0.5 * length / length_before * (data - before)
            scale = math.sqrt((1.0 - after) / (1.0 - now))
            x = scale * x - math.sqrt(after) * math.expm1(-length) * aim
            before, length_before = data, length
        if callback is not None:
            callback(i, data)
    return x


def _log_snr(share: float) -> float:
    """Half the logarithm of the ratio of signal to noise."""
    return 0.5 * math.log(share / (1.0 - share))


def sample_bridge(
    model: Model,
    source: torch.Tensor,
    mixed: torch.Tensor,
    variance: Callable[[torch.Tensor], torch.Tensor],
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
) -> torch.Tensor:
    """Sample a Brownian bridge from ``source`` to the data (Li et al. 2023, arXiv 2205.07680).

    ``x_m ~ N((1 - m) data + m source, variance(m))``. Each step draws from the bridge's own law
    of the earlier point, given the present one and the predicted data.

    Parameters
    ----------
    model
        ``model(x, m)`` predicts the data.
    mixed
        Falling m from 1 (source) to 0 (data).
    variance
        Of the bridge at m.
    """
    x, wide = source, variance(mixed.double())
    for i, (m, after) in enumerate(zip(mixed[:-1].tolist(), mixed[1:].tolist(), strict=True)):
        data = model(x, m)
        now, then = float(wide[i]), float(wide[i + 1])
        mean = (1 - after) * data + after * source
        spread = then
        if now > 0 and then > 0:
            gained = now - then * ((1 - m) / (1 - after)) ** 2
            spread = then * gained / now
            mean = mean + (1 - m) / (1 - after) * then / now * (x - (1 - m) * data - m * source)
        x = mean
        if spread > 0:
            grain = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
            x = x + spread**0.5 * grain
        if callback is not None:
            callback(i, data)
    return x
