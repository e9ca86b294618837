"""Image metrics against hand-worked values and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.learn.evaluate.metrics import CONVENTIONS, DATA_RANGE, image_metrics, ssim_map

SHAPE = (14, 15, 16)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = 1.0 + 0.3 * rng.random(SHAPE)
    brain = np.zeros(SHAPE, bool)
    brain[2:12, 2:12, 2:12] = True
    return true, true + 0.1 * rng.standard_normal(SHAPE), brain


def test_a_shift_of_a_tenth_by_hand() -> None:
    true = np.full(SHAPE, 1.0)
    brain = np.ones(SHAPE, bool)
    found = image_metrics(true, true + 0.1, brain)
    assert found["mae_suvr"] == pytest.approx(0.1)
    assert found["mse_suvr2"] == pytest.approx(0.01)
    assert found["nrmse"] == pytest.approx(0.1)
    assert found["relative_bias_percent"] == pytest.approx(10.0)
    # 10 log10(9 / .01).
    assert found["psnr_db"] == pytest.approx(29.5424, abs=1e-4)
    assert np.isnan(found["pearson_r"])


def test_what_lies_outside_the_brain_does_not_count(
    pair: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    true, made, brain = pair
    changed = np.where(brain, made, made + 5.0)
    here, there = image_metrics(true, made, brain), image_metrics(true, changed, brain)
    for metric in ("mae_suvr", "mse_suvr2", "psnr_db", "pearson_r", "relative_bias_percent"):
        assert here[metric] == there[metric]


def test_the_peak_is_never_taken_from_the_image() -> None:
    brain = np.ones(SHAPE, bool)
    dim, bright = np.full(SHAPE, 0.5), np.full(SHAPE, 2.5)
    psnr = [image_metrics(image, image + 0.1, brain)["psnr_db"] for image in (dim, bright)]
    assert psnr[0] == pytest.approx(psnr[1])


def test_dark_voxels_have_no_relative_bias() -> None:
    true = np.full(SHAPE, 1.0)
    true[:7] = 0.1
    found = image_metrics(true, true + 0.1, np.ones(SHAPE, bool))
    assert found["relative_bias_percent"] == pytest.approx(10.0)


def test_equal_images_are_perfect(pair: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    found = image_metrics(pair[0], pair[0], pair[2])
    assert found["psnr_db"] == float("inf")
    assert found["ssim_brain"] == pytest.approx(1.0)


def test_ssim_is_that_of_scikit_image(pair: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    true, made, brain = pair
    _, expected = metrics.structural_similarity(
        true, made, data_range=DATA_RANGE, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    np.testing.assert_allclose(ssim_map(true, made), expected, atol=1e-10)
    found = image_metrics(true, made, brain)
    assert found["ssim_brain"] == pytest.approx(expected[brain].mean())
    assert found["ssim_grid"] == pytest.approx(expected.mean())


def test_the_conventions_name_range_window_and_mask() -> None:
    words = " ".join(CONVENTIONS)
    for fact in ("3 SUVR", "11 x 11 x 11", "sigma 1.5", "brain mask"):
        assert fact in words
