"""Random fields on a lattice."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

FloatMap = NDArray[np.float32]
Shape = tuple[int, int, int]


def smooth_field(
    rng: np.random.Generator, nodes_mm: float, shape: Shape, spacing_mm: float, channels: int = 1
) -> FloatMap:
    """Field (channels, I, J, K) through unit normal nodes about ``nodes_mm`` apart."""
    nodes = [max(2, round(n * spacing_mm / nodes_mm) + 1) for n in shape]
    values = rng.standard_normal((1, channels, *nodes), dtype=np.float32)
    field = F.interpolate(
        torch.from_numpy(values), size=shape, mode="trilinear", align_corners=True
    )
    return np.asarray(field[0].numpy())
