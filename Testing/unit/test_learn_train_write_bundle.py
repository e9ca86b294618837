"""What a bundle says of its training, and what it keeps to itself."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from PETSynthLib.learn.train.write_bundle import without_places

pytestmark = pytest.mark.torch


def test_files_are_called_by_their_names_wherever_they_lay() -> None:
    settings = {
        "train": {"seed": 0, "tracers": ["fdg"], "patience": None},
        "method": {"loss": {"vgg": "/data/weights/vgg16.npz", "ssim": 1.0}},
        "files": ["D:\\weights\\vgg16.npz", "vgg16.npz", r"\\server\share\vgg16.npz"],
        "name": "a/b",
    }
    found = without_places(settings)
    assert found["method"]["loss"] == {"vgg": "vgg16.npz", "ssim": 1.0}
    assert found["files"] == ["vgg16.npz"] * 3
    assert found["train"] == settings["train"]
    assert found["name"] == "a/b"
    assert settings["method"]["loss"]["vgg"].startswith("/data"), "the run keeps its own"
