"""Texture, scanner and the uptake that shows given values."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nilearn")
pytestmark = pytest.mark.torch

from cohort_case import subject

from PETSynthLib.learn.cohort.anatomy import make_brain
from PETSynthLib.learn.cohort.evidence import Shown
from PETSynthLib.learn.cohort.pet import (
    Imperfection,
    acquired,
    draw_imperfection,
    texture,
    uptake_that_gives,
)
from PETSynthLib.learn.cohort.subject import brain_transfer, template_at
from PETSynthLib.learn.cohort.uptake import base_uptake
from PETSynthLib.volume import Volume

PERFECT = Imperfection(scatter=0.0, radial=0.0, noise=0.0, gain=5000.0)


def ball() -> Volume:
    """A ball of uptake 1 and radius 40 mm in the middle of a 2 mm grid."""
    axes = np.meshgrid(*[np.arange(60) - 29.5] * 3, indexing="ij")
    inside = sum((2 * a) ** 2 for a in axes) < 40**2
    return Volume(inside.astype(np.float32), np.diag([2.0, 2, 2, 1]))


class TestTexture:
    def test_it_has_mean_one_in_every_class(self) -> None:
        brain = make_brain(template_at(2.0), Shown((0.0,) * 6, 0, 0.0), np.random.default_rng(1))
        field = texture(brain, np.random.default_rng(2))
        for label in (8, 24, 76, 84):
            mine = brain.classes == label
            mean = (brain.grey * field)[mine].sum() / brain.grey[mine].sum()
            assert mean == pytest.approx(1.0, abs=1e-4)
        cortex = (brain.regions > 0) & (brain.deep == 0)
        assert 0.04 < field[cortex].std() < 0.16
        # The part that follows the thickness of the cortex is there to be learnt.
        assert np.corrcoef(field[cortex], brain.thickness[cortex])[0, 1] > 0.2

    def test_the_image_measures_what_k_u_says(self) -> None:
        oracle = subject().oracle
        off = oracle.measured / oracle.truth - 1
        assert np.abs(off).max() < 0.04
        assert np.median(np.abs(off)) < 0.008


class TestAcquisition:
    def test_a_perfect_scanner_multiplies_by_the_gain(self) -> None:
        seen = acquired(ball(), PERFECT, np.random.default_rng(0))
        assert seen.data == pytest.approx(5000 * ball().data, rel=1e-3)

    def test_scatter_adds_its_share_of_the_mean_inside(self) -> None:
        seen = acquired(ball(), Imperfection(0.05, 0.0, 0.0, 1000.0), np.random.default_rng(0))
        assert seen.data[30, 30, 30] == pytest.approx(1050, rel=2e-3)

    def test_sensitivity_falls_towards_the_rim(self) -> None:
        seen = acquired(ball(), Imperfection(0.0, 0.05, 0.0, 1000.0), np.random.default_rng(0))
        # 38 mm off the axis: 1 - 0.05 * (0.39^2 + 0.01^2).
        x = (49 - 29.5) * 2 / 100
        expected = 1000 * (1 - 0.05 * (x**2 + 0.01**2))
        assert seen.data[49, 30, 30] == pytest.approx(expected, rel=2e-3)

    def test_noise_has_the_stated_size(self) -> None:
        seen = acquired(ball(), Imperfection(0.0, 0.0, 0.06, 1000.0), np.random.default_rng(0))
        inside = ball().mask
        assert seen.data[inside].std() / seen.data[inside].mean() == pytest.approx(0.06, rel=0.1)
        assert not seen.data[0].any()

    def test_carbon_is_noisier(self) -> None:
        fluorine, carbon = (
            draw_imperfection(c, np.random.default_rng(1)).noise for c in (False, True)
        )
        assert carbon == pytest.approx(1.4 * fluorine)


def test_any_regional_values_can_be_shown_through_any_anatomy() -> None:
    brain = make_brain(
        template_at(2.0), Shown((0.5, 0.1, 0.0, 0.0, 0.4, 0.3), 0, 0.0), np.random.default_rng(3)
    )
    own = brain_transfer(brain, 7.0)
    wanted = (1.3 + 0.2 * np.sin(np.arange(86))).astype(np.float32)
    wanted[83:] = 1.1
    fitted = uptake_that_gives(wanted, base_uptake("fdg"), own, 0)
    shown = own.by_label @ fitted / (own.reference[0] @ fitted)
    assert (fitted >= 0).all()
    assert np.median(np.abs(shown[1:] / wanted[1:] - 1)) < 0.002
