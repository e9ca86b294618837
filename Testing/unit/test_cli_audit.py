"""``petsynth audit`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from audit_case import Peeker, different_brains

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from PETSynthLib.cli import main
from PETSynthLib.learn.evaluate import predictor

pytestmark = pytest.mark.torch


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of twelve people and a model that answers to any name."""
    monkeypatch.setattr(predictor, "load_predictors", lambda models, device: [Peeker()])
    return different_brains(tmp_path / "store", 12).folder


def test_it_prints_every_suspicion_and_writes_a_report(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["audit", str(store), "--model", "painter", "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    for word in ("Leakage", "Circularity", "Coverage", "Flags", "audit.html"):
        assert word in printed
    assert (out / "audit.html").is_file()


def test_a_copied_mri_is_a_fault_and_json_says_so(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    images = np.load(store / "t1.npy")
    images[5] = images[0]
    np.save(store / "t1.npy", images)
    command = ["audit", str(store), "--model", "painter", "-o", str(tmp_path / "out"), "--json"]
    assert main(command) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["exit_status"] == 1
    red = [f["name"] for f in body["findings"] if f["verdict"] == "red"]
    assert red == ["leakage.identical", "leakage.similar"]


def test_a_folder_that_is_no_store_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(tmp_path), "--model", "flow", "-o", str(tmp_path / "out")]) == 2
    assert "is not a store" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_run(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("PETSynthLib.learn.audit.audit.audit", lambda *_, **__: pytest.fail("ran"))
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    assert main(["audit", str(store), "--model", "painter", "-o", str(taken)]) == 2
    assert "cannot be made because a file has that name" in capsys.readouterr().err
    assert taken.read_text(encoding="utf-8") == "mine"
