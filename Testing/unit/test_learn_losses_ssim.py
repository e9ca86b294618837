"""SSIM as a loss: the evaluation's own numbers, at any thickness, with gradients."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.learn.evaluate.metrics import ssim_map as metric_ssim
from PETSynthLib.learn.losses.ssim import ssim, ssim_map

pytestmark = pytest.mark.torch


def pair(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator)
    return x, x + 0.2 * torch.randn(shape, generator=generator)


@pytest.mark.parametrize("shape", [(24, 22, 23), (3, 16, 12), (16, 7, 12)])
def test_it_is_the_evaluations_map_at_the_edges_and_of_thin_stacks_too(
    shape: tuple[int, ...],
) -> None:
    x, y = pair(1, 1, *shape)
    found = ssim_map(x, y, 3.0)[0, 0].numpy()
    assert np.abs(found - metric_ssim(x[0, 0].numpy(), y[0, 0].numpy(), 3.0)).max() < 1e-5


def test_equal_pictures_are_alike_and_opposite_ones_are_not() -> None:
    x, _ = pair(2, 1, 3, 12, 12)
    assert ssim(x, x, 2.0).tolist() == pytest.approx([1.0, 1.0])
    assert (ssim(x, 1 - x, 2.0) < 0).all()


def test_a_weight_says_where_it_counts() -> None:
    x, y = pair(2, 1, 16, 20)
    weight = torch.zeros(2, 1, 16, 20)
    weight[..., 10:] = 1
    y[..., :4], y[..., 4:] = 1 - x[..., :4], x[..., 4:]
    assert ssim(x, y, 1.0, weight) == pytest.approx(torch.ones(2), abs=1e-6)
    assert float(ssim(x, y, 1.0).max()) < 0.95


def test_examples_do_not_mix_and_a_slice_is_judged_too() -> None:
    x, y = pair(3, 1, 3, 16, 12)
    each = [float(ssim(x[i : i + 1], y[i : i + 1], 2.0)) for i in range(3)]
    assert ssim(x, y, 2.0).tolist() == pytest.approx(each, abs=1e-5)
    flat_x, flat_y = pair(1, 2, 16, 12)
    assert ssim(flat_x, flat_y, 2.0).shape == (1,)


def test_constant_pictures_have_the_value_of_their_means() -> None:
    # (2 a b + c1) / (a^2 + b^2 + c1), c1 = (0.01 L)^2, L = 2.
    a, b, c1 = 0.5, 0.8, 0.0004
    x, y = torch.full((1, 1, 5, 9), a), torch.full((1, 1, 5, 9), b)
    assert float(ssim(x, y, 2.0)) == pytest.approx(
        (2 * a * b + c1) / (a * a + b * b + c1), abs=1e-4
    )


def test_it_has_gradients_and_is_float32_under_autocast() -> None:
    x, y = pair(1, 1, 4, 8, 8)
    y.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        value = ssim(x.bfloat16(), y, 2.0)
    assert value.dtype is torch.float32
    value.sum().backward()
    assert y.grad is not None
    assert bool(y.grad.isfinite().all())
    assert bool(y.grad.any())
