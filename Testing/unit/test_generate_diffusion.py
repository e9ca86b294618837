"""The path of a diffusion, whatever its network says, against closed forms."""

from __future__ import annotations

from typing import get_args

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.diffusion import Diffusion, Says
from PETSynthLib.generate.schedules import linear_alphas, scaled_linear_alphas

pytestmark = pytest.mark.torch

ALPHAS, RELA = linear_alphas(1000), scaled_linear_alphas(1000)
T = torch.tensor([10, 500, 990])


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures and noise (3, 1, 4, 4, 4)."""
    generator = torch.Generator().manual_seed(3)
    clean, noise = torch.randn(2, 3, 1, 4, 4, 4, generator=generator, dtype=torch.float64)
    return clean, noise


def test_the_path_has_the_schedules_shares_of_picture_and_noise() -> None:
    path = Diffusion(torch.tensor([0.64, 0.36]), "clean")
    x = path.noisy(torch.tensor([[2.0], [2.0]]), torch.tensor([[5.0], [5.0]]), torch.tensor([0, 1]))
    assert x.flatten().tolist() == pytest.approx([0.8 * 2 + 0.6 * 5, 0.6 * 2 + 0.8 * 5])
    assert path.total == 2


def test_bfloat16_pictures_have_a_path_of_float32() -> None:
    path = Diffusion(ALPHAS, "epsilon")
    clean, noise = (v.bfloat16() for v in pair())
    x = path.noisy(clean, noise, T)
    assert x.dtype is torch.float32
    assert torch.allclose(x.double(), path.noisy(clean.double(), noise.double(), T), atol=1e-6)


@pytest.mark.parametrize("says", get_args(Says))
def test_a_network_that_says_what_it_shall_gives_picture_and_noise_back(says: Says) -> None:
    path = Diffusion(ALPHAS, says)
    clean, noise = pair()
    x, wanted = path.noisy(clean, noise, T), path.wanted(clean, noise, T)
    assert torch.allclose(path.clean(x, wanted, T), clean, atol=1e-9)
    assert torch.allclose(path.epsilon(x, wanted, T), noise, atol=1e-9)


def test_what_it_shall_say_is_the_picture_the_noise_or_their_mixture() -> None:
    clean, noise = pair()
    assert torch.equal(Diffusion(ALPHAS, "clean").wanted(clean, noise, T), clean)
    assert torch.equal(Diffusion(ALPHAS, "epsilon").wanted(clean, noise, T), noise)
    a = ALPHAS[500]
    mixed = a.sqrt() * noise[1] - (1 - a).sqrt() * clean[1]
    assert torch.allclose(Diffusion(ALPHAS, "v").wanted(clean, noise, T)[1], mixed)


def test_an_error_of_the_noise_reaches_the_picture_multiplied_and_one_of_v_does_not() -> None:
    t = torch.tensor([800, 999])
    _, factor = Diffusion(RELA, "epsilon").amplification(t)
    assert factor.tolist() == pytest.approx([9.23, 48.3], rel=0.01)  # the specification's 9 and 48
    assert all((part <= 1).all() for part in Diffusion(RELA, "v").amplification(t))
    reverse, _ = Diffusion(RELA, "clean").amplification(t)
    assert torch.allclose(reverse * factor, torch.ones(2))
    # And it is the truth: the slope of the picture in what the network says.
    diffusion, said = Diffusion(RELA, "epsilon"), torch.zeros(2, 1, requires_grad=True)
    diffusion.clean(torch.ones(2, 1), said, t).sum().backward()
    assert said.grad is not None
    assert torch.allclose(said.grad[:, 0].abs(), factor, rtol=1e-4)
