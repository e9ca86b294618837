"""From a record and its tables to what the report of a synthesis says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from export_case import lopsided, pet_on, record, table_of
from report_case import Reader, png

from PETSynthLib.assets import atlas_volume
from PETSynthLib.export import marks
from PETSynthLib.export.policy import NORMATIVE
from PETSynthLib.export.record import NOT_GIVEN, USED, WITHHELD, Fact, Record
from PETSynthLib.export.report import report_html
from PETSynthLib.export.report_content import Picture
from PETSynthLib.export.report_synthesis import (
    INTERVAL,
    NO_CALIBRATION,
    WIDER_THAN_AD,
    mean_heading,
    synthesis_content,
)
from PETSynthLib.quantify import RegionTable
from PETSynthLib.quantify.native_regions import BENT
from PETSynthLib.volume import CANONICAL

AGE, SEX = Fact("age", "age", "72 years", USED), Fact("sex", "sex", "female", USED)
PICTURE = Picture(png(), "difference")


@pytest.fixture(scope="module")
def table() -> RegionTable:
    pet = pet_on(CANONICAL, atlas_volume("template_brain").data * lopsided())
    return table_of(pet, pet.with_data(0.1 * pet.data), {"thalamusproper": 0.5})


def read(made: Record, table: RegionTable, **more: object) -> Reader:
    """The page of a synthesis."""
    return Reader(report_html(synthesis_content(made, table, **more)))


def test_the_first_words_are_the_demonstration_banner(table):
    assert read(record(), table).texts[0] == marks.DEMONSTRATION


def test_cognition_comes_before_everything(table):
    page = read(
        record(facts=(Fact("adas13", "ADAS-Cog-13", "20 points", USED),)), table, image_only=table
    )
    assert page.texts[:2] == [marks.COGNITION, marks.DEMONSTRATION]
    assert "SUVR from the image only" in page.texts
    assert "drawn with ADAS-Cog-13" in page.words
    assert "SUVR from the image only" not in read(record(), table).texts


def test_side_differences_are_words(table):
    assert any(
        cell.startswith("right lower by") for cell in read(record(), table).row("Temporal lobe")
    )


def test_a_model_without_calibration_says_so_and_shows_its_spread(table):
    assert INTERVAL in read(record(), table).words
    bare = replace(table, headline=tuple(replace(r, interval=None) for r in table.headline))
    assert NO_CALIBRATION in read(record(), bare).words
    tenth = replace(
        bare, headline=tuple(replace(r, mean=0.1, interval=None) for r in bare.headline)
    )
    page = read(record(), bare, spread=tenth)
    # A standard deviation of 0.1 is a 90 % spread of 0.164 either way.
    value = bare.value("thalamusproper").mean
    assert f"uncalibrated spread {value - 0.1645:.2f} to {value + 0.1645:.2f}" in page.words


def test_a_spread_of_nothing_is_not_shown(table):
    bare = replace(table, headline=tuple(replace(r, interval=None) for r in table.headline))
    zero = replace(bare, headline=tuple(replace(r, mean=0.0) for r in bare.headline), regions=())
    assert "uncalibrated spread" not in read(record(), bare, spread=zero).words


def test_what_is_not_informative_is_nowhere(table):
    made = record(distances={"thalamusproper": 1e-3})
    value = f"{table.value('thalamusproper').mean:.2f}"
    page = read(made, table, expected=table, difference=PICTURE)
    for row in page.rows:
        if row[:1] == ["Thalamus"]:
            assert "not informative" in row
            assert value not in row
    assert WIDER_THAN_AD in page.words
    assert "- Thalamus: not informative" in page.words
    assert WIDER_THAN_AD not in read(record(), table).words


@pytest.mark.parametrize("evidence", ["simulation", "population atlas", "real pairs"])
def test_no_judgement_is_offered_only_named_as_absent(table, evidence):
    made = replace(record(), model=replace(record().model, trained_on=evidence))
    page = read(made, table, expected=table, difference=PICTURE, spread=table)
    assert f"Not given on this evidence: {', '.join(NORMATIVE)}." in page.words
    for judgement in NORMATIVE:
        assert page.words.count(judgement) == 1
    assert not page.named("rect", class_="normal")
    assert not page.named("line", class_="cutoff")


def test_fields_used_withheld_and_missing_are_told_apart(table):
    facts = (
        AGE,
        Fact("mmse", "MMSE", "24 points", WITHHELD),
        Fact("flair", "FLAIR", "", NOT_GIVEN),
    )
    texts = read(record(facts=facts), table).texts
    assert texts[texts.index("Age") + 1] == "72 years, used"
    assert "did not shape the picture" in texts[texts.index("MMSE") + 1]
    assert texts[texts.index("FLAIR") + 1] == "not given"


@pytest.mark.parametrize(
    ("facts", "heading"),
    [
        ((AGE, SEX), "Age/sex mean"),
        ((AGE,), "Age mean"),
        ((replace(AGE, state=NOT_GIVEN, value=""),), "Average person"),
    ],
)
def test_the_mean_is_named_after_what_it_knows(facts, heading):
    assert mean_heading(record(facts=facts)) == heading


def test_what_else_shaped_the_difference_is_said(table):
    mmse = Fact("mmse", "MMSE", "24 points", USED)
    words = read(
        record(facts=(AGE, SEX, mmse)), table, image_only=table, expected=table, difference=PICTURE
    ).words
    assert "at the same age and sex" in words
    assert "this MRI (MMSE included) added" in words


def test_the_difference_stands_beside_the_mean_of_the_same_region(table):
    halves = tuple(replace(r, mean=r.mean / 2) for r in table.headline)
    lower = replace(table, headline=halves, regions=())
    page = read(record(), table, expected=lower, difference=PICTURE)
    (row,) = (r for r in page.rows if r[0] == "Thalamus" and len(r) == 6 and r[4].endswith(" %"))
    assert row[4] == "+100 %"
    assert row[5] == "does not hold the mean"


def test_a_region_has_one_value_on_the_whole_page(table):
    halves = tuple(replace(r, mean=r.mean / 2) for r in table.headline)
    other = replace(table, headline=halves, regions=())
    page = read(record(), table, expected=other, difference=PICTURE)
    own = table.value("thalamusproper").mean
    in_table = {r[3] for r in page.rows if r[:2] == ["Thalamus", "both"]}
    beside_mean = {r[1] for r in page.rows if r[0] == "Thalamus" and r[-1].endswith("the mean")}
    assert in_table == beside_mean == {f"{own:.2f}"}


def test_the_page_says_which_regions_were_used(table):
    texts = read(record(regions_source=BENT), table).texts
    assert "All regions (Desikan-Killiany atlas, deformable)" in texts
    assert BENT in texts


def test_the_page_ends_with_limits_and_the_mark(table):
    texts = read(record(), table).texts
    assert texts[-1] == marks.CORNER
    assert texts[texts.index("Limits") + 1] == marks.DO_NOT_USE


def test_every_region_is_behind_the_summary(table):
    page = read(record(), table)
    assert len(page.rows) > 150
    assert np.isfinite(float(page.row("Precuneus")[3]))
