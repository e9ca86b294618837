"""The report: honest first line, everything escaped, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from report_case import ACQUIRED, Reader, content, line

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.export.report import report_html, write_report
from PETSynthLib.export.report_content import Picture
from PETSynthLib.tracers import Cutoff


def read(**changes: object) -> Reader:
    """The page of `content`, well-formed."""
    found = Reader(report_html(content(**changes)))
    assert found.open == []
    return found


def test_the_first_words_are_the_banner():
    assert read(banner=("First.", "Second.")).texts[:2] == ["First.", "Second."]


def test_every_section_stands_in_the_order_in_which_it_is_read():
    page = report_html(content())
    found = re.findall(r"<h2>(.*?)</h2>|<summary>(.*?)</summary>", page)
    assert ["".join(pair) for pair in found] == [
        "Checks of input and output",
        "Regions",
        "What the MRI added",
        "Brain surface",
        "What shaped this picture",
        "Text to copy",
        "Limits",
        "All regions",
        "How the images were prepared",
        "How it was made",
    ]


def test_what_is_not_there_leaves_no_heading():
    page = read(added=None, surface={}, copy="", do_not_use="", steps=(), provenance=())
    for heading in ("What the MRI added", "Brain surface", "Text to copy", "Limits", "Scales"):
        assert heading not in page.texts
    assert not page.named("script")


def test_nothing_is_loaded_and_only_our_script_runs():
    page = report_html(content())
    found = Reader(page)
    assert {link.split(",")[0] for link in found.links} == {"data:image/png;base64"}
    assert not {"link", "iframe", "object", "form"} & {tag for tag, _ in found.tags}
    assert not re.search(r"https?:|url\(|@import", page)
    (policy,) = (meta["content"] for meta in found.named("meta") if "http-equiv" in meta)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy


def test_everything_from_outside_is_escaped():
    evil = "<img src=x onerror='alert(1)'>\"</pre><script>"
    step = {"name": evil, "version": evil, "parameters": {evil: evil}, "seconds": 1, "outcome": {}}
    made = content(
        title=evil,
        lead=evil,
        banner=(evil,),
        ribbon=evil,
        quantity=evil,
        region_notes=(evil,),
        slices=Picture(b"", evil, evil),
        facts=((evil, evil),),
        provenance=((evil, evil),),
        steps=(step,),
        copy=evil,
        footer=(evil,),
        atlas=evil,
        do_not_use=evil,
        findings=(Finding("x", evil, evil, Verdict.RED, evil),),
    )
    page = Reader(report_html(made))
    assert page.open == []
    assert len(page.named("script")) == 1
    assert len(page.named("img")) == 3
    assert evil in page.texts


def test_a_narrow_screen_gets_its_own_picture_or_a_box_that_scrolls():
    page = read()
    (source,) = page.named("source")
    assert source["media"] == "(max-width: 640px)"
    # Difference and surface have no narrow form.
    assert len(page.named("div", class_="scrolls")) == 2
    assert [img["alt"] for img in page.named("img")] == ["slices", "difference", "surface"]


def test_every_table_has_a_box_of_its_own():
    page = read()
    assert len(page.named("table")) == len(page.named("div", class_="wide")) == 5


def test_checks_are_words_as_well_as_colours_and_the_worst_comes_first():
    rows = read().rows
    assert rows[0] == ["Verdict", "What was found", "Value", "Limit"]
    assert rows[1] == ["caution", "Slices of 4 mm <thick>.", "4", "3 mm"]
    assert rows[2] == ["in order", "Voxels of 1 mm.", "1", "1.5 mm"]


def test_a_check_without_anything_to_compare_with_is_not_called_in_order():
    never = Finding("t1_intensities", "not known", "p", Verdict.GREEN, "Nobody looked.")
    assert ["no verdict", "Nobody looked.", "not known", "p"] in read(findings=(never,)).rows


def test_values_and_intervals_are_printed_with_their_region():
    assert read().row("Thalamus") == ["Thalamus", "both", "12.3", "1.50", "1.30 to 1.70", ""]


def test_a_hidden_value_says_why_and_its_difference_is_hidden_too():
    page = read(headline=(line(instead="not informative"),), regions=())
    hidden = ["Thalamus", "both", "12.3", "not informative", "", ""]
    assert [row for row in page.rows if row[:1] == ["Thalamus"]] == [
        hidden,
        ["Thalamus", "not informative", "", "", ""],
    ]
    assert "1.50" not in page.words.replace("Thalamus: 1.50", "")  # the text to copy is given


def test_the_difference_to_the_mean_by_hand():
    page = read()
    added = [row for row in page.rows if row and row[0] in ("Thalamus", "Striatum")][2:4]
    assert added == [
        ["Thalamus", "1.50", "1.45", "+0.05", "+3 %", "holds the mean"],
        ["Striatum", "1.20", "1.35", "-0.15", "-11 %", "does not hold the mean"],
    ]
    assert "In 1 of 2 regions the difference is larger than this model's own" in page.words


def test_a_difference_of_nothing_has_no_sign_and_no_interval_no_verdict():
    page = read(headline=(line(mean=1.5, interval=None, expected=1.5001),), regions=())
    assert ["Thalamus", "1.50", "1.50", "0.00", "0 %"] in page.rows
    assert "Own 90 % interval" not in page.words


def test_a_mean_measured_elsewhere_is_held_against_the_value_measured_there():
    page = read(headline=(line(mean=1.5, expected=1.4, as_expected=1.26, interval=None),))
    assert ["Thalamus", "1.26", "1.40", "-0.14", "-10 %"] in page.rows


def test_z_flags_and_further_columns_appear_only_when_there_are_any():
    lines = (
        line(z=2.61, percentile=0.4, flagged=True, extra=(("Fill state", "31 %"),)),
        line("striatum"),
    )
    page = read(policy=ACQUIRED, headline=lines, flags="1 region is flagged.", added=None)
    assert page.row("Region")[5:] == ["z", "Percentile", "Fill state", "Side difference"]
    assert page.row("Thalamus")[5:8] == ["2.6 flagged", "0", "31 %"]
    assert page.row("Striatum")[5:8] == ["", "", ""]
    assert "1 region is flagged." in page.texts
    assert "z" not in read().row("Region")


def test_a_cut_off_is_a_marker_with_its_source_and_no_verdict():
    cut = Cutoff(1.4, "SUVR", "thalamusproper", "pons", "this", "Somebody's", "Paper 2020")
    page = read(policy=ACQUIRED, cutoffs=(cut,))
    # One on the bar of its region, one in the legend.
    assert len(page.named("line", class_="cutoff")) == 2
    assert "Somebody's: 1.4 SUVR in the thalamus, made for this (Paper 2020)." in page.texts
    assert not re.search(r"positive|abnormal|pathological", page.words.replace("A positive z", ""))


def test_the_text_to_copy_stands_beside_a_button_that_only_a_script_shows():
    page = read()
    (button,) = page.named("button")
    assert "hidden" in button
    (pre,) = page.named("pre")
    assert pre["id"] == "copy-text"
    assert "Facts only.\nThalamus: 1.50" in page.texts


def test_steps_are_told_in_words():
    assert read().rows[-1] == ["N4", "1", "gates (dice 0.9)", "1.0", "a 1"]


def test_an_acquired_pet_is_not_called_synthetic(tmp_path):
    write_report(tmp_path / "report.html", content(ACQUIRED))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>PET report - FDG</title>" in page
    assert "ynthetic" not in page
    assert "SYNTHETIC" not in page


@pytest.mark.parametrize("field", ["slices", "added"])
def test_a_report_without_a_picture_is_still_a_report(field):
    page = Reader(report_html(replace(content(), **{field: None})))
    assert page.row("Thalamus")
