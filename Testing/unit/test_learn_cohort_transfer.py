"""K u is what one measures on the blurred image: checked on a toy brain."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.assets import REFERENCE_BITS
from PETSynthLib.learn.cohort.transfer import Transfer, psf, transfer
from PETSynthLib.learn.cohort.uptake import CLASSES, CSF, LESION, WHITE, WHITE_CEREBELLUM
from PETSynthLib.learn.regions import LABELS, region_index, regional_means

SHAPE = (24, 20, 16)
FWHM_MM, SPACING_MM = 6.0, 2.0
RNG = np.random.default_rng(0)

CLASS_MAP = np.ones(SHAPE, np.uint8)
CLASS_MAP[12:] = 24
CLASS_MAP[:, :6] = 84
GREY = RNG.random(SHAPE).astype(np.float32)
REGIONS = np.where(GREY > 0.4, CLASS_MAP, 0).astype(np.uint8)
FRACTIONS = {
    WHITE: (1 - GREY) * 0.7,
    WHITE_CEREBELLUM: np.zeros(SHAPE, np.float32),
    CSF: (1 - GREY) * 0.3,
    LESION: np.zeros(SHAPE, np.float32),
}
REFERENCES = dict.fromkeys(REFERENCE_BITS, CLASS_MAP == 84)


@pytest.fixture(scope="module")
def toy() -> Transfer:
    return transfer(CLASS_MAP, FRACTIONS, GREY, REGIONS, REFERENCES, FWHM_MM, SPACING_MM)


def test_k_u_equals_the_regional_means_of_the_blurred_image(toy: Transfer) -> None:
    u = RNG.uniform(0.2, 2.0, CLASSES).astype(np.float32)
    image = GREY * u[CLASS_MAP] + sum(u[c] * f for c, f in FRACTIONS.items())
    seen = psf(image.astype(np.float32), FWHM_MM, SPACING_MM)
    measured = regional_means(REGIONS, seen) / seen[CLASS_MAP == 84].mean(dtype=np.float64)
    predicted = toy.law.suvr(0, u[None])[0]
    there = np.isfinite(measured)
    assert there[region_index("bankssts.L")]
    assert there[region_index("precuneus.L")]
    assert predicted[there] == pytest.approx(measured[there], rel=1e-4)
    assert np.isnan(predicted[~there]).all()


def test_a_gain_cancels(toy: Transfer) -> None:
    u = RNG.uniform(0.2, 2.0, (1, CLASSES)).astype(np.float32)
    one, ten = toy.law.suvr(3, u), toy.law.suvr(3, 10 * u)
    assert ten == pytest.approx(one, rel=1e-5, nan_ok=True)


def test_what_leaves_a_region_arrives_in_another(toy: Transfer) -> None:
    # Away from the border every voxel's classes are whole, so a row of K sums to about 1.
    deep = psf(np.ones(SHAPE, np.float32), FWHM_MM, SPACING_MM)
    share = regional_means(REGIONS, deep)[region_index("precuneus.L")]
    row = toy.law.regions[region_index("precuneus.L")]
    assert row.sum() == pytest.approx(share, rel=1e-4)
    assert (toy.by_label[24] >= 0).all()
    assert toy.voxels[24] == (REGIONS == 24).sum()
    assert len(toy.voxels) == LABELS
