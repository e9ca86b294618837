"""Importing checkpoints: numbers only, known formats only, all facts stated."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from train_case import Watching, make_store, order

from PETSynthLib.cli import main
from PETSynthLib.errors import Cancelled, PETSynthError
from PETSynthLib.generate import load_generator
from PETSynthLib.learn.imports import import_model
from PETSynthLib.learn.train.run import train_method

pytestmark = pytest.mark.torch


def test_a_stopped_run_becomes_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_store(tmp_path / "store", n=12)
    with pytest.raises(Cancelled):
        train_method(order("flow", tmp_path / "run"), store, Watching(break_at=5))
    out = tmp_path / "model"
    arguments = ["models", "import", "run", str(tmp_path / "run" / "last.pt"), "-o", str(out)]
    assert main([*arguments, "--option", f"store={store.folder}"]) == 0
    assert "Model:" in capsys.readouterr().out
    bundle = load_generator(str(out), "cpu").bundle
    assert bundle.config["training"]["steps"] == 5
    assert main(arguments) == 2  # the store is not named
    assert "needs --option store=VALUE" in capsys.readouterr().err


def test_unknown_formats_and_options_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="There is no format 'gan'"):
        import_model("gan", tmp_path / "x.pt", tmp_path / "out", {})
    with pytest.raises(PETSynthError, match="has no option 'colour'"):
        import_model("run", tmp_path / "x.pt", tmp_path / "out", {"store": "s", "colour": "red"})


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.ones(1)}, tmp_path / "last.pt")
    with pytest.raises(PETSynthError, match="is no checkpoint in the folder of a run"):
        import_model("run", tmp_path / "last.pt", tmp_path / "out", {"store": "s"})
    (tmp_path / "last.pt").write_text("nothing")
    with pytest.raises(PETSynthError, match="damaged"):
        import_model("run", tmp_path / "last.pt", tmp_path / "out", {"store": "s"})
