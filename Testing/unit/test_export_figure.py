"""The figure: sides, scale, marks, and the three pictures of an exploratory tracer."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from export_case import lopsided, pet_on, record
from PIL import Image

from PETSynthLib.assets import atlas_volume
from PETSynthLib.colour_maps import BANNER_BACK, ORANGE
from PETSynthLib.export import figure as module
from PETSynthLib.export import marks
from PETSynthLib.export.figure import FigureWords, figure, figure_words
from PETSynthLib.export.figure_parts import NARROW, low_and_high
from PETSynthLib.export.planes import places
from PETSynthLib.export.policy import release
from PETSynthLib.export.record import USED, Fact
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.volume import CANONICAL, Volume

WHERE = places(NativeToTemplate(np.eye(4)))
T1 = Volume(atlas_volume("template_t1").data, CANONICAL.affine)
BRAIN = atlas_volume("template_brain").data


def drawn(key: str = "fdg", data: np.ndarray | None = None, **changes: object) -> Image.Image:
    mean = pet_on(CANONICAL, BRAIN * (lopsided() if data is None else data), key)
    sd = mean.with_data(0.1 * mean.data)
    words = figure_words(record(key, **changes))
    return Image.open(BytesIO(figure(T1, mean, sd, WHERE, words)))


def words_of(monkeypatch: pytest.MonkeyPatch, *args: object, **changes: object) -> list[str]:
    """Every text the figure draws, once each time it is drawn."""
    said: list[str] = []
    drawing: list[str] = []
    draw = module.ImageDraw.ImageDraw
    for name in ("text", "multiline_text"):
        original = getattr(draw, name)

        def spy(self, xy, text, *a, original=original, **k):
            # Pillow draws lines of text by calling itself: only the outermost call counts.
            if not drawing:
                said.append(text)
            drawing.append(text)
            original(self, xy, text, *a, **k)
            drawing.pop()

        monkeypatch.setattr(draw, name, spy)
    drawn(*args, **changes)
    monkeypatch.undo()
    return said


def test_the_banner_is_burnt_into_the_top_and_stands_in_the_text_fields():
    page = drawn()
    pixels = np.asarray(page.convert("RGB"))
    band = pixels[:40].reshape(-1, 3)
    assert (band == BANNER_BACK).all(axis=1).mean() > 0.8
    assert (band == ORANGE).all(axis=1).sum() > 300
    assert page.text["Warning"] == marks.DEMONSTRATION
    assert "SYNTHETIC" in page.text["Title"]


def test_every_pet_cell_and_tile_is_marked(monkeypatch):
    said = words_of(monkeypatch)
    # PET and fused in three planes; eight tiles.
    assert said.count(marks.WORD) == 6
    assert said.count(marks.SHORT) == 8
    assert marks.DEMONSTRATION in said
    assert any(marks.CORNER in text for text in said)
    assert marks.DO_NOT_USE in said
    assert sum("Radiological convention" in text for text in said) == 1


def test_title_names_tracer_unit_reference_and_model(monkeypatch):
    said = " ".join(words_of(monkeypatch))
    for fact in ("SYNTHETIC FDG PET", "SUVR, reference pons = 1", "model tiny 1.0"):
        assert fact in said


def test_cognition_stands_on_top_and_in_every_corner(monkeypatch):
    facts = (Fact("mmse", "MMSE", "24 points", USED),)
    said = words_of(monkeypatch, facts=facts)
    assert said[0] == marks.COGNITION
    assert sum("MMSE" in text for text in said) == 6


def test_left_of_the_patient_is_on_the_right_of_the_picture():
    data = np.ones(CANONICAL.shape, np.float32)
    data[:48] = 2.0  # left half hot
    page = np.asarray(drawn(data=data).convert("RGB")).astype(int)
    height, width = page.shape[:2]
    # The middle column is the PET: red of the hot half right of its centre, none left of it.
    middle = (width - 128) // 2
    red = (page[..., 0] > 200) & (page[..., 1] < 120) & (page[..., 2] < 60)
    rows = slice(round(0.15 * height), round(0.35 * height))
    assert red[rows, middle + 20 : middle + 120].mean() > 0.5
    assert red[rows, middle - 120 : middle - 20].mean() == 0.0


def test_an_exploratory_tracer_is_three_pictures_in_one_window(monkeypatch):
    said = words_of(monkeypatch, "pib")
    for heading in ("Low (10 %)", "Middle", "High (90 %)"):
        assert said.count(heading) == 1
        assert said.count(f"{heading}, axial, base to vertex") == 1
    assert said.count(marks.WORD) == 9
    assert marks.AMBIGUOUS in said
    assert "Fused" not in said
    assert said.count(marks.SHORT) == 24
    assert marks.AMBIGUOUS not in words_of(monkeypatch, "fdg")


def test_low_and_high_by_hand():
    grid = replace(CANONICAL, shape=(2, 1, 1))
    mean = pet_on(grid, np.array([1.0, 0.1]).reshape(2, 1, 1), "pib")
    low, high = low_and_high(mean, mean.with_data(np.full((2, 1, 1), 0.5)))
    assert low.data.ravel() == pytest.approx([1 - 0.6408, 0.0])
    assert high.data.ravel() == pytest.approx([1.6408, 0.7408])
    assert (low.quantity, high.tracer) == ("low 10 %", "pib")


def test_equal_input_gives_equal_bytes():
    mean = pet_on(CANONICAL, BRAIN)
    words = figure_words(record())
    assert figure(T1, mean, mean, WHERE, words) == figure(T1, mean, mean, WHERE, words)


def test_a_pet_on_another_grid_than_its_mri_is_refused():
    mean = pet_on(CANONICAL, BRAIN)
    elsewhere = Volume(T1.data, np.diag([2.0, 2.0, 2.0, 1.0]))
    with pytest.raises(ValueError, match="share one grid"):
        figure(elsewhere, mean, mean, WHERE, figure_words(record()))


def test_a_narrow_figure_leaves_the_mri_out_and_breaks_its_lines():
    mean = pet_on(CANONICAL, BRAIN)
    words = replace(figure_words(record()), subtitle=20 * "very long ")
    page = Image.open(BytesIO(figure(T1, mean, None, WHERE, words, NARROW)))
    assert page.width == NARROW.width
    pixels = np.asarray(page.convert("RGB")).astype(int)
    # Nothing is written across the right edge.
    assert not pixels[:300, -8:][~(pixels[:300, -8:] == BANNER_BACK).all(axis=2)].any()


def test_an_acquired_pet_is_drawn_without_any_mark_of_a_synthetic_one():
    mean = pet_on(CANONICAL, BRAIN)
    policy = release("acquired", exploratory=False)
    words = FigureWords(record().tracer, policy, "FDG PET", "SUVR", (), ("Below.",))
    page = Image.open(BytesIO(figure(T1, mean, None, WHERE, words)))
    assert page.text == {"Title": "FDG PET"}
    marked = Image.open(BytesIO(figure(T1, mean, None, WHERE, figure_words(record()))))
    orange = [(np.asarray(p.convert("RGB")) == ORANGE).all(axis=2).sum() for p in (page, marked)]
    # Only the first line of the footer is orange: no banner, no corner, no tile.
    assert orange[0] < 0.1 * orange[1]


def test_low_and_high_cannot_be_drawn_without_a_spread():
    mean = pet_on(CANONICAL, BRAIN, "pib")
    with pytest.raises(ValueError, match="standard deviation"):
        figure(T1, mean, None, WHERE, figure_words(record("pib")))
