"""Beginning a run: what fails before the first step leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from train_case import Watching, make_store

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.train.run import Order, train_method

pytestmark = pytest.mark.torch


def order(run: Path) -> Order:
    return Order("unet", run, sets=("method.loss.perceptual=cyclic", "method.loss.vgg=nowhere.npz"))


def test_settings_that_no_method_can_be_made_of_leave_no_folder(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", n=12)
    with pytest.raises(PETSynthError, match=r"nowhere\.npz"):
        train_method(order(tmp_path / "run"), store, Watching())
    assert not (tmp_path / "run").exists()


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    store, run = make_store(tmp_path / "store", n=12), tmp_path / "run"
    run.mkdir()
    (run / "notes.txt").write_text("mine")
    with pytest.raises(PETSynthError):
        train_method(order(run), store, Watching())
    assert [path.name for path in run.iterdir()] == ["notes.txt"]
