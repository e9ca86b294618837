"""Random fields and blurring on a lattice, the small tools of the simulator."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


def smooth_field(
    rng: np.random.Generator,
    nodes: tuple[int, int, int],
    shape: tuple[int, int, int],
    channels: int = 1,
) -> torch.Tensor:
    """Gaussian field (channels, I, J, K): unit normal nodes, linear in between."""
    values = torch.as_tensor(rng.normal(size=(1, channels, *nodes)), dtype=torch.float32)
    return F.interpolate(values, size=shape, mode="trilinear", align_corners=True)[0]


def blur(volumes: torch.Tensor, sigma: tuple[float, float, float]) -> torch.Tensor:
    """Separable Gaussian of ``sigma`` voxels an axis on (C, I, J, K), zero outside."""
    out = volumes[:, None]
    for axis, s in enumerate(sigma):
        if s < 0.15:
            continue
        radius = max(1, int(3 * s + 0.5))
        x = torch.arange(-radius, radius + 1, dtype=torch.float32)
        kernel = torch.exp(-x * x / (2 * s * s))
        kernel = kernel / kernel.sum()
        shape, padding = [1, 1, 1, 1, 1], [0, 0, 0]
        shape[2 + axis], padding[axis] = len(kernel), radius
        out = F.conv3d(out, kernel.reshape(shape), padding=padding)
    return out[:, 0]
