"""What the MRI added, as a picture: the right difference, the right side, every mark."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from export_case import pet_on, record
from PIL import Image

from PETSynthLib.assets import atlas_volume
from PETSynthLib.export import figure_parts
from PETSynthLib.export.figure import figure_words
from PETSynthLib.export.figure_parts import NARROW, WIDE, difference_scale
from PETSynthLib.export.planes import places
from PETSynthLib.export.report_difference import difference_pictures, smoothed_difference
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, Grid, Volume

WHERE = places(NativeToTemplate(np.eye(4)))
T1 = Volume(atlas_volume("template_t1").data, CANONICAL.affine)
BRAIN = atlas_volume("template_brain").data
MEAN = pet_on(CANONICAL, BRAIN)


def small(data: np.ndarray, spacing: float = 2.0):
    """A PET on a cube."""
    return pet_on(Grid(data.shape, np.diag([spacing, spacing, spacing, 1.0])), data)


def test_a_difference_that_is_the_same_everywhere_stays_what_it_is_up_to_the_edge():
    data = np.zeros((30, 30, 30), np.float32)
    data[5:25, 5:25, 5:25] = 1.3
    found = smoothed_difference(small(data), small(np.where(data > 0, 1.0, 0.0).astype("f4")))
    assert np.allclose(found.data[data > 0], 0.3, atol=1e-4)
    assert not found.data[data == 0].any()


@pytest.mark.parametrize("spacing", [1.0, 2.0])
def test_a_difference_smaller_than_the_smoothing_fades(spacing):
    n = round(60 / spacing)
    one = np.ones((n, n, n), np.float32)
    bright = one.copy()
    bright[n // 2, n // 2, n // 2] += 1.0
    found = smoothed_difference(small(bright, spacing), small(one, spacing)).data
    # A point of 1 in a voxel of v mm3 under a Gaussian of 12 mm: v / (2 pi s2)^1.5.
    s = 12.0 / np.sqrt(8.0 * np.log(2.0))
    assert found.max() == pytest.approx(spacing**3 / (2 * np.pi * s**2) ** 1.5, rel=0.2, abs=2e-5)


def test_what_only_one_of_both_shows_is_no_difference():
    data = np.ones((20, 20, 20), np.float32)
    half = data.copy()
    half[:10] = 0.0
    assert not smoothed_difference(small(data), small(half)).data.any()


def test_less_on_the_left_is_blue_on_the_right_of_the_picture():
    data = BRAIN.astype(np.float32).copy()
    data[:44] *= 0.8  # x < -7 mm: the left half
    (wide,) = difference_pictures(
        T1, MEAN.with_data(data), None, MEAN, WHERE, figure_words(record()), layouts=(WIDE,)
    )
    page = np.asarray(Image.open(BytesIO(wide)).convert("RGB")).astype(int)
    cell = (WIDE.columns - 20) // 3
    left = WIDE.margin + 2 * (cell + 10)
    axial = page[60:440, left : left + cell]
    blue = (axial[..., 2] > 120) & (axial[..., 0] < 100)
    assert blue[:, cell // 2 + 20 :].sum() > 5000
    assert blue[:, : cell // 2 - 20].sum() == 0


@pytest.mark.parametrize(
    ("key", "headings"),
    [
        ("fdg", ["PET", "Age/sex mean", "PET - mean"]),
        ("pib", ["Age/sex mean", "Low - mean", "Middle - mean", "High - mean"]),
    ],
)
def test_headings_and_a_mark_on_every_plane(monkeypatch, key, headings):
    said: list[str] = []
    draw = figure_parts.ImageDraw.ImageDraw
    for name in ("text", "multiline_text"):
        original = getattr(draw, name)

        def spy(self, xy, text, *a, original=original, **k):
            said.append(text)
            original(self, xy, text, *a, **k)

        monkeypatch.setattr(draw, name, spy)
    mean = pet_on(CANONICAL, BRAIN, key)
    words = figure_words(record(key))
    sd = mean.with_data(0.1 * mean.data)
    difference_pictures(T1, mean, sd, mean, WHERE, words, layouts=(NARROW,))
    assert [text for text in said if text in headings] == headings
    assert said.count("SYNTHETIC") >= 3 * len(headings)
    assert said.count("R") == said.count("L") == 2 * len(headings)


def test_the_scale_is_as_wide_above_as_below_and_follows_the_tracer():
    assert difference_scale(tracer("fdg")).window == (-0.3, 0.3)
    assert difference_scale(tracer("pbr28")).window == (-0.1, 0.1)


def test_an_exploratory_tracer_is_never_shown_by_its_middle_alone():
    mean = pet_on(CANONICAL, BRAIN, "pib")
    with pytest.raises(ValueError, match="standard deviation"):
        difference_pictures(T1, mean, None, mean, WHERE, figure_words(record("pib")))


def test_volumes_of_different_grids_are_refused():
    elsewhere = replace(MEAN, affine=np.diag([2.0, 2.0, 2.0, 1.0]))
    with pytest.raises(ValueError, match="share one grid"):
        difference_pictures(T1, MEAN, None, elsewhere, WHERE, figure_words(record()))
