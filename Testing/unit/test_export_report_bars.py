"""Bars: where things are drawn, what is said beside them."""

from __future__ import annotations

import pytest
from report_case import Reader, line

from PETSynthLib.export.report_bars import Axis, axis_of, bars, interval_words
from PETSynthLib.tracers import Cutoff

CUT = Cutoff(1.9, "SUVR", "striatum", "pons", "this", "Cut", "Paper")


def drawn(*lines, cutoffs=()) -> Reader:
    """The bars alone."""
    return Reader(bars(lines, cutoffs, "Age/sex mean"))


def test_the_axis_holds_everything_and_ends_on_tenths():
    made = axis_of([line(mean=1.5, interval=(1.31, 1.72), expected=1.0, normal=(1.1, 1.9))])
    assert (made.low, made.high) == pytest.approx((0.9, 2.0))
    assert axis_of([line()], [CUT]).high == pytest.approx(2.0)
    assert axis_of([line(instead="not seen")]) == Axis(0.0, 1.0)


def test_the_axis_never_begins_below_zero():
    assert axis_of([line(mean=0.05, interval=(0.0, 0.1))]).low == 0.0


def test_places_by_hand():
    # Axis 1.2 to 1.8: 1.5 lies in the middle, the interval from a sixth to five sixths.
    page = drawn(line(mean=1.5, interval=(1.3, 1.7)))
    (value,) = (tick for tick in page.named("line", class_="value") if tick["x1"] != "14")
    assert float(value["x1"]) == pytest.approx(500.0)
    interval = page.named("rect", class_="interval")[0]
    assert float(interval["x"]) == pytest.approx(1000 / 6, abs=0.1)
    assert float(interval["width"]) == pytest.approx(2000 / 3, abs=0.1)


def test_a_bar_is_told_in_words_to_those_who_cannot_see_it():
    (bar,) = drawn(line(expected=1.45, normal=(1.25, 1.65))).named("svg", role="img")
    assert bar["aria-label"] == (
        "Thalamus: 1.50 SUVR; 90 %: 1.30 to 1.70; Age/sex mean 1.45; normal 1.25 to 1.65"
    )


def test_a_spread_nobody_calibrated_is_drawn_and_named_otherwise():
    bare = line(interval=None, spread=0.2)
    assert interval_words(bare) == "uncalibrated spread 1.30 to 1.70"
    page = drawn(bare)
    assert not page.named("rect", class_="interval")
    assert len(page.named("rect", class_="spread")) == 2  # bar and legend
    assert "uncalibrated spread: nobody has checked how often it holds" in page.texts
    assert "uncalibrated 1.30 to 1.70" in page.texts


def test_without_interval_and_spread_that_is_said():
    assert interval_words(line(interval=None)) == "no interval"
    page = drawn(line(interval=None))
    assert not page.named("rect")


def test_what_is_not_informative_has_no_mark_on_its_bar():
    page = drawn(line(instead="not informative"), line("striatum", 1.2))
    (first, _) = page.named("svg", role="img")
    assert first["aria-label"] == "Thalamus: not informative"
    # The one value is the striatum's, the other tick explains it.
    assert len(page.named("line", class_="value")) == 2


def test_one_bar_a_region_and_a_cut_off_on_its_own_bar_only():
    lines = [line(side=side) for side in ("both", "L", "R")] + [line("striatum", 1.2)]
    page = drawn(*lines, cutoffs=(CUT,))
    assert [bar["aria-label"].split(":")[0] for bar in page.named("svg", role="img")] == [
        "Thalamus",
        "Striatum",
    ]
    assert "Cut 1.9" in page.named("svg", role="img")[1]["aria-label"]
    assert "Cut" not in page.named("svg", role="img")[0]["aria-label"]
    assert drawn(line(), cutoffs=(CUT,)).named("line", class_="cutoff") == []


def test_a_flag_is_a_word():
    assert "flagged" in drawn(line(z=3.0, flagged=True)).texts
    assert "flagged" not in drawn(line(z=3.0)).texts


def test_no_lines_no_bars():
    assert bars((), (), "mean") == ""
