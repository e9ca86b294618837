"""Smoothness: a known blur is found, a sharp picture is brought to it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PETSynthLib.checks import Verdict
from PETSynthLib.normative.smoothness import residual_fwhm, smoothness_finding, to_fwhm
from PETSynthLib.quantify.gtm import FWHM_PER_SIGMA
from PETSynthLib.volume import Volume

MASK = np.zeros((60, 60, 60), bool)
MASK[5:-5, 5:-5, 5:-5] = True


def noise(fwhm_mm: float, spacing: float = 2.0, seed: int = 0) -> np.ndarray:
    """White noise behind a blur."""
    white = np.random.default_rng(seed).standard_normal(MASK.shape)
    return ndimage.gaussian_filter(white, fwhm_mm / FWHM_PER_SIGMA / spacing)


@pytest.mark.parametrize("fwhm", [6.0, 8.0, 12.0])
def test_the_blur_of_noise_is_found(fwhm: float) -> None:
    assert residual_fwhm(noise(fwhm), MASK, 2.0) == pytest.approx(fwhm, rel=0.05)


def test_height_and_offset_do_not_matter() -> None:
    one = residual_fwhm(noise(8.0), MASK, 2.0)
    assert residual_fwhm(7.0 + 0.01 * noise(8.0), MASK, 2.0) == pytest.approx(one, rel=1e-6)


def test_a_sharp_picture_is_brought_to_the_wanted_smoothness() -> None:
    sharp = Volume(noise(6.0), np.diag([2.0, 2.0, 2.0, 1.0]))
    made = to_fwhm(sharp, 6.0, 10.0)
    assert residual_fwhm(made.data, MASK, 2.0) == pytest.approx(10.0, rel=0.06)


def test_nothing_is_sharpened() -> None:
    with pytest.raises(ValueError, match="cannot be brought"):
        to_fwhm(Volume(noise(8.0), np.eye(4)), 8.0, 6.0)


def test_what_was_done_is_said() -> None:
    assert "as smooth as" in smoothness_finding(8.5, 8.0).sentence
    assert "was blurred" in smoothness_finding(6.0, 8.0).sentence
    smoother = smoothness_finding(11.0, 8.0)
    assert smoother.verdict is Verdict.AMBER
    assert smoother.value == 3.0
