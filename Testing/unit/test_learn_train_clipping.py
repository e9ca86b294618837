"""Clipping by what is usual: a freak batch cannot undo a thousand steps."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.learn.train.clipping import SETTLED, GradientClip

pytestmark = pytest.mark.torch


def gradient(norm: float) -> list[torch.nn.Parameter]:
    weight = torch.nn.Parameter(torch.zeros(4))
    weight.grad = torch.full((4,), norm / 2)
    return [weight]


def norm_of(parameters: list[torch.nn.Parameter]) -> float:
    assert parameters[0].grad is not None
    return float(parameters[0].grad.norm())


def settled(clip: GradientClip, norm: float) -> GradientClip:
    for _ in range(SETTLED):
        assert clip.clip(gradient(norm))
    return clip


def test_until_the_usual_is_known_only_the_fixed_norm_counts() -> None:
    clip = GradientClip(1.0, 3.0)
    first, second = gradient(0.01), gradient(5.0)
    clip.clip(first)
    clip.clip(second)
    assert norm_of(first) == pytest.approx(0.01)
    assert norm_of(second) == pytest.approx(1.0, rel=1e-4)


def test_a_freak_is_clipped_at_a_multiple_of_the_usual_norm() -> None:
    clip = settled(GradientClip(1.0, 3.0), 0.02)
    freak, usual = gradient(0.9), gradient(0.05)
    clip.clip(freak)
    clip.clip(usual)
    assert norm_of(freak) == pytest.approx(0.06, rel=1e-3)
    assert norm_of(usual) == pytest.approx(0.05)


def test_a_freak_does_not_become_usual_but_a_change_that_stays_does() -> None:
    clip = settled(GradientClip(1.0, 3.0), 0.02)
    clip.clip(gradient(0.9))
    assert clip.usual < 0.022
    for _ in range(2000):
        clip.clip(gradient(0.5))
    assert clip.limit == 1.0


def test_no_number_is_told_and_not_learnt() -> None:
    clip = settled(GradientClip(1.0, 3.0), 0.02)
    assert not clip.clip(gradient(float("nan")))
    assert clip.usual == pytest.approx(0.02)
    assert clip.seen == SETTLED


def test_it_goes_on_where_it_was() -> None:
    clip = settled(GradientClip(1.0, 3.0), 0.02)
    again = GradientClip(1.0, 3.0)
    again.restore(clip.state())
    assert again.limit == clip.limit == pytest.approx(0.06)
