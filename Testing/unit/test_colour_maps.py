"""Colour maps a physician can read."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.colour_maps import COLOUR_MAPS, DIFFERENCE, colourize, table, ticks
from PETSynthLib.tracers import all_tracers


def lightness(colours: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours (n, 3)."""
    share = colours / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_every_tracer_has_its_map():
    assert {t.colour_map for t in all_tracers().values()} <= set(COLOUR_MAPS)


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_neighbouring_colours_differ_little(name):
    steps = np.abs(np.diff(table(name).astype(int), axis=0)).max(axis=1)
    assert table(name).shape == (256, 3)
    assert steps.max() <= 20


def test_nih_runs_from_black_over_blue_and_green_to_red():
    colours = table("nih").astype(int)
    assert colours[0].tolist() == [0, 0, 0]
    for share, channel in ((0.25, 2), (0.55, 1), (1.0, 0)):
        assert colours[round(share * 255)].argmax() == channel


@pytest.mark.parametrize("name", ["uniform", "heat"])
def test_lightness_only_rises(name):
    assert np.diff(lightness(table(name))).min() >= -0.3


def test_the_uniform_map_spreads_lightness_evenly():
    light = lightness(table("uniform"))
    quarters = np.diff(light[[0, 64, 128, 191, 255]])
    assert quarters.max() / quarters.min() < 2.0


def test_inverse_grey_shows_uptake_black():
    assert table("inverse_grey")[[0, 255], 0].tolist() == [255, 0]


def test_values_are_placed_in_the_window_and_held_at_its_ends():
    shown = colourize(np.array([-1.0, 0.6, 1.1, 1.6, 9.0]), (0.6, 1.6), "inverse_grey")
    assert shown[:, 0].tolist() == [255, 255, 127, 0, 0]


def test_no_difference_is_black_and_its_two_signs_are_blue_and_red():
    colours = table(DIFFERENCE).astype(int)
    assert colours[[127, 128]].max() < 5
    assert colours[64].argmax() == 2
    assert colours[191].argmax() == 0
    assert DIFFERENCE not in COLOUR_MAPS  # no tracer's uptake is shown in it


def test_the_colour_bar_has_round_ticks() -> None:
    assert ticks(0.0, 2.2) == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert ticks(0.6, 1.6) == [0.6, 0.8, 1.0, 1.2, 1.4, 1.6]
    assert ticks(0.0, 3.7) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
