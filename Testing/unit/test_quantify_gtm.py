"""Partial-volume correction gives back what was blurred, and knows when it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PETSynthLib.errors import PETSynthError
from PETSynthLib.quantify.gtm import FWHM_PER_SIGMA, gtm, transfer_matrix, with_remainder
from PETSynthLib.volume import Volume

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
FWHM = 6.0


def head() -> np.ndarray:
    """Label map: a shell of cortex (1) around white matter (2), a nucleus (3) inside, 0 outside."""
    x, y, z = np.indices((40, 40, 40)) - 19.5
    radius = np.sqrt(x**2 + y**2 + z**2)
    labels = np.where(radius < 16, 1, 0)
    labels[radius < 13] = 2
    labels[np.sqrt((x - 3) ** 2 + y**2 + z**2) < 4] = 3
    return labels


def blurred(labels: np.ndarray, uptake: list[float]) -> Volume:
    sharp = np.array(uptake)[labels]
    return Volume(ndimage.gaussian_filter(sharp, FWHM / FWHM_PER_SIGMA / 2.0), AFFINE)


def test_the_uptake_before_the_blur_comes_back() -> None:
    uptake = [0.0, 2.0, 0.7, 1.5]
    found = gtm(blurred(head(), uptake), Volume(head(), AFFINE), FWHM)
    assert found.observed[1] < 1.6, "the shell loses uptake to the outside"
    assert found.corrected == pytest.approx(uptake, abs=0.005)
    assert found.value(3) == pytest.approx(1.5, abs=0.005)


def test_without_contrast_nothing_changes() -> None:
    found = gtm(blurred(head(), [1.0, 1.0, 1.0, 1.0]), Volume(head(), AFFINE), FWHM)
    assert found.corrected == pytest.approx(found.observed, abs=1e-5)


def test_two_halves_of_a_line_mix_as_the_blur_says() -> None:
    # Two halves of a long bar: the share lost across the border is sigma / sqrt(2 pi) / length.
    index = np.zeros((40, 1, 1), int)
    index[20:] = 1
    matrix = transfer_matrix(index, np.array([20.0, 20.0]), np.array([2.0, 1e-6, 1e-6]))
    lost = 2.0 / np.sqrt(2 * np.pi) / 20.0
    assert matrix[0, 1] == pytest.approx(lost, rel=0.03), "voxels have edges: 2 % less"
    assert matrix.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_brain_in_no_region_becomes_a_region() -> None:
    labels = Volume(np.array([0.0, 0.0, 5.0]).reshape(3, 1, 1), np.eye(4))
    brain = Volume(np.array([0.0, 1.0, 1.0]).reshape(3, 1, 1), np.eye(4))
    assert with_remainder(labels, brain).data.ravel().tolist() == [0.0, 6.0, 5.0]


def test_a_blur_that_cannot_be_undone_is_refused() -> None:
    stripes = (np.indices((24, 24, 24)).sum(axis=0) % 4).astype(float)
    with pytest.raises(PETSynthError, match="too small to undo"):
        gtm(Volume(stripes, AFFINE), Volume(stripes, AFFINE), 20.0)


def test_another_grid_and_no_blur_are_refused() -> None:
    labels = Volume(head(), AFFINE)
    with pytest.raises(ValueError, match="one grid"):
        gtm(Volume(head(), np.eye(4)), labels, FWHM)
    with pytest.raises(ValueError, match="positive"):
        gtm(labels, labels, 0.0)
