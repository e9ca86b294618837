"""Findings and their traffic lights; the home folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from PETSynthLib.checks import (
    OVERRIDABLE,
    OVERRIDABLE_OF_MEASURING,
    OVERRIDABLE_OF_PET,
    Finding,
    Verdict,
    as_overridden,
    grade,
    worst,
)
from PETSynthLib.home import petsynth_home


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(3.0, Verdict.GREEN), (3.1, Verdict.AMBER), (6.0, Verdict.AMBER), (6.1, Verdict.RED)],
)
def test_grade_is_worse_the_larger(value: float, verdict: Verdict) -> None:
    assert grade(value, amber=3.0, red=6.0) is verdict


def test_the_worst_finding_decides() -> None:
    light = [Finding("a", 1, "", v, "") for v in (Verdict.GREEN, Verdict.AMBER)]
    assert worst(light) is Verdict.AMBER
    assert worst([]) is Verdict.GREEN


def test_an_overridden_red_light_is_amber_and_says_so() -> None:
    red = Finding("coverage", 0.8, "0.9", Verdict.RED, "Cut.")
    told = as_overridden(red, ["coverage"])
    assert (told.verdict, told.sentence) == (Verdict.AMBER, "Cut. Overridden by the user.")
    assert told.as_dict()["overridden"] is True
    assert told.key == red.key == "coverage.red", "its words are still those of the red light"


@pytest.mark.parametrize("name", [*OVERRIDABLE, "sequence", "alignment", "t1_contrast"])
@pytest.mark.parametrize("other", OVERRIDABLE)
def test_overriding_one_check_opens_no_other(name: str, other: str) -> None:
    red = Finding(name, 0, "", Verdict.RED, "No.")
    changed = as_overridden(red, [other]) is not red
    assert changed == (name == other)


def test_a_check_that_was_not_red_is_not_marked() -> None:
    amber = Finding("coverage", 0.95, "", Verdict.AMBER, "Close.")
    assert as_overridden(amber, ["coverage"]) is amber


def test_what_makes_a_result_meaningless_cannot_be_overridden() -> None:
    for name in ("sequence", "t1_contrast", "alignment", "flair_match", "t1_right_angles"):
        red = Finding(name, 0, "", Verdict.RED, "No.")
        assert as_overridden(red, [name]) is red


def test_the_home_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "ü"))
    assert petsynth_home() == tmp_path / "ü"
    monkeypatch.delenv("PETSYNTH_HOME")
    assert petsynth_home().name == "PETSynth"


def test_the_checks_of_a_pet_may_be_overridden_too_and_not_its_alignment() -> None:
    for name in OVERRIDABLE_OF_PET:
        red = Finding(name, 0.0, "more", Verdict.RED, "It is bad.")
        assert as_overridden(red, [name]).verdict is Verdict.AMBER
        assert as_overridden(red, ["coverage"]).verdict is Verdict.RED
    aside = Finding("pet_alignment", 9.0, "3 mm", Verdict.RED, "It lies elsewhere.")
    assert as_overridden(aside, ["pet_alignment"]).verdict is Verdict.RED


def test_a_measurement_offers_no_override_of_what_only_a_model_asks_of_a_t1() -> None:
    assert set(OVERRIDABLE) - set(OVERRIDABLE_OF_MEASURING) == {"t1_intensities"}
    assert set(OVERRIDABLE_OF_PET) < set(OVERRIDABLE_OF_MEASURING)
