"""Training flow: losses that mean what they say, resumable steps, a bundle that loads."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate import load_generator
from PETSynthLib.generate.device import Placement
from PETSynthLib.generate.flow.network import MeanNetwork, build_mean, build_residual
from PETSynthLib.learn.flow.calibrate import Calibration, measured_regions
from PETSynthLib.learn.flow.examples import Batch, Examples
from PETSynthLib.learn.flow.facts import FACTS, split
from PETSynthLib.learn.flow.train_mean import learning_rate, mean_loss, train_mean
from PETSynthLib.learn.flow.write_bundle import write_bundle
from PETSynthLib.learn.simulate.store import Cohort, create, fill, open_cohort
from PETSynthLib.learn.simulate.uptake import TRACERS

pytestmark = pytest.mark.torch
PLAIN = Placement(torch.device("cpu"), torch.float32, "test")


def small_facts() -> dict[str, Any]:
    facts = copy.deepcopy(FACTS)
    facts["mean_network"] |= {"base": 8, "multipliers": [1, 2]}
    return facts


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    create(folder, 1)
    fill(folder, 0, 1, seed=5)
    return open_cohort(folder)


@pytest.fixture(scope="module")
def examples(cohort: Cohort) -> Examples:
    return Examples(cohort, small_facts(), [0], seed=0)


def test_no_anatomy_is_used_twice() -> None:
    parts = split(232)
    everyone = [i for ids in parts.values() for i in ids]
    assert sorted(everyone) == list(range(232))
    assert min(len(ids) for ids in parts.values()) >= 18


class TestExamples:
    def test_two_people_fit_one_picture(self, examples: Examples) -> None:
        batch = examples.batch(3)
        assert batch.images.shape == (3, 21, 80, 96)
        assert batch.clinical.shape == (3, 2, 12)
        assert batch.target.shape == (3, 2, len(TRACERS), 80, 96)
        assert np.isfinite(batch.target.numpy()).all()

    def test_flair_and_facts_are_missing_now_and_then(self, examples: Examples) -> None:
        hidden = [examples.draw_hidden() for _ in range(400)]
        assert 0.3 < np.mean([h["age"] for h in hidden]) < 0.5 - 0.1
        assert np.mean([all(h.values()) for h in hidden]) > 0.15
        flair = [examples.draw_context(0)[1] for _ in range(200)]
        assert 0.4 < np.mean(flair) < 0.8

    def test_a_whole_pet_is_the_sum_of_its_maps(self, examples: Examples) -> None:
        maps = np.random.default_rng(0).random((16, 4, 5)).astype(np.float32)
        c = examples.coefficients[0][3]
        pet = examples.pet(0, 3, maps, 0)
        assert pet[1] == pytest.approx(c[6] * maps[6] + c[7] * maps[7], rel=1e-5)

    def test_unknown_biology_is_positive_and_of_the_stated_size(self, examples: Examples) -> None:
        factor = np.log([examples.biology((5, 6), (40, 48))[0] for _ in range(60)])
        assert 0.04 < factor.std() < 0.12


class TestLoss:
    def batch(self, target: torch.Tensor) -> Batch:
        return Batch(
            images=torch.randn(1, 21, 16, 24),
            context=torch.zeros(1, 4),
            clinical=torch.randn(1, 2, 12),
            target=target,
            weight=torch.ones(1, 1, 16, 24),
        )

    def test_the_pair_term_sees_only_what_the_clinic_changes(self) -> None:
        torch.manual_seed(0)
        network = build_mean(small_facts())
        batch = self.batch(torch.rand(1, 1, 5, 16, 24).expand(1, 2, 5, 16, 24))
        same = Batch(
            batch.images, batch.context, batch.clinical[:, :1].expand(1, 2, 12), batch.target,
            batch.weight,
        )  # fmt: skip
        assert mean_loss(network, same, PLAIN)["pair"].item() == 0.0
        assert mean_loss(network, batch, PLAIN)["pair"].item() > 0.0

    def test_the_spread_cannot_move_the_mean(self) -> None:
        network = build_mean(small_facts())
        terms = mean_loss(network, self.batch(torch.rand(1, 2, 5, 16, 24)), PLAIN)
        terms["spread"].backward()
        head = network.head.weight.grad.reshape(5, 5, 4, -1)
        assert float(head[:, :-1].abs().sum()) == 0.0
        assert float(head[:, -1].abs().sum()) > 0.0


def test_the_learning_rate_warms_up_and_ends_low() -> None:
    assert learning_rate(0, 1000) < learning_rate(99, 1000)
    assert learning_rate(999, 1000) < 0.03 * learning_rate(100, 1000)


@pytest.mark.slow
def test_training_lowers_the_error_and_resumes(examples: Examples, tmp_path: Path) -> None:
    facts = small_facts()
    train_mean(examples, facts, tmp_path, 12, PLAIN)
    first = torch.load(tmp_path / "mean.pt", weights_only=True)
    assert first["step"] == 12
    network = train_mean(examples, facts, tmp_path, 40, PLAIN)
    assert torch.load(tmp_path / "mean.pt", weights_only=True)["step"] == 40
    batch = examples.batch(4)
    before = float(mean_loss(build_mean(facts), batch, PLAIN)["image"])
    assert float(mean_loss(network, batch, PLAIN)["image"]) < 0.8 * before


def test_a_written_bundle_loads_with_the_same_weights(tmp_path: Path) -> None:
    torch.manual_seed(1)
    mean, residual = build_mean(FACTS), build_residual(FACTS)
    regions = measured_regions()
    metrics = {
        "people": 1.0, "target_mae": 0.1, "target_mae_of_population_mean": 0.2, "target_r": 0.5,
        "target_coverage_90": 0.9, "all_regions_coverage_90": 0.9, "all_regions_mae": 0.1,
    }  # fmt: skip
    calibration = Calibration(
        factor={t: dict.fromkeys(regions, 0.5) for t in TRACERS},
        distance={t: {"frontal_lobe": 0.3} for t in TRACERS},
        metrics=dict.fromkeys(TRACERS, metrics),
    )
    training = {
        "anatomies": {"mean": 1, "residual": 1, "test": 1}, "mean_steps": 1, "residual_steps": 1,
        "command": "make train-flow",
    }  # fmt: skip
    write_bundle(tmp_path / "flow", mean, residual, calibration, training)
    loaded = load_generator(str(tmp_path / "flow"), "cpu")
    assert loaded.bundle.trained_on == "simulation"
    assert "Trained on simulated brains only" in (tmp_path / "flow" / "README.md").read_text()
    network: MeanNetwork = loaded.generator.mean_network  # type: ignore[attr-defined]
    for name, value in mean.state_dict().items():
        assert torch.allclose(network.state_dict()[name], value, atol=2e-3), name


def test_every_reported_region_is_calibrated() -> None:
    masks = measured_regions()
    assert {"fdg_ad_metaroi", "striatum", "thalamusproper", "cerebellum"} <= set(masks)
    assert min(m.sum() for m in masks.values()) > 5
    # Axial slices first: the occipital lobe lies behind the frontal lobe (smaller j).
    j = {n: np.argwhere(masks[n])[:, 2].mean() for n in ("frontal_lobe", "occipital_lobe")}
    assert j["occipital_lobe"] < j["frontal_lobe"]
