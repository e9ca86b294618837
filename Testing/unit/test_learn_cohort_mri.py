"""T1 and FLAIR of a simulated brain."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nilearn")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort.anatomy import Brain, make_brain
from PETSynthLib.learn.cohort.evidence import Shown
from PETSynthLib.learn.cohort.mri import (
    flair_map,
    slice_blur,
    slice_thickness,
    t1_map,
    with_noise,
)
from PETSynthLib.learn.cohort.subject import template_at
from PETSynthLib.learn.cohort.uptake import CSF, LESION, WHITE
from PETSynthLib.volume import Volume


@pytest.fixture(scope="module")
def brain() -> Brain:
    shown = Shown((0.0, 0.0, 0.0, 0.0, 0.2, 1.4), 0, 0.0)
    return make_brain(template_at(2.0), shown, np.random.default_rng(1))


def means(brain: Brain, image: np.ndarray) -> dict[str, float]:
    pure = {
        "white": brain.fractions[WHITE] > 0.95,
        "grey": (brain.grey > 0.95) & (brain.deep == 0),
        "csf": brain.fractions[CSF] > 0.95,
        "lesion": brain.fractions[LESION] > 0.8,
    }
    return {name: float(image[mask].mean()) for name, mask in pure.items()}


def test_a_t1_is_brightest_in_white_and_darkest_in_fluid(brain: Brain) -> None:
    for seed in range(3):
        seen = means(brain, t1_map(brain, 1.0, np.random.default_rng(seed)))
        assert seen["white"] > 1.2 * seen["grey"] > 1.2 * seen["csf"]
        assert seen["lesion"] < seen["white"]


def test_a_flair_shows_lesions_brightest_and_fluid_dark(brain: Brain) -> None:
    seen = means(brain, flair_map(brain, np.random.default_rng(0)))
    assert seen["lesion"] > seen["grey"] > seen["white"] > seen["csf"]


def test_the_planted_group_has_fifteen_percent_less_contrast(brain: Brain) -> None:
    full, low = (means(brain, t1_map(brain, c, np.random.default_rng(5))) for c in (1.0, 0.85))
    ratio = (low["white"] - low["grey"]) / (full["white"] - full["grey"])
    assert ratio == pytest.approx(0.85, abs=0.03)


def test_thick_slices_blur_their_axis_only() -> None:
    point = np.zeros((21, 21, 21), np.float32)
    point[10, 10, 10] = 1.0
    seen = slice_blur(point, (1.0, 1.0, 3.0), 1.0)
    z = np.arange(21) - 10.0
    # A box of 3 mm less one of 1 mm: (9 - 1) / 12.
    assert float((seen.sum((0, 1)) * z**2).sum()) == pytest.approx(8 / 12, rel=0.1)
    assert seen[9].sum() == 0


def test_a_third_of_the_scans_have_thick_slices() -> None:
    rng = np.random.default_rng(2)
    sizes = np.array([slice_thickness(rng) for _ in range(600)])
    assert (sizes.max(1) >= 2).mean() == pytest.approx(0.33, abs=0.06)
    assert np.sort(sizes, 1)[:, :2].max() <= 1.1


def test_noise_is_rician_and_stays_inside() -> None:
    image = Volume(np.ones((30, 30, 30)), np.eye(4))
    inside = image.with_data(np.arange(30)[:, None, None] < 15 + 0 * image.data)
    seen = with_noise(image, inside, 0.05, np.random.default_rng(3)).data
    assert not seen[15:].any()
    # Rician mean: 1 + sd^2 / 2 to first order, in thousandths.
    assert seen[:15].mean() == pytest.approx(1001.25, abs=2)
    assert seen[:15].std() == pytest.approx(50, rel=0.05)
