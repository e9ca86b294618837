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
