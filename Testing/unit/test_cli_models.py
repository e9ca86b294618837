"""``petsynth models``: list, info, verify."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from PETSynthLib.cli import main
from PETSynthLib.errors import EXIT_BAD_REQUEST
from PETSynthLib.generate import find_bundle


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def damaged(home) -> Path:
    """A user's own bundle with one flipped bit."""
    folder = home / "bundles" / "mine"
    shutil.copytree(find_bundle("atlas"), folder)
    card = folder / "README.md"
    content = bytearray(card.read_bytes())
    content[10] ^= 1
    card.write_bytes(content)
    return folder


def test_the_list_names_models_their_evidence_and_where_own_ones_go(home, capsys):
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "atlas" in out
    assert "trained on: population atlas" in out
    assert str(home / "bundles") in out


def test_a_damaged_model_is_listed_as_such(damaged, capsys):
    assert main(["models", "list"]) == 0
    assert "DAMAGED" in capsys.readouterr().out


def test_info_shows_the_facts_and_the_model_card(home, capsys):
    assert main(["models", "info", "atlas"]) == 0
    out = capsys.readouterr().out
    assert "Apache-2.0" in out
    assert find_bundle("atlas").joinpath("README.md").read_text(encoding="utf-8").strip() in out


def test_info_of_an_unknown_model_names_the_known_ones(home, capsys):
    assert main(["models", "info", "nonsense"]) == EXIT_BAD_REQUEST
    error = capsys.readouterr().err
    assert "'nonsense'" in error
    assert "atlas" in error


def test_verify_says_intact_with_the_digest(home, capsys):
    assert main(["models", "verify"]) == 0
    assert "atlas 0.1.0: intact, sha256 " in capsys.readouterr().out


def test_verify_checks_the_others_although_one_is_damaged(damaged, capsys):
    assert main(["models", "verify"]) == EXIT_BAD_REQUEST
    printed = capsys.readouterr()
    assert "mine: DAMAGED" in printed.out
    assert "atlas 0.1.0: intact" in printed.out
    assert "another checksum" in printed.err


def test_verify_takes_names_and_paths(damaged, capsys):
    assert main(["models", "verify", "atlas"]) == 0
    assert main(["models", "verify", str(damaged)]) == EXIT_BAD_REQUEST
