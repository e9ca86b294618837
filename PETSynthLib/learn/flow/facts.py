"""Every choice of the first `flow` bundle, in one table: it becomes ``method_config``."""

from __future__ import annotations

from typing import Any

from ...request import SCANNERS
from ..simulate.uptake import TRACERS

ATLAS_CHANNELS = 8 + len(TRACERS)
FACTS: dict[str, Any] = {
    "tracer_order": list(TRACERS),
    "scanners": list(SCANNERS),
    "suvr_scale": {"fdg": 1.0, "pib": 1.0, "florbetapir": 1.0, "flortaucipir": 1.0, "pbr28": 0.8},
    "clinical_scaling": {
        "age": [71.0, 9.0],
        "sex": [0.5, 0.5],
        "education": [15.0, 3.0],
        "mmse": [26.5, 3.5],
        "adas13": [16.5, 9.5],
        "apoe4": [0.4, 0.57],
    },
    "mean_network": {
        "image_channels": 5 + 3 + ATLAS_CHANNELS,
        "severities": 3,
        "base": 24,
        "multipliers": [1, 2, 4],
    },
    "residual_network": {"base": 16, "multipliers": [1, 2]},
    "coarse_factor": 2,
}
SPLIT = {"mean": 0.78, "residual": 0.14, "test": 0.08}
"""Shares of the anatomies: the residual and the calibration see none that the mean learnt from."""


def split(n: int) -> dict[str, list[int]]:
    """Anatomy indices by use; the seeds are independent, so the order is random already."""
    first, second = round(SPLIT["mean"] * n), round((SPLIT["mean"] + SPLIT["residual"]) * n)
    return {
        "mean": list(range(first)),
        "residual": list(range(first, second)),
        "test": list(range(second, n)),
    }
