"""Databases by name: the user's own and the shipped ones; a folder of that name comes first."""

from __future__ import annotations

from pathlib import Path

import pytest
from normative_case import database

from PETSynthLib.cli import main
from PETSynthLib.normative import find
from PETSynthLib.normative.database import write_database
from PETSynthLib.normative.find import find_database, list_databases


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A database in the user's home, and nothing shipped."""
    monkeypatch.setattr(find, "petsynth_home", lambda: tmp_path / "home")
    monkeypatch.setattr(find, "asset", lambda name: tmp_path / "shipped" / name)
    folder = tmp_path / "home" / "databases" / "ours"
    folder.parent.mkdir(parents=True)
    write_database(database(), folder)
    (folder.parent / "notes").mkdir()
    return folder


def test_a_name_finds_its_folder_and_only_databases_are_listed(own: Path) -> None:
    assert list_databases() == [own]
    assert find_database(Path("ours")) == own


def test_a_folder_of_that_name_here_comes_first(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours").mkdir()
    assert find_database(Path("ours")) == Path("ours")
    assert find_database(own) == own


def test_an_unknown_name_is_left_to_be_refused_by_the_reader(own: Path) -> None:
    assert find_database(Path("theirs")) == Path("theirs")


def test_the_command_line_lists_and_describes_them_by_name(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["normative", "list"]) == 0
    assert capsys.readouterr().out.startswith("ours: 40 normals")
    assert main(["normative", "info", "ours"]) == 0
    assert "40 normals" in capsys.readouterr().out
    assert main(["normative", "info", "theirs"]) == 2
