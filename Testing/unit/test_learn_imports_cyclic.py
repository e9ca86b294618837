"""Importing the Cyclic 2.5D checkpoint: the same picture, in SUVR, and nothing guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from test_learn_methods_rivals import given

from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, load_generator
from PETSynthLib.generate.unet.plain import PlainUNet
from PETSynthLib.learn.imports import import_model
from PETSynthLib.learn.methods.interface import Material, material_of
from PETSynthLib.progress import Silent

pytestmark = pytest.mark.torch

TABLE = {"ge": [1.1, 0.5], "pooled": [1.0, 0.4]}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    from store_case import make_store

    store = make_store(tmp_path_factory.mktemp("cyclic") / "store", n=6)
    return material_of(store, "auto")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("file") / "UNet.pt"
    torch.save(PlainUNet(1, 1, (4, 8, 8)).state_dict(), path)
    return path


def options(material: Material, folder: Path, **other: str) -> dict[str, str]:
    grid = material.store.facts["grid"]
    (folder / "grid.json").write_text(json.dumps(grid))
    (folder / "table.json").write_text(json.dumps(TABLE))
    return {
        "tracer": "fdg",
        "grid": str(folder / "grid.json"),
        "t1": "minmax",
        "standardisation": str(folder / "table.json"),
        "spread": "0.2",
        "evidence": "real pairs",
        **other,
    }


def test_the_bundle_draws_what_the_file_says(
    material: Material, checkpoint: Path, tmp_path: Path
) -> None:
    out = import_model("cyclic", checkpoint, tmp_path / "model", options(material, tmp_path))
    loaded = load_generator(str(out), "cpu")
    network = PlainUNet(1, 1, (4, 8, 8)).eval()
    network.load_state_dict(torch.load(checkpoint, weights_only=True))
    for scanner, numbers in (("ge", TABLE["ge"]), ("siemens", TABLE["pooled"])):
        inputs = given(material, scanner)
        t1 = torch.from_numpy(inputs.t1.data)[None, None]
        with torch.no_grad():
            truth = network((t1 - t1.min()) / (t1.max() - t1.min()))[0, 0].numpy()
        truth = np.clip(numbers[0] + numbers[1] * truth, 0, None)
        made = loaded.generator.generate(inputs, Effort(), Silent())
        assert np.abs(made.mean.data - truth).max() < 1e-4
        # The stated 0.2 SUVR belongs to the pooled scale.
        expected = 0.2 * numbers[1] / TABLE["pooled"][1]
        assert np.allclose(made.sd.data[inputs.brain.mask], expected, atol=1e-6)
    assert loaded.bundle.uses == ("pet_scanner",)
    assert loaded.bundle.trained_on == "real pairs"
    assert "has none of its own" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("t1", "raw", "option t1"),
        ("evidence", "hearsay", "option evidence"),
        ("spread", "wide", "option spread"),
        ("standardisation", "1.0", "option standardisation"),
        ("standardisation", "1.0,0.0", "option standardisation"),
        ("tracer", "fgd", "tracer 'fgd' is not known"),
        ("grid", "5mm", "grid '5mm'"),
    ],
)
def test_a_fact_that_is_wrong_is_one_sentence(
    material: Material, checkpoint: Path, tmp_path: Path, name: str, value: str, words: str
) -> None:
    stated: Any = options(material, tmp_path, **{name: value})
    with pytest.raises(PETSynthError, match=words):
        import_model("cyclic", checkpoint, tmp_path / "model", stated)
    assert not (tmp_path / "model").exists()


def test_another_network_is_refused(material: Material, tmp_path: Path) -> None:
    stated = options(material, tmp_path)
    torch.save({"model.conv1.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(PETSynthError, match=r"other.pt does not hold the Cyclic 2.5D U-Net"):
        import_model("cyclic", tmp_path / "other.pt", tmp_path / "model", stated)
    torch.save(PlainUNet(2, 1, (4, 8, 8)).state_dict(), tmp_path / "two.pt")
    with pytest.raises(PETSynthError, match=r"weight is \(4, 2, 3, 3, 3\), not \(4, 1, 3, 3, 3\)"):
        import_model("cyclic", tmp_path / "two.pt", tmp_path / "model", stated)
