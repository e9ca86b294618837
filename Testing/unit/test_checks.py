"""Findings and their traffic lights; the tracer registry; the home folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from PETSynthLib.assets import REFERENCE_BITS, composites
from PETSynthLib.checks import Finding, Verdict, grade, worst
from PETSynthLib.errors import PETSynthError
from PETSynthLib.home import petsynth_home
from PETSynthLib.tracers import all_tracers, tracer


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


def test_every_tracer_names_regions_that_exist() -> None:
    for entry in all_tracers().values():
        assert entry.reference_region in REFERENCE_BITS
        assert entry.target_region in composites()
        assert entry.window[0] < entry.window[1]


def test_only_fdg_is_not_exploratory() -> None:
    assert [t.key for t in all_tracers().values() if not t.exploratory] == ["fdg"]


def test_an_unknown_tracer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PETSynthError, match="fdg, pib, florbetapir, flortaucipir, pbr28"):
        tracer("water")


def test_the_home_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "ü"))
    assert petsynth_home() == tmp_path / "ü"
    monkeypatch.delenv("PETSYNTH_HOME")
    assert petsynth_home().name == "PETSynth"
