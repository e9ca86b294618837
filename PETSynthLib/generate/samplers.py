"""Samplers of rectified flows, as pure functions with a callback.

The path is ``x_t = (1 - t) eps + t r`` with eps ~ N(0, I) at t = 0 and data r at t = 1
(Liu et al. 2023, arXiv 2209.03003); a model predicts the data end, ``r_hat = model(x_t, t)``,
so that the velocity is ``(r_hat - x_t) / (1 - t)``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Model = Callable[[torch.Tensor, float], torch.Tensor]


def sample_euler(
    model: Model,
    noise: torch.Tensor,
    times: torch.Tensor,
    callback: Callable[[int, torch.Tensor], None] | None = None,
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
    model: Callable[[torch.Tensor, int], torch.Tensor],
    noise: torch.Tensor,
    alphas: torch.Tensor,
    steps: list[int],
    eta: float = 0.0,
    generator: torch.Generator | None = None,
    callback: Callable[[int, torch.Tensor], None] | None = None,
) -> torch.Tensor:
    """Sample a diffusion model (Song et al. 2021, arXiv 2010.02502, eq. 12).

    Parameters
    ----------
    model
        ``model(x, t)`` predicts the data; ``t`` is a training step, never its place in ``steps``.
    noise
        Standard normal start.
    alphas
        (T,): share of the data's variance left after each training step.
    steps
        Falling training steps, from the noisiest; the last one lands on its prediction.
    eta
        0: deterministic; 1 with all steps: ancestral sampling.
    callback
        Called with ``(i, prediction)`` after each evaluation.
    """
    x = noise
    for i, t in enumerate(steps):
        now = float(alphas[t])
        after = float(alphas[steps[i + 1]]) if i + 1 < len(steps) else 1.0
        data = model(x, t)
        direction = (x - now**0.5 * data) / (1.0 - now) ** 0.5
        sd = eta * ((1 - after) / (1 - now) * (1 - now / after)) ** 0.5
        x = after**0.5 * data + max(1.0 - after - sd**2, 0.0) ** 0.5 * direction
        if sd > 0:
            x = x + sd * torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        if callback is not None:
            callback(i, data)
    return x


def sample_bridge(
    model: Model,
    source: torch.Tensor,
    mixed: torch.Tensor,
    variance: Callable[[torch.Tensor], torch.Tensor],
    generator: torch.Generator | None = None,
    callback: Callable[[int, torch.Tensor], None] | None = None,
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
