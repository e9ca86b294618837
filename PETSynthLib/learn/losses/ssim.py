"""Structural similarity (Wang et al. 2004) of pictures and volumes, differentiable.

Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03: the conventions of
`learn.evaluate.metrics`, at the edges too, and at any thickness: a stack of three slices has an
SSIM as well. The data range is stated by the caller, never read off a picture.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

SIGMA, RADIUS = 1.5, 5
K1, K2 = 0.01, 0.03


def ssim_map(x: Tensor, y: Tensor, data_range: float) -> Tensor:
    """Similarity of every pixel, in float32, also under autocast.

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
    with torch.autocast(x.device.type, enabled=False):
        x, y = x.float(), y.float()
        mean_x, mean_y, xx, yy, xy = _blurred(torch.stack([x, y, x * x, y * y, x * y])).unbind(0)
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


@lru_cache(maxsize=64)
def _window(extent: int) -> Tensor:
    """(extent, extent): row i holds the weights around place i; mirrored ones are added up."""
    taps = torch.arange(-RADIUS, RADIUS + 1)
    weight = torch.exp(-0.5 * (taps.double() / SIGMA) ** 2)
    place = (torch.arange(extent)[:, None] + taps) % (2 * extent)
    seen = torch.minimum(place, 2 * extent - 1 - place)
    rows = (weight / weight.sum()).expand(extent, -1)
    return torch.zeros(extent, extent, dtype=torch.float64).scatter_add(1, seen, rows).float()


def _blurred(x: Tensor) -> Tensor:
    """Gaussian window along every axis of (5, N, C, ...): one product of matrices an axis."""
    for axis in range(3, x.dim()):
        window = _window(x.shape[axis]).to(x.device)
        x = torch.tensordot(x, window, dims=([axis], [1])).movedim(-1, axis)
    return x
