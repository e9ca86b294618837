"""Importing checkpoints: numbers only, known formats only, all facts stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file
from train_case import Watching, make_store, order

from PETSynthLib.cli import main
from PETSynthLib.errors import Cancelled, PETSynthError
from PETSynthLib.generate import load_generator
from PETSynthLib.learn.imports import import_model
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train import checkpoint
from PETSynthLib.learn.train.run import train_method

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("imports") / "store", n=12)


def test_a_stopped_run_becomes_a_model(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


def imported(run: Path, store: Store, out: Path) -> dict[str, Any]:
    import_model("run", run / "last.pt", out, {"store": str(store.folder)})
    return load_file(out / "model.safetensors")


def test_before_the_first_validation_the_average_so_far_is_taken(
    store: Store, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with pytest.raises(Cancelled):
        train_method(order("unet", run), store, Watching(break_at=2))
    assert not (run / "best-mean.pt").exists()
    weights = imported(run, store, tmp_path / "model")
    average = checkpoint.load(run / "last.pt")["players"]["mean"]["average"]
    for name, value in average.items():
        assert torch.equal(weights[name], value.half()), name
    assert "not trained" not in (tmp_path / "model" / "README.md").read_text()


def test_a_stage_that_was_never_reached_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        train_method(order("flow", tmp_path / "run"), store, Watching(break_at=2))
    imported(tmp_path / "run", store, tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "not trained in this run**, which was stopped before: residual." in card


def test_a_run_that_has_not_trained_at_all_is_refused(store: Store, tmp_path: Path) -> None:
    train_method(order("unet", tmp_path / "run", max_minutes=0.0), store, Watching())
    with pytest.raises(PETSynthError, match="before its first step: its weights are random"):
        imported(tmp_path / "run", store, tmp_path / "model")
    assert not (tmp_path / "model").exists()


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
