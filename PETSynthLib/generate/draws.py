"""The answer of a method that only draws: mean and standard deviation are those of its draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..volume import Grid
from .atlas.forward import scanner_blur
from .bundle import Bundle
from .interface import Effort, Generated, GeneratorInput

FEWEST = 2
"""Draws that a standard deviation needs."""
SPREAD_MM = 8.0
"""Width (FWHM) over which the variance of a few draws is averaged."""
LEAST_SHARE = 1e-3

Array = NDArray[np.float32]


def seeds_of(effort: Effort, least: int) -> tuple[int, ...]:
    """One seed a draw: as many as samples are asked for, at least ``least``.

    A seed means the same picture whatever else is drawn.
    """
    return tuple(effort.seed + k for k in range(max(effort.samples, least, FEWEST)))


def spread_of(draws: Array, brain: NDArray[np.bool_], grid: Grid) -> Array:
    """Standard deviation (I, J, K) of draws (N, I, J, K), N >= 2; 0 outside the brain.

    The variance of each voxel is averaged over its neighbours in the brain (`SPREAD_MM`): of a few
    draws alone it would be mostly chance, and its root too small.
    """
    variance = draws.var(0, ddof=1).astype(np.float32) * brain
    share = scanner_blur(brain.astype(np.float32), SPREAD_MM, grid)
    mean = scanner_blur(variance, SPREAD_MM, grid) / np.maximum(share, LEAST_SHARE)
    return np.asarray(np.sqrt(mean.clip(0)) * brain, dtype=np.float32)


def answer_of(
    draws: Array,
    inputs: GeneratorInput,
    effort: Effort,
    bundle: Bundle,
    details: dict[str, Any],
) -> Generated:
    """What a generator returns of its draws.

    Parameters
    ----------
    draws
        (N, I, J, K) in SUVR, of the seeds of `seeds_of`.
    details
        What else the provenance shall say.
    """

    spread = spread_of(draws, inputs.brain.mask, inputs.t1.grid)
    return Generated(
        mean=inputs.pet(draws.mean(0)),
        sd=inputs.pet(spread, "sd"),
        samples=tuple(inputs.pet(draw, "sample") for draw in draws[: effort.samples]),
        regional_sd_factor=bundle.regional_factors(inputs),
        details={
            **details,
            "draws": len(draws),
            "seeds": [effort.seed + k for k in range(len(draws))],
        },
    )
