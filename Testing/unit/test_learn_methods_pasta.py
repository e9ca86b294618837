"""Training PASTA: its loss and cycle, the weights of regions, examples, settings, bundles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
yaml = pytest.importorskip("yaml")

from train_case import QUICK, SMALL, Watching, make_store

from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, load_generator
from PETSynthLib.generate.draws import spread_of
from PETSynthLib.generate.pasta.inputs import with_label
from PETSynthLib.generate.scaling import scaled, scaled_mri
from PETSynthLib.learn.methods.interface import Material, material_of
from PETSynthLib.learn.methods.pasta import PastaConfig, PastaMethod
from PETSynthLib.learn.methods.pasta_loss import Balance, cycle_loss
from PETSynthLib.learn.methods.people import HidingConfig
from PETSynthLib.learn.methods.ranges import limits_of
from PETSynthLib.learn.prepare.grids import grid_named
from PETSynthLib.learn.settings import build, read_yaml
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train.run import Order, settings_file, settings_of, train_method
from PETSynthLib.progress import Silent

pytestmark = pytest.mark.torch

QUIET = HidingConfig(0, 0, 0, 0, 0)
TINY = PastaConfig(
    slices=3, multipliers=(1,), attention=(), stride=2, hide=QUIET, mirror=0.0, gamma=0.0
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("pasta") / "store", n=12)


@pytest.fixture(scope="module")
def material(store: Store) -> Material:
    return material_of(store, "auto")


def method(material: Material, **changed: Any) -> PastaMethod:
    torch.manual_seed(0)
    made = PastaMethod(replace(TINY, **changed), material, seed=0)
    made.use(made.prepare(lambda words, done, total: None))
    return made


def batch_of(made: PastaMethod, number: int = 2) -> dict[str, torch.Tensor]:
    """Examples of the first training people."""
    people = made.material.train[:number]
    examples = [
        made.draw(made.stages[0], person, np.random.default_rng(n))
        for n, person in enumerate(people)
    ]
    return {k: torch.from_numpy(np.stack([e[k] for e in examples])) for k in examples[0]}


class TestLoss:
    def test_one_pass_is_the_papers_sum(self, material: Material) -> None:
        made = method(material, cycle=False)
        batch, arms = batch_of(made), made.networks.arms
        found = {name: term.detach() for name, term in made.loss(batch).items()}
        share = made.path.alphas[batch["time"][:, 0]].float()[:, None, None, None]
        noisy = share.sqrt() * batch["pet"] + (1 - share).sqrt() * batch["noise"][:, 0]
        mri = with_label(batch["mri"], batch["label"])
        hat, own = arms.pet_from_mri(noisy, batch["time"][:, 0], mri, batch["known"])
        weight = made.networks.weights(batch["labels"], batch["tracer"])
        image = ((hat - batch["pet"]).abs() * weight).mean()
        task = 0.1 * ((own - batch["pet"]).abs() * weight).mean()
        assert float(found["image"]) == pytest.approx(float(image.detach()), rel=1e-5)
        assert float(found["task"]) == pytest.approx(float(task.detach()), rel=1e-5)
        assert 0 < float(found["ssim"]) < 2
        whole = sum(float(found[n]) for n in ("image", "task", "ssim"))
        assert float(found["loss"]) == pytest.approx(whole, rel=1e-6)
        assert set(found) == {"loss", "image", "task", "ssim", "pet_image"}

    def test_the_cycle_hands_over_the_prediction_as_it_is_with_its_gradient(
        self, material: Material, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The release scaled it a second time."""
        made = method(material)
        batch, arms = batch_of(made), made.networks.arms
        seen: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        forth, back = arms.pet_from_mri, arms.mri_from_pet

        def to_pet(x: torch.Tensor, t: torch.Tensor, mri: torch.Tensor, known: torch.Tensor):  # type: ignore[no-untyped-def]
            made_pet = forth(x, t, mri, known)
            seen.append(("pet", mri, made_pet[0]))
            return made_pet

        def to_mri(x: torch.Tensor, t: torch.Tensor, pet: torch.Tensor):  # type: ignore[no-untyped-def]
            made_mri = back(x, t, pet)
            seen.append(("mri", pet, made_mri[0]))
            return made_mri

        monkeypatch.setattr(arms, "pet_from_mri", to_pet)
        monkeypatch.setattr(arms, "mri_from_pet", to_mri)
        found = made.loss(batch)
        assert [kind for kind, *_ in seen] == ["pet", "mri", "mri", "pet"]
        slices = arms.shape.slices
        assert torch.equal(seen[1][1], seen[0][2])
        assert seen[1][1].requires_grad
        assert torch.equal(seen[2][1], batch["pet"])
        assert torch.equal(seen[3][1][:, :slices], seen[2][2])
        # FLAIR and label are told in every pass.
        assert torch.equal(seen[3][1][:, slices:], seen[0][1][:, slices:])
        assert {"pet_image", "mri_image", "cycle_mri_image", "cycle_pet_image"} <= set(found)

    def test_both_arms_learn_even_from_what_came_of_a_pass(self, material: Material) -> None:
        made = method(material)
        for parameter in made.networks.parameters():
            torch.nn.init.normal_(parameter, 0, 0.05)
        made.loss(batch_of(made))["loss"].backward()
        for arm in (made.networks.arms.model, made.networks.arms.encoder):
            assert arm.input_blocks[0][0].weight.grad.any()
            assert arm.out[2].weight.grad.any()

    def test_the_reconstruction_task_asks_for_the_conditioners_own_picture(
        self, material: Material
    ) -> None:
        made = method(material, cycle=False)
        batch = batch_of(made)
        other = cycle_loss(made.networks, batch, made.path, Balance("reconstruction", 0.1, 1.0))
        _, own = made.networks.arms.read_mri(
            with_label(batch["mri"], batch["label"]), batch["known"]
        )
        weight = made.networks.weights(batch["labels"], batch["tracer"])
        t1 = batch["mri"][:, : TINY.slices]
        assert float(other["task"].detach()) == pytest.approx(
            0.1 * float(((own - t1).abs() * weight).mean().detach()), rel=1e-5
        )


class TestExamples:
    def test_a_stack_is_cut_where_the_volumes_lie(self, material: Material, store: Store) -> None:
        made = method(material)
        subject = material.train[0]
        example = made.draw(made.stages[0], subject, np.random.default_rng(3))
        name = made.tracers[int(example["tracer"])]
        pet = scaled(
            material.pet(subject, name), limits_of(made.facts, name, np.zeros(1, np.float32))
        )
        ks = [
            k for k in range(1, 15)
            if np.array_equal(example["pet"], pet[:, :, k - 1 : k + 2].transpose(2, 0, 1))
        ]  # fmt: skip
        assert len(ks) == 1
        (k,) = ks
        t1 = scaled_mri(store.t1(subject.row), "fixed")[:, :, k - 1 : k + 2].transpose(2, 0, 1)
        assert np.array_equal(example["mri"][:3], t1)
        labels = store.regions(subject.row)[:, :, k - 1 : k + 2].transpose(2, 0, 1)
        assert np.array_equal(example["labels"], labels)
        assert example["noise"].shape == (4, 3, 16, 16)
        assert example["time"].shape == (4,)
        again = made.draw(made.stages[0], subject, np.random.default_rng(3))
        assert all(np.array_equal(example[n], again[n]) for n in example)

    def test_a_mirror_turns_everything_alike(self, material: Material) -> None:
        plain, turned = (
            method(material, mirror=m).draw(
                method(material).stages[0], material.train[0], np.random.default_rng(3)
            )
            for m in (0.0, 1.0)
        )
        for name in ("pet", "mri", "labels"):
            assert np.array_equal(plain[name][:, ::-1], turned[name]), name

    def test_planes_of_different_extent_share_a_canvas(self, tmp_path: Path) -> None:
        uneven = make_store(tmp_path / "s", n=6, shape=(10, 14, 12))
        made = method(
            material_of(uneven, "auto"),
            planes=("axial", "coronal", "sagittal"), multipliers=(1, 1), slices=3,
        )  # fmt: skip
        assert made.canvas == (14, 14)
        stage, rng = made.stages[0], np.random.default_rng(0)
        shapes = {made.draw(stage, stage.subjects[0], rng)["mri"].shape for _ in range(6)}
        assert shapes == {(6, 14, 14)}
        with torch.no_grad():
            drawn = made.predict(uneven.split("validation")[0])
        assert drawn.shape == (2, 10, 14, 12)

    def test_the_papers_scaling_is_each_scans_own(self, material: Material) -> None:
        made = method(material, scaling="paper")
        pets = [material.pet(s, "fdg") for s in material.train]
        expected = np.mean([p.max() for p in pets])
        assert made.facts["suvr_range"]["fdg"] == pytest.approx([0.0, expected], abs=1e-3)
        assert limits_of(made.facts, "fdg", pets[0]) == (float(pets[0].min()), float(pets[0].max()))
        assert "only by the mean range" in made.bundle()["card"]

    def test_a_training_from_weights_without_scales_has_its_own(self, material: Material) -> None:
        made = method(material, scaling="paper")
        own = {name: dict(made.facts[name]) for name in ("suvr_range", "clinical_scaling")}
        unknown = {"suvr_range": {"fdg": [0.0, 1.0]}, "clinical_scaling": {"age": [73.0, 7.0]}}
        made.load(made.tensors(), {**made.facts, **unknown})
        assert made.facts["suvr_range"] == own["suvr_range"]
        expected = own["clinical_scaling"] | {"age": [73.0, 7.0]}
        assert made.facts["clinical_scaling"] == expected


class TestSettings:
    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"slices": 4}, "has no middle"),
            ({"slices": 17}, "thicker than the volume: the grid has 16 axial slices"),
            ({"width": 40}, "width 40 does not go"),
            ({"heads": 3}, "3 heads"),
            ({"stride": 4}, "leave gaps"),
            ({"steps": (1, 2)}, "needs three numbers"),
            ({"planes": ()}, "No plane"),
        ],
    )
    def test_what_does_not_go_together_is_one_sentence(
        self, material: Material, changed: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(PETSynthError, match=words):
            method(material, **changed)

    def test_the_papers_configuration_has_89_million_weights_and_learns(
        self, material: Material
    ) -> None:
        settings = settings_of(Order("pasta", Path("x"), settings_file("pasta", "paper")))
        config = settings.method
        assert (settings.train.steps, settings.train.batch) == (76_000, 6)
        assert config.steps[2] == 100
        assert grid_named("pasta").shape == (96, 112, 96)
        one = Material(replace_tracers(material.store), "truth", material.train, ())
        made = PastaMethod(config, one, 0)
        # Three more clinical inputs (a flag for every field) in 38 blocks of either arm.
        arms = made.networks.arms
        widths = 2 * 38 * 3 * 256
        assert sum(p.numel() for p in arms.parameters()) == 2 * 44_547_855 + widths
        small = torch.rand(1, 15, 16, 16)
        pet, _ = arms.pet_from_mri(small, torch.tensor([500]), small, torch.zeros(1, 12))
        pet.mean().backward()
        assert arms.model.out[2].weight.grad.isfinite().all()
        assert arms.encoder.input_blocks[0][0].weight.grad is not None

    def test_the_small_configuration_fits_into_the_benchmarks_three_megabytes(
        self, material: Material
    ) -> None:
        body = read_yaml(settings_file("pasta", "small"))
        config = build(PastaConfig, body["method"])
        five = replace_tracers(material.store, "fdg", "pib", "florbetapir", "pbr28", "flortaucipir")
        made = PastaMethod(config, Material(five, "truth", material.train, ()), 0)
        size = sum(t.numel() * t.element_size() for t in made.tensors().values())
        assert 2e6 < size < 3e6

    def test_the_small_configuration_is_the_default(self, tmp_path: Path) -> None:
        small = settings_of(Order("pasta", tmp_path, settings_file("pasta", "small")))
        assert small.method == PastaConfig()


def replace_tracers(store: Store, *tracers: str) -> Store:
    """The same store, said to hold other tracers."""
    facts = {**store.facts, "tracers": list(tracers or ("fdg",))}
    return Store(store.folder, facts, store.subjects)


def inputs_of(material: Material) -> GeneratorInput:
    return material.inputs(material.validation[0], "fdg")


@pytest.fixture(scope="module")
def bundle(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    sets = (*SMALL["pasta"], *QUICK, "train.steps=30", "train.validate_every=30")
    sets = (
        *sets,
        "train.learning_rate=2e-3",
        "train.checkpoint_every=30",
        "train.average=0.5",
        "method.draws=4",
    )
    return train_method(Order("pasta", folder, sets=sets), store, Watching())


class TestBundle:
    def test_it_draws_what_the_method_predicts(self, material: Material, bundle: Path) -> None:
        loaded = load_generator(str(bundle), "cpu")
        made = loaded.generator.generate(inputs_of(material), Effort(0, 2, 0), Silent())
        assert made.samples == ()
        assert made.details["draws"] == 4
        again = method(material, stride=2)
        from safetensors.torch import load_file

        again.load(load_file(bundle / "model.safetensors"), loaded.bundle.config["method_config"])
        again.networks.eval()
        with torch.no_grad():
            predicted = again.predict(material.validation[0])[0]
        brain = material.store.brain(material.validation[0].row)
        # Two draws instead of four, float32 instead of bfloat16.
        assert np.abs(made.mean.data - predicted)[brain].mean() < 0.1
        true = material.pet(material.validation[0], "fdg")
        assert np.abs(made.mean.data - true)[brain].mean() < 0.4

    def test_mean_and_spread_are_those_of_the_draws(self, material: Material, bundle: Path) -> None:
        generator = load_generator(str(bundle), "cpu").generator
        made = generator.generate(inputs_of(material), Effort(5, 2, 7), Silent())
        draws = np.stack([s.data for s in made.samples])
        brain = material.store.brain(material.validation[0].row)
        assert draws.shape[0] == 5
        assert np.allclose(made.mean.data, draws.mean(0), atol=1e-5)
        assert np.allclose(made.sd.data, spread_of(draws, brain, material.store.grid), atol=1e-5)
        assert made.mean.quantity == "mean"
        other = generator.generate(inputs_of(material), Effort(1, 2, 8), Silent())
        assert np.allclose(other.samples[0].data, draws[1], atol=1e-5)

    def test_stride_and_weights_that_do_not_fit_are_one_sentence(
        self, bundle: Path, tmp_path: Path
    ) -> None:
        import json
        import shutil

        from PETSynthLib.generate.bundle import write_checksums

        def changed(name: str, **facts: Any) -> Path:
            folder = tmp_path / name
            shutil.copytree(bundle, folder)
            config = json.loads((folder / "config.json").read_text())
            for key, value in facts.items():
                body = config["method_config"][key]
                if isinstance(body, dict):
                    body.update(value)
                else:
                    config["method_config"][key] = value
            (folder / "config.json").write_text(json.dumps(config))
            write_checksums(folder)
            return folder

        for name, facts, words in (
            ("a", {"generate": {"stride": 9}}, "stacks that leave gaps"),
            ("b", {"network": {"slices": 21}}, "stacks of 21 slices, its grid only 16"),
            ("c", {"network": {"width": 64}}, "weights of another architecture"),
            ("d", {"version": 9}, "another version of pasta"),
            ("e", {"generate": {"planes": ["oblique"]}}, "planes that there are not"),
        ):
            with pytest.raises(PETSynthError, match=words):
                load_generator(str(changed(name, **facts)), "cpu")

    def test_it_may_start_a_training_and_another_one_may_not(
        self, store: Store, bundle: Path, tmp_path: Path
    ) -> None:
        sets = (*SMALL["pasta"], *QUICK, "train.steps=1")
        train_method(Order("pasta", tmp_path / "a", sets=sets, init=str(bundle)), store, Watching())
        wider = (*sets, "method.fusion=concatenation")
        with pytest.raises(PETSynthError, match="has other networks"):
            train_method(
                Order("pasta", tmp_path / "b", sets=wider, init=str(bundle)), store, Watching()
            )
