"""Structural similarity (Wang et al. 2004) of pictures and volumes, differentiable.

Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03: the conventions of
`learn.evaluate.metrics`. The data range is stated by the caller, never read off a picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIGMA, RADIUS = 1.5, 5
K1, K2 = 0.01, 0.03


def ssim_map(x: Tensor, y: Tensor, data_range: float) -> Tensor:
    """Similarity of every pixel, in float32.

    Parameters
    ----------
    x, y
        (N, C, H, W) or (N, C, I, J, K); channels are looked at one by one.
    data_range
        L: the range of values that counts as whole.

    Returns
    -------
    The shape of ``x``. Beyond the edge the picture is mirrored, as `scipy.ndimage` does.
    """
    x, y = x.float(), y.float()
    n = x.shape[0] * x.shape[1]
    stacked = torch.stack([x, y, x * x, y * y, x * y]).reshape(5 * n, 1, *x.shape[2:])
    mean_x, mean_y, xx, yy, xy = _blurred(stacked).reshape(5, *x.shape).unbind(0)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    top = (2 * mean_x * mean_y + c1) * (2 * (xy - mean_x * mean_y) + c2)
    spread = (xx - mean_x**2) + (yy - mean_y**2) + c2
    return top / ((mean_x**2 + mean_y**2 + c1) * spread)


def ssim(x: Tensor, y: Tensor, data_range: float, weight: Tensor | None = None) -> Tensor:
    """(N,): mean similarity of each example, over a weight of the same shape where it is given."""
    values = ssim_map(x, y, data_range).flatten(1)
    if weight is None:
        return values.mean(1)
    flat = weight.float().expand_as(x).flatten(1)
    return (values * flat).sum(1) / flat.sum(1).clamp_min(1e-6)


def _blurred(x: Tensor) -> Tensor:
    """Gaussian window along every axis of (N, 1, ...)."""
    taps = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float32, device=x.device)
    kernel = torch.exp(-0.5 * (taps / SIGMA) ** 2)
    kernel = kernel / kernel.sum()
    for axis in range(2, x.dim()):
        rows = x.movedim(axis, -1)
        flat = rows.reshape(-1, 1, rows.shape[-1])
        flat = torch.cat([flat[..., :RADIUS].flip(-1), flat, flat[..., -RADIUS:].flip(-1)], -1)
        x = F.conv1d(flat, kernel.reshape(1, 1, -1)).reshape(rows.shape).movedim(-1, axis)
    return x
