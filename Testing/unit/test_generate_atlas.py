"""The atlas generator: hand-worked forward model, segmentation of a known brain, plausible PET."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PETSynthLib.assets import atlas_volume, reference_mask
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, Generated, GeneratorInput, load_generator
from PETSynthLib.generate.atlas.forward import (
    Tissues,
    UptakeTable,
    activity,
    deep_grey_labels,
    labels_named,
    scanner_blur,
    uptake_table,
)
from PETSynthLib.generate.atlas.segment import segment
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import simulated_tracers, tracer
from PETSynthLib.volume import CANONICAL, Volume


def a_table() -> UptakeTable:
    grey = np.zeros(86, np.float32)
    grey[1], grey[35], grey[84] = 2.0, 1.5, 1.2
    return UptakeTable(grey, white=0.5, white_cerebellum=0.8, csf=0.1)


def test_activity_is_tissue_times_uptake() -> None:
    # Voxels: cortex half grey half white; deep nucleus all white on T1; cerebellar white; CSF.
    tissues = Tissues(
        grey=np.array([[[0.5, 0.0, 0.0, 0.0]]], np.float32),
        white=np.array([[[0.5, 1.0, 1.0, 0.0]]], np.float32),
        csf=np.array([[[0.0, 0.0, 0.0, 1.0]]], np.float32),
    )
    territories = np.array([[[1, 35, 84, 1]]])
    deep = np.array([[[False, True, False, False]]])
    found = activity(tissues, territories, deep, a_table())
    assert found.ravel() == pytest.approx([0.5 * 2.0 + 0.5 * 0.5, 1.5, 0.8, 0.1])


def test_the_blur_keeps_the_total_and_has_the_stated_width() -> None:
    point = np.zeros(CANONICAL.shape, np.float32)
    point[48, 56, 48] = 1.0
    seen = scanner_blur(point, 8.0, CANONICAL)
    assert seen.sum() == pytest.approx(1.0, abs=1e-4)
    # A Gaussian falls to one half at half its FWHM: 4 mm are 2 voxels of 2 mm.
    assert seen[50, 56, 48] / seen[48, 56, 48] == pytest.approx(0.5, abs=0.02)


def test_a_misspelt_region_is_an_error_not_an_empty_list() -> None:
    assert labels_named("caudate") == [36, 77]
    with pytest.raises(KeyError, match="caudat"):
        labels_named("caudat")
    assert uptake_table({"putamen": 3.0}, 1.0)[37] == 3.0
    assert uptake_table({"putamen": 3.0}, 1.0)[0] == 0.0


def test_deep_grey_holds_the_thalamus_but_not_the_cortex() -> None:
    assert deep_grey_labels(np.array([35, 1, 84, 0])).tolist() == [True, False, False, False]


def template_t1() -> tuple[Volume, Volume]:
    t1, brain = atlas_volume("template_t1"), atlas_volume("template_brain")
    return t1.with_data(t1.data / np.percentile(t1.data[brain.mask], 97) * brain.data), brain


def test_segmentation_finds_the_tissues_it_was_not_told_where() -> None:
    # Grey and white exchanged in a slab: only the intensities can tell.
    grey, white = atlas_volume("template_gm"), atlas_volume("template_wm")
    brain = atlas_volume("template_brain")
    truth = (white.data > grey.data) & (white.data > 0.5)
    truth[40:56] = ndimage.binary_erosion(truth[40:56], iterations=1)
    noise = np.random.default_rng(0).normal(0, 0.03, truth.shape)
    csf = (grey.data + white.data) < 0.5
    image = np.where(truth, 1.0, np.where(csf, 0.25, 0.65)) + noise
    found = segment(grey.with_data((image * brain.data).clip(0)), brain)
    agree = 2 * (found.white > 0.5)[truth].sum() / ((found.white > 0.5).sum() + truth.sum())
    assert agree > 0.95
    total = found.grey + found.white + found.csf
    assert total[brain.mask] == pytest.approx(1.0, abs=1e-5)
    assert not total[~brain.mask].any()


def generate(key: str) -> Generated:
    t1, brain = template_t1()
    inputs = GeneratorInput(t1, brain, None, tracer(key), ClinicalRecord())
    return load_generator("atlas", "auto").generator.generate(inputs, Effort(), Silent())


@pytest.mark.parametrize("key", list(simulated_tracers()))
def test_the_reference_region_of_the_template_is_about_one(key: str) -> None:
    made = generate(key)
    reference = reference_mask(tracer(key).reference_region).mask
    assert made.mean.data[reference].mean() == pytest.approx(1.0, abs=0.12)
    assert made.mean.synthetic
    assert made.sd.quantity == "sd"
    assert (made.sd.data >= 0).all()


def test_fdg_is_hot_in_grey_cold_in_white_dark_in_csf() -> None:
    pet = generate("fdg").mean.data
    grey = pet[atlas_volume("template_gm").data > 0.9].mean()
    white = pet[ndimage.binary_erosion(atlas_volume("template_wm").data > 0.9)].mean()
    ventricle = pet[43:46, 66:70, 52:54].mean()
    outside = pet[~ndimage.binary_dilation(atlas_volume("template_brain").mask, iterations=6)]
    assert grey > 1.6 * white > 1.6 * ventricle
    assert outside.max() < 0.02


def test_the_atlas_draws_no_samples() -> None:
    t1, brain = template_t1()
    inputs = GeneratorInput(t1, brain, None, tracer("fdg"), ClinicalRecord())
    loaded = load_generator("atlas", "cpu")
    with pytest.raises(PETSynthError, match="draws no samples"):
        loaded.generator.generate(inputs, Effort(samples=1), Silent())
