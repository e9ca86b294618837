"""The report: honest first line, everything escaped, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from export_case import lopsided, pet_on, record, table_of

from PETSynthLib.assets import atlas_volume
from PETSynthLib.export import marks
from PETSynthLib.export.record import NOT_GIVEN, USED, WITHHELD, Fact
from PETSynthLib.export.report import INTERVAL, NO_CALIBRATION, report
from PETSynthLib.quantify import RegionTable
from PETSynthLib.volume import CANONICAL

PNG = b"\x89PNG not really"


@pytest.fixture(scope="module")
def table() -> RegionTable:
    pet = pet_on(CANONICAL, atlas_volume("template_brain").data * lopsided())
    return table_of(pet, pet.with_data(0.1 * pet.data), {"thalamusproper": 0.5})


class Reader(HTMLParser):
    """Text of a page in reading order, its tags and its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] not in ("style", "title"):
            self.texts.append(data.strip())


def test_the_first_words_are_the_banner(table):
    assert Reader(report(PNG, table, record())).texts[0] == marks.DEMONSTRATION


def test_cognition_comes_before_everything(table):
    facts = (Fact("adas13", "ADAS-Cog-13", "20 points", USED),)
    page = Reader(report(PNG, table, record(facts=facts), table))
    assert page.texts[:2] == [marks.COGNITION, marks.DEMONSTRATION]
    assert "SUVR from the image only" in page.texts
    captions = [text for text in page.texts if text.startswith(marks.QUANTITY)]
    assert any("drawn with ADAS-Cog-13" in text for text in captions)


def test_no_image_only_column_without_cognition(table):
    assert "SUVR from the image only" not in report(PNG, table, record())


def test_nothing_is_loaded_and_nothing_runs(table):
    page = report(PNG, table, record())
    read = Reader(page)
    assert read.open == []  # well-formed
    assert [link.split(",")[0] for link in read.links] == ["data:image/png;base64"]
    assert not {"script", "link", "iframe"} & set(read.tags)
    assert not re.search(r"https?:|url\(|@import", page)


def test_everything_from_outside_is_escaped(table):
    evil = '<img src=x onerror="alert(1)">'
    made = record(
        generation={evil: evil},
        preprocessing=[
            {
                "name": evil,
                "version": evil,
                "parameters": {evil: evil},
                "seconds": 1.0,
                "outcome": {evil: evil},
            }
        ],
        facts=(Fact("age", evil, evil, USED),),
        created=evil,
    )
    made = replace(made, model=replace(made.model, name=evil, title=evil, licence=evil))
    page = report(PNG, table, made)
    assert "<img src=x" not in page
    assert "head &lt;1&gt;.nii.gz" in page
    assert Reader(page).tags.count("img") == 1


def test_lights_are_words_as_well_as_colours_and_the_worst_comes_first(table):
    texts = Reader(report(PNG, table, record())).texts
    caution, fine = texts.index("caution"), texts.index("in order")
    assert caution < fine
    assert texts[caution + 1] == "Slices of 4 mm <thick>."


def test_values_intervals_and_side_differences_are_printed(table):
    texts = Reader(report(PNG, table, record())).texts
    row = texts.index("Thalamus")
    assert texts[row + 1] == "both"
    assert re.fullmatch(r"\d+\.\d", texts[row + 2])
    assert re.fullmatch(r"\d\.\d\d to \d\.\d\d", texts[row + 4])
    temporal = texts.index("Temporal lobe")
    assert "right lower by" in " ".join(texts[temporal : temporal + 12])
    assert INTERVAL[:30] in " ".join(texts)


def test_a_model_without_calibration_says_so(table):
    bare = replace(table, headline=tuple(replace(r, interval=None) for r in table.headline))
    words = " ".join(Reader(report(PNG, bare, record())).texts)
    assert NO_CALIBRATION in words
    assert INTERVAL not in words


def test_what_is_not_informative_is_not_printed(table):
    value = f"{table.value('thalamusproper').mean:.4f}"
    texts = Reader(report(PNG, table, record(distances={"thalamusproper": 1e-3}))).texts
    row = texts.index("Thalamus")
    assert texts[row + 3] == "not informative"
    assert value[:4] not in texts[row : row + 9]


def test_no_judgement_is_offered_only_named_as_absent(table):
    words = " ".join(Reader(report(PNG, table, record())).texts)
    assert "Not given on this evidence: z-score, percentile, Centiloid" in words
    for judgement in ("Centiloid", "percentile", "z-score"):
        assert words.count(judgement) == 1


def test_fields_used_withheld_and_missing_are_told_apart(table):
    facts = (
        Fact("age", "age", "72 years", USED),
        Fact("mmse", "MMSE", "24 points", WITHHELD),
        Fact("flair", "T2-FLAIR", "", NOT_GIVEN),
    )
    texts = Reader(report(PNG, table, record(facts=facts))).texts
    assert texts[texts.index("Age") + 1] == "72 years, used"
    assert "did not shape the picture" in texts[texts.index("MMSE") + 1]
    assert texts[texts.index("T2-FLAIR") + 1] == "not given"


def test_steps_are_told_in_words(table):
    texts = Reader(report(PNG, table, record())).texts
    row = texts.index("N4")
    assert texts[row : row + 5] == ["N4", "1", "gates (dice 0.9)", "1.0", "a 1"]


def test_exploratory_pictures_are_captioned_with_the_ambiguity(table):
    assert marks.AMBIGUOUS in report(PNG, table, record("pib"))
    assert marks.AMBIGUOUS not in report(PNG, table, record())


def test_the_page_ends_with_what_it_is_not_for(table):
    texts = Reader(report(PNG, table, record())).texts
    assert texts[-2:] == [marks.DO_NOT_USE, marks.CORNER]
