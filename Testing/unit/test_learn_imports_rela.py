"""The published checkpoint of RelA-Diffusion: read as numbers, refused when it is another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file
from test_learn_train import given
from train_case import Watching, make_store

from PETSynthLib.cli import main
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, load_generator
from PETSynthLib.generate.rela.network import DiffusionUNet, Shape
from PETSynthLib.learn.evaluate.predictor import load_predictors
from PETSynthLib.learn.imports import import_model
from PETSynthLib.learn.imports.rela import scale_of
from PETSynthLib.learn.train.run import Order, settings_file, train_method
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import tracer

pytestmark = pytest.mark.torch
SCALE = "pbr28:2,pib:3,flortaucipir:3.5"


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return DiffusionUNet(Shape()).state_dict()


@pytest.fixture(scope="module")
def file(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "rela.pt"
    torch.save({"model_state_dict": weights, "epoch": 99}, path)
    return path


def test_a_published_checkpoint_becomes_a_bundle_that_generates(
    file: Path, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    out = tmp_path / "model"
    arguments = ["models", "import", "rela", str(file), "-o", str(out), "--option"]
    assert main([*arguments, f"scale={SCALE}"]) == 0
    loaded = load_generator(str(out), "cpu")
    assert loaded.bundle.tracers == ("pbr28", "pib", "flortaucipir")
    labels = loaded.bundle.config["method_config"]["tracer_labels"]
    assert labels == {"pbr28": 0, "pib": 1, "flortaucipir": 2}
    kept = load_file(out / "model.safetensors")
    assert {k.removeprefix("network."): tuple(v.shape) for k, v in kept.items()} == {
        k: tuple(v.shape) for k, v in weights.items()
    }
    store = make_store(tmp_path / "store", n=6)
    inputs = given(store)
    inputs = replace(inputs, flair=inputs.t1, tracer=tracer("pib"))
    made = loaded.generator.generate(inputs, Effort(samples=1, steps=1), Silent())
    assert np.isfinite(made.mean.data).all()
    assert float(made.mean.data.max()) <= 3.0
    with pytest.raises(PETSynthError, match="cannot do without a FLAIR"):
        loaded.generator.generate(replace(inputs, flair=None), Effort(), Silent())


@pytest.mark.parametrize("stated", [{"scale": SCALE}, {}])
def test_published_weights_can_be_trained_on_with_the_published_settings(
    file: Path, weights: dict[str, torch.Tensor], tmp_path: Path, stated: dict[str, str]
) -> None:
    import_model("rela", file, tmp_path / "published", stated)
    tracers = ("pbr28", "pib", "flortaucipir")
    store = make_store(tmp_path / "store", n=6, tracers=tracers, kind="real")
    paper = settings_file("rela", "paper")
    begun = Order("rela", tmp_path / "run", paper, (), str(tmp_path / "published"), max_minutes=0.0)
    folder = train_method(begun, store, Watching())
    kept = load_file(folder / "model.safetensors")
    for name, value in weights.items():
        assert torch.equal(kept[f"network.{name}"], value.half()), name
    config = json.loads((folder / "config.json").read_text())
    ranges = config["method_config"]["suvr_range"]
    imported = {t: [0.0, top] for t, top in scale_of(SCALE).items()}
    # Without a scale those of the training's own scans count, never 0 to 1.
    assert (ranges == imported) == bool(stated)
    assert all(high > 1.0 for _, high in ranges.values())


def test_the_card_says_whether_there_is_an_suvr_and_without_nothing_is_drawn(
    file: Path, tmp_path: Path
) -> None:
    cards, known = {}, {}
    for name, stated in (("with", {"scale": SCALE}), ("without", {})):
        import_model("rela", file, tmp_path / name, stated)
        cards[name] = (tmp_path / name / "README.md").read_text()
        known[name] = load_generator(str(tmp_path / name), "cpu").bundle.suvr_known
    assert known == {"with": True, "without": False}
    with pytest.raises(PETSynthError, match="are no SUVR"):
        load_predictors([f"rela={tmp_path / 'without'}"], "cpu")
    assert "**No SUVR**" in cards["without"]
    assert "No SUVR" not in cards["with"]
    assert "pib 3" in cards["with"]
    assert "epoch 99" in cards["with"]
    assert "own minimum and maximum" in cards["with"]


def test_a_checkpoint_of_other_channels_is_named(
    weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    two = {**weights, "conv_in.conv.weight": torch.zeros(16, 2, 3, 3, 3)}
    less = {k: v for k, v in weights.items() if k != "out.2.conv.bias"}
    more = {**weights, "more.weight": torch.zeros(1)}
    sick = {**weights, "out.0.weight": torch.full((16,), float("nan"))}
    path = tmp_path / "other.pt"
    for state, words in (
        (two, r"conv_in.conv.weight is \(16, 2, 3, 3, 3\), not \(16, 3, 3, 3, 3\)"),
        (less, "it lacks out.2.conv.bias"),
        (more, "it has more.weight"),
        (sick, "out.0.weight in other.pt are no numbers"),
    ):
        torch.save({"model_state_dict": state, "epoch": 1}, path)
        with pytest.raises(PETSynthError, match=words):
            import_model("rela", path, tmp_path / "out", {})
    torch.save({"weights": weights}, path)
    with pytest.raises(PETSynthError, match="no model_state_dict"):
        import_model("rela", path, tmp_path / "out", {})
    assert not (tmp_path / "out").exists()


def test_a_scale_names_every_published_tracer_and_no_other() -> None:
    assert scale_of(SCALE) == {"pbr28": 2.0, "pib": 3.0, "flortaucipir": 3.5}
    with pytest.raises(PETSynthError, match="no label for the tracer 'fdg'"):
        scale_of("fdg:2")
    for words in ("pbr28:2", "pbr28:2,pib:x,flortaucipir:3", "pbr28:2,pib:-1,flortaucipir:3"):
        with pytest.raises(PETSynthError, match="one SUVR above 0 for each"):
            scale_of(words)
