"""Rows and page: what is painted, what stays grey, marks, bars and bad input."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from PETSynthLib.project.page import (
    DECREASE,
    INCREASE,
    NARROW,
    PAGE,
    PageText,
    pdf,
    png,
    render_page,
    z_rows,
)
from PETSynthLib.project.paint import Row, anatomy_row, paint
from PETSynthLib.project.surface import surfaces

COUNT = len(surfaces()["L"].vertices)
TEXT = PageText("SSP", mark="SYNTHETIC", banner=("Read me first.",))


def flat(value: float, kind: str = "z", **more: object) -> Row:
    """One value everywhere."""
    return Row("X", np.full(COUNT, value), np.full(COUNT, value), kind, **more)


def coloured(picture: Image.Image) -> np.ndarray:
    """Pixels that are not grey."""
    pixels = np.asarray(picture).astype(int)
    return np.ptp(pixels, axis=2) > 12


class TestPaint:
    @pytest.mark.parametrize("z", [-4.0, 0.0, 0.99, float("nan")])
    def test_below_one_the_surface_stays_grey(self, z: float) -> None:
        assert not coloured(paint(flat(z), "SUP", "classic")).any()

    def test_z_of_five_is_red_and_of_three_green(self) -> None:
        red = np.asarray(paint(flat(5.0), "RT.LAT", "classic"))[130, 120]
        green = np.asarray(paint(flat(3.0), "RT.LAT", "classic"))[130, 120]
        assert red.argmax() == 0
        assert green.argmax() == 1

    def test_z_never_covers_the_medial_wall(self) -> None:
        lateral, medial = (coloured(paint(flat(5.0), n, "classic")) for n in ("RT.LAT", "RT.MED"))
        assert 0.1 < 1.0 - medial.sum() / lateral.sum() < 0.5

    def test_uptake_covers_everything_that_shows_brain(self) -> None:
        uptake = paint(flat(1.5, "uptake", window=(0.0, 2.0)), "RT.MED", "classic")
        brain = np.asarray(paint(anatomy_row(), "RT.MED", "classic")).max(axis=2) > 60
        assert coloured(uptake)[brain].mean() > 0.97

    def test_the_anatomy_is_grey(self) -> None:
        assert not coloured(paint(anatomy_row(), "ANT", "classic")).any()

    def test_hatching_lies_where_the_mask_is_and_nowhere_else(self) -> None:
        nowhere, left = np.zeros(COUNT, bool), np.ones(COUNT, bool)
        plain = np.asarray(paint(flat(4.0), "SUP", "classic")).astype(int)
        hatched = paint(flat(4.0, hatched=(left, nowhere)), "SUP", "classic")
        changed = np.abs(np.asarray(hatched).astype(int) - plain).max(axis=2) > 20
        middle = changed.shape[1] // 2
        assert changed[:, : middle - 4].mean() > 0.1, "image-left is the patient's left"
        assert not changed[:, middle + 4 :].any()

    def test_the_uniform_palette_brightens_steadily(self) -> None:
        light = [
            np.asarray(paint(flat(z), "SUP", "uniform").convert("L")).astype(float).mean()
            for z in (1.5, 2.5, 3.5, 4.5)
        ]
        assert light == sorted(light)


class TestPage:
    def test_has_a_strip_of_equal_height_for_every_row(self) -> None:
        one, three = (render_page([flat(2.0)] * n, TEXT) for n in (1, 3))
        two = render_page([flat(2.0)] * 2, TEXT)
        assert one.width == two.width == three.width == PAGE.width
        assert three.height - two.height == two.height - one.height > 200

    def test_the_mark_is_burnt_into_pictures_and_absent_without(self) -> None:
        rows = [flat(0.0)]
        marked = np.asarray(render_page(rows, PageText("T", mark="SYNTHETIC"))).astype(int)
        clean = np.asarray(render_page(rows, PageText("T"))).astype(int)
        bar = PAGE.width - 150  # left of the colour bar nothing else is coloured
        orange = (marked[..., 0] > 200) & (marked[..., 2] < 110)
        assert orange[:, :bar].sum() > 8 * 100
        assert not ((clean[..., 0] > 200) & (clean[..., 2] < 110))[:, :bar].any()

    def test_the_png_carries_title_and_mark_in_its_text(self) -> None:
        text = Image.open(BytesIO(png(render_page([flat(2.0)], TEXT), TEXT))).text
        assert text == {"Title": "SSP", "Comment": "SYNTHETIC Read me first."}

    def test_the_same_rows_give_the_same_bytes(self) -> None:
        one, two = (png(render_page([flat(2.0)], TEXT), TEXT) for _ in range(2))
        assert one == two

    def test_the_pdf_is_one_page_of_the_same_picture_with_title_and_mark(self) -> None:
        page = render_page([flat(2.0)], TEXT)
        made = pdf(page, TEXT)
        assert made == pdf(page, TEXT), "no date in it"
        assert made.count(b"/Type /Page\n") == 1
        width, height = (72.0 * n / 200.0 for n in page.size)
        box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", made)
        assert [float(n) for n in box.groups()] == pytest.approx([width, height], abs=0.1)
        assert f"/Width {page.width}".encode() in made
        said = made.replace(b"\x00", b"")
        assert b"SSP" in said
        assert b"SYNTHETIC Read me first." in said

    def test_a_narrow_page_shows_two_views_a_line_and_loses_none(self) -> None:
        bare = PageText("SSP")
        wide, narrow = (render_page([flat(4.0)], bare, fold=fold) for fold in (PAGE, NARROW))
        assert narrow.width == NARROW.width < 850
        assert narrow.height > 4 * 200
        bar = 150  # left of the colour bar
        painted = [coloured(p.crop((0, 0, p.width - bar, p.height))).sum() for p in (wide, narrow)]
        assert painted[1] == pytest.approx(painted[0], rel=0.05)

    def test_increase_paints_what_decrease_leaves_grey(self) -> None:
        z = {"GLB": {"L": np.full(COUNT, 4.0), "R": np.full(COUNT, -4.0)}}
        for direction, left, right in ((DECREASE, True, False), (INCREASE, False, True)):
            (row,) = z_rows(z, direction)
            assert coloured(paint(row, "LT.LAT", "classic")).any() == left
            assert coloured(paint(row, "RT.LAT", "classic")).any() == right

    def test_z_rows_keep_the_order_of_the_references(self) -> None:
        one = {"L": np.zeros(COUNT), "R": np.zeros(COUNT)}
        rows = z_rows({"PNS": one, "GLB": one, "CBL": one, "THL": one}, DECREASE)
        assert [row.label for row in rows] == ["GLB", "THL", "CBL", "PNS"]

    def test_a_z_is_hatched_only_where_it_is_painted(self) -> None:
        z = {"GLB": {"L": np.linspace(-2, 2, COUNT), "R": np.zeros(COUNT)}}
        everywhere = {"GLB": {side: np.ones(COUNT, bool) for side in "LR"}}
        (row,) = z_rows(z, DECREASE, everywhere)
        assert row.hatched is not None
        assert np.array_equal(row.hatched[0], z["GLB"]["L"] > 1.0)
        assert not row.hatched[1].any()


class TestBadInput:
    def test_a_page_without_rows_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one row"):
            render_page([], TEXT)

    def test_an_unknown_palette_is_refused(self) -> None:
        with pytest.raises(ValueError, match="classic, uniform"):
            render_page([flat(1.0)], TEXT, "rainbow")

    def test_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(ValueError, match="sparkle"):
            flat(1.0, "sparkle")

    def test_values_of_another_surface_are_refused(self) -> None:
        with pytest.raises(ValueError, match=str(COUNT)):
            Row("X", np.zeros(7), np.zeros(COUNT), "z")

    def test_a_window_without_width_is_refused(self) -> None:
        with pytest.raises(ValueError, match="window"):
            flat(1.0, "uptake", window=(2.0, 2.0))
