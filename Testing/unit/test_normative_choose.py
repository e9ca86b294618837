"""Which databases a PET is offered: those it may be held against, told without their arrays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from normative_case import database

from PETSynthLib.export.policy import has_normals
from PETSynthLib.normative import find
from PETSynthLib.normative.choose import databases_for, read_meta
from PETSynthLib.normative.database import ARRAYS, META, write_database

BUNDLE = "ab" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three databases of FDG: acquired, of a model, and of simulated people."""
    folder = tmp_path_factory.mktemp("made")
    write_database(database(), folder / "acquired")
    write_database(database(bundle=BUNDLE), folder / "model")
    write_database(database(demo=True), folder / "demo")
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with these in its user's home, and none shipped."""
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
    monkeypatch.setattr(find, "asset", lambda name: tmp_path / "shipped" / name)
    return Path(shutil.copytree(made, tmp_path / "databases"))


def names(*asked: object) -> list[str]:
    return [folder.name for folder, _ in databases_for(*asked)]  # type: ignore[arg-type]


def test_an_acquired_pet_gets_acquired_normals(home: Path) -> None:
    assert names("fdg", "pons") == ["acquired"]


def test_a_simulated_person_may_also_be_held_against_simulated_ones(home: Path) -> None:
    assert names("fdg", "pons", "", True) == ["acquired", "demo"]


def test_a_synthetic_pet_gets_those_of_its_own_model_only(home: Path) -> None:
    assert names("fdg", "pons", BUNDLE) == ["model"]
    assert names("fdg", "pons", "cd" * 32) == []


def test_another_tracer_or_reference_gets_none(home: Path) -> None:
    assert names("pib", "pons") == []
    assert names("fdg", "cerebellum_grey") == []


def test_the_arrays_are_not_read(home: Path) -> None:
    (home / "acquired" / ARRAYS).unlink()
    assert names("fdg", "pons") == ["acquired"]


def test_a_record_of_another_kind_is_left_out(home: Path) -> None:
    record = home / "acquired" / META
    record.write_text(json.dumps({"format": "something else"}), encoding="utf-8")
    assert read_meta(home / "acquired") is None
    record.write_text("[", encoding="utf-8")
    assert read_meta(home / "acquired") is None
    assert names("fdg", "pons") == []


@pytest.mark.parametrize(
    ("evidence", "simulated", "may"),
    [
        ("simulation", False, False),
        ("population atlas", False, False),
        ("simulation", True, True),
        ("real pairs", False, True),
        ("acquired", False, True),
    ],
)
def test_a_demonstration_is_offered_none_but_for_simulated_people(
    evidence: str, simulated: bool, may: bool
) -> None:
    assert has_normals(evidence, simulated) is may
