"""What methods draw, score and ship; the regional fit that flow begins with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from train_case import Watching, losses, make_store, order

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, load_generator
from PETSynthLib.generate.flow.anchor import Anchor
from PETSynthLib.generate.flow.generator import VERSION, FlowGenerator
from PETSynthLib.generate.flow.painting import levels
from PETSynthLib.generate.flow.reading import read_mri
from PETSynthLib.learn.losses.image import LossConfig
from PETSynthLib.learn.methods import METHODS, method_named
from PETSynthLib.learn.methods.flow import FlowConfig, FlowMethod, split_people
from PETSynthLib.learn.methods.flow_anchor import fit_anchor, image_levels, painted_correction
from PETSynthLib.learn.methods.interface import Material, material_of, scanner_of
from PETSynthLib.learn.methods.people import HidingConfig, clinical_scaling, hidden_clinic
from PETSynthLib.learn.methods.unet import UNetConfig, UNetMethod
from PETSynthLib.learn.store import Store, Subject
from PETSynthLib.learn.train import checkpoint
from PETSynthLib.learn.train.prepared import read_prepared
from PETSynthLib.learn.train.run import train_method
from PETSynthLib.learn.train.stream import Stream, example_rng
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import tracer

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("methods") / "store", n=18)


@pytest.fixture(scope="module")
def material(store: Store) -> Material:
    return material_of(store, "auto")


@pytest.fixture(scope="module")
def flow(material: Material) -> FlowMethod:
    torch.manual_seed(0)
    config = FlowConfig(base=8, multipliers=(1, 2), residual_base=8, hold_out=0.3)
    method = FlowMethod(config, material, seed=0)
    method.use(method.prepare(lambda words, done, total: None))
    return method


@pytest.fixture(scope="module")
def run(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    train_method(order("flow", folder, "method.mirror=0"), store, Watching())
    return folder


def inputs_of(material: Material, subject: Subject) -> GeneratorInput:
    store = material.store
    return GeneratorInput(
        t1=material.volume(store.t1(subject.row)),
        brain=material.volume(store.brain(subject.row)),
        flair=material.volume(store.flair(subject.row)) if subject.flair else None,
        tracer=tracer("fdg"),
        clinical=subject.clinical,
        pet_scanner=scanner_of(subject),
    )


class TestRegistry:
    def test_every_method_has_a_generator_of_its_name(self) -> None:
        from PETSynthLib.generate.bundle import METHODS as GENERATORS

        assert {m.name for m in METHODS} <= set(GENERATORS)

    def test_an_unknown_method_is_named(self) -> None:
        with pytest.raises(PETSynthError, match="no method 'gan'"):
            method_named("gan")


class TestMaterial:
    def test_the_pet_without_noise_is_taken_where_it_is_known(self, store: Store) -> None:
        subject = store.split("train")[0]
        clean, noisy = material_of(store, "auto"), material_of(store, "acquired")
        assert (clean.target, noisy.target) == ("truth", "acquired")
        assert np.array_equal(clean.pet(subject, "fdg"), store.truth(subject.row, "fdg"))
        assert np.array_equal(noisy.pet(subject, "fdg"), store.pet(subject.row, "fdg"))
        assert "includes its noise" in noisy.words
        ks = np.array([2, 9])
        whole = clean.pet(subject, "fdg")[:, :, ks].transpose(2, 0, 1)
        assert np.array_equal(clean.pet_slices(subject, "fdg", ks), whole)

    def test_real_pairs_have_no_pet_without_noise(self, tmp_path: Path) -> None:
        real = make_store(tmp_path / "real", n=12, kind="real")
        assert material_of(real, "auto").target == "acquired"
        with pytest.raises(PETSynthError, match="no PET without noise"):
            material_of(real, "truth")


class TestPeople:
    def test_hiding_leaves_what_it_does_not_hide(self, store: Store) -> None:
        subject = store.subjects[0]
        never = HidingConfig(0, 0, 0, 0, 0)
        rng = np.random.default_rng(0)
        assert hidden_clinic(subject, never, rng) == subject.clinical.numbers()
        always = HidingConfig(no_clinic=1)
        assert set(hidden_clinic(subject, always, rng).values()) == {None}
        scores = HidingConfig(0, 1, 0, 0, 0)
        shown = hidden_clinic(subject, scores, rng)
        assert shown["mmse"] is shown["adas13"] is shown["apoe4"] is None
        assert shown["age"] == subject.clinical.age

    def test_scaling_is_mean_and_sd_of_those_who_know(self, store: Store) -> None:
        table = clinical_scaling(store.subjects)
        known = [s.clinical.mmse for s in store.subjects if s.clinical.mmse is not None]
        assert table["mmse"] == [
            pytest.approx(np.mean(known), abs=1e-4),
            pytest.approx(np.std(known), abs=1e-4),
        ]
        assert clinical_scaling(())["age"] == [0.0, 1.0]

    def test_nobody_is_in_both_parts(self, store: Store) -> None:
        learners, held = split_people(store.subjects, 0.3, 0)
        assert len(held) == 5
        assert not {s.anatomy for s in learners} & {s.anatomy for s in held}

    def test_of_few_people_two_are_kept_and_of_very_few_nobody(self, store: Store) -> None:
        learners, held = split_people(store.subjects[:9], 0.1, 0)
        assert (len(learners), len(held)) == (7, 2)
        assert split_people(store.subjects[:5], 0.1, 0) == (store.subjects[:5], ())
        assert split_people(store.subjects, 0.0, 0) == (store.subjects, ())


class TestStream:
    def test_examples_depend_on_seed_and_place_alone(self, material: Material) -> None:
        torch.manual_seed(0)
        method = UNetMethod(UNetConfig(base=8, multipliers=(1,)), material, 0)
        stage = method.stages[0]
        whole = Stream(method, 3, 4, 1, 0, 1).draw(0, stage, 5, 0)
        halves = [Stream(method, 3, 2, 1, rank, 2).draw(0, stage, 5, 0) for rank in (0, 1)]
        parts = [Stream(method, 3, 2, 2, 0, 1).draw(0, stage, 5, part) for part in (0, 1)]
        for name, value in whole.items():
            assert torch.equal(value, torch.cat([h[name] for h in halves])), name
            assert torch.equal(value, torch.cat([p[name] for p in parts])), name
        other = Stream(method, 4, 4, 1, 0, 1).draw(0, stage, 5, 0)
        assert not torch.equal(whole["images"], other["images"])

    def test_stages_have_their_own_chance(self) -> None:
        assert example_rng(0, 0, 7).random() != example_rng(0, 1, 7).random()


class TestAnchor:
    def test_trust_is_what_the_network_adds_to_the_regional_model(self) -> None:
        rng = np.random.default_rng(0)
        deviation = 0.1 * rng.normal(size=(40, 2, 5))
        unseen = 0.1 * rng.normal(size=(40, 2, 5))
        # The first tracer's network says half of what the model misses, twice as loud; the
        # second one's says something unrelated.
        said = np.stack([2 * unseen[:, 0], 0.1 * rng.normal(size=(40, 5))], 1)
        true = 1.5 + deviation + unseen
        level = 1.2 + deviation + said
        anchor = fit_anchor(level, deviation, true - 0.2, true, np.full((2, 5), 1.5))
        assert anchor.trust[0] == pytest.approx(0.5, abs=0.02)
        assert anchor.trust[1] < 0.15
        assert anchor.centre == pytest.approx(np.full((2, 5), 1.2), abs=0.06)
        assert anchor.offset == pytest.approx(np.full((2, 5), 0.2))

    def test_an_offset_within_its_error_is_none(self) -> None:
        rng = np.random.default_rng(1)
        true = rng.normal(size=(30, 1, 200))
        zero = np.zeros_like(true)
        offset = fit_anchor(zero, zero, zero, true, zero[0]).offset
        plain = true.mean(0)
        assert np.abs(offset).mean() < 0.5 * np.abs(plain).mean()

    def test_one_person_gives_no_offset(self) -> None:
        true = np.full((1, 1, 5), 1.5)
        zero = np.zeros_like(true)
        assert not fit_anchor(zero, zero, zero, true, zero[0]).offset.any()

    def test_unknown_regions_and_tracers_do_not_count(self) -> None:
        rng = np.random.default_rng(0)
        deviation, unseen = rng.normal(size=(2, 30, 2, 3))
        level = deviation + unseen
        level[:, 0, 0] = np.nan
        true = deviation + unseen
        true[:, 1] = np.nan
        anchor = fit_anchor(level, deviation, level, true, np.zeros((2, 3)))
        assert anchor.trust[0] == pytest.approx(1.0, abs=0.05)
        assert anchor.trust[1] == 0.0
        assert np.isfinite(anchor.centre).all()


class TestFlow:
    def test_an_example_is_complete_and_finite(self, flow: FlowMethod) -> None:
        for stage in flow.stages:
            flow.begin(stage)
            subject = stage.subjects[0]
            example = flow.draw(stage, subject, np.random.default_rng(0))
            again = flow.draw(stage, subject, np.random.default_rng(0))
            for name, value in example.items():
                assert np.isfinite(value).all(), name
                assert np.array_equal(value, again[name]), name

    def test_a_missing_tracer_has_no_weight(self, flow: FlowMethod) -> None:
        stage = flow.stages[0]
        lacking = next(s for s in flow.material.train if len(s.tracers) == 1)
        example = flow.draw(stage, lacking, np.random.default_rng(0))
        assert example["there"].tolist() == [1.0, 0.0]
        batch = {k: torch.from_numpy(np.asarray(v)[None]) for k, v in example.items()}
        first = flow.mean_stage.loss(batch)["loss"]
        batch["target"][:, :, 1] += 100.0
        assert flow.mean_stage.loss(batch)["loss"] == first

    def test_the_spread_cannot_move_the_mean(self, flow: FlowMethod) -> None:
        example = flow.draw(flow.stages[0], flow.material.train[0], np.random.default_rng(0))
        batch = {k: torch.from_numpy(np.asarray(v)[None]) for k, v in example.items()}
        flow.mean.zero_grad()
        flow.mean_stage.loss(batch)["spread"].backward()
        maps = flow.mean.maps_per_tracer
        gradient = flow.mean.head.weight.grad.reshape(2, maps, 4, -1)
        assert float(gradient[:, :-1].abs().sum()) == 0.0
        assert float(gradient[:, -1].abs().sum()) > 0.0
        flow.mean.zero_grad()

    def test_nobody_is_told_a_deviation_that_was_fitted_on_himself(self, flow: FlowMethod) -> None:
        subject = flow.material.train[0]
        assert flow.regional.model_for[subject.row] is not flow.regional.whole
        stranger = flow.material.validation[0]
        assert stranger.row not in flow.regional.model_for

    def test_anchor_and_spread_come_from_people_the_mean_has_not_seen(
        self, material: Material, flow: FlowMethod, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fitted: list[int] = []

        def noted(level: np.ndarray, *rest: np.ndarray) -> Anchor:
            fitted.append(len(level))
            return fit_anchor(level, *rest)

        monkeypatch.setattr("PETSynthLib.learn.methods.flow_residual.fit_anchor", noted)
        few = Material(material.store, "truth", material.train[:5], material.validation)
        torch.manual_seed(0)
        alone = FlowMethod(FlowConfig(base=8, multipliers=(1, 2), residual_base=8), few, seed=0)
        alone.use(alone.prepare(lambda words, done, total: None))
        for method in (flow, alone):
            method.begin(method.stages[1])
        assert fitted == [3 + 3, 3]  # 30 % of 9 people and the validation's; the latter alone
        assert alone.stages[1].subjects == few.train
        assert "Nobody was kept" in alone.bundle()["card"]
        assert "Nobody was kept" not in flow.bundle()["card"]

    def test_it_takes_the_perceptual_loss_of_its_axial_slices(
        self, material: Material, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = Material(material.store, "truth", material.train[:5], material.validation)

        def made(kind: str) -> FlowMethod:
            torch.manual_seed(0)
            loss = LossConfig(perceptual=kind, vgg=__file__)  # type: ignore[arg-type]
            config = FlowConfig(base=8, multipliers=(1, 2), residual_base=8, loss=loss)
            return FlowMethod(config, few, seed=0)

        class Pooled(torch.nn.Module):
            dims = 2

            def __init__(self) -> None:
                super().__init__()
                self.register_buffer("mean", torch.zeros(3))

            def forward(self, grey: torch.Tensor, *, normalise: bool = True) -> torch.Tensor:
                return torch.nn.functional.avg_pool2d(grey, 8)

        monkeypatch.setattr("PETSynthLib.learn.losses.image.load_vgg", lambda *rest: Pooled())
        with pytest.raises(PETSynthError, match="learns single axial slices"):
            made("cyclic")
        method = made("2d")
        method.use(method.prepare(lambda words, done, total: None))
        batch = Stream(method, 0, 2, 1, 0, 1).draw(0, method.stages[0], 0, 0)
        terms = method.mean_stage.loss(batch)
        whole = terms["image"] + 0.02 * terms["spread"] + terms["perceptual"]
        assert float(terms["loss"].detach()) == pytest.approx(float(whole.detach()))
        terms["perceptual"].backward()
        assert float(method.mean.head.weight.grad.abs().sum()) > 0

    def test_a_training_of_eight_steps_learns_what_it_always_did(
        self, store: Store, tmp_path: Path
    ) -> None:
        """Whoever means to change the method writes down new numbers."""
        train_method(order("flow", tmp_path / "r", "method.hold_out=0.3"), store, Watching())
        found = [float(value) for *_, name, value in losses(tmp_path / "r") if name == "loss"]
        mean = (0.5698335, 0.5556626, 0.4134317, 0.2460478, 0.5196947, 0.2180639)
        # Other processors round otherwise.
        assert found == pytest.approx([*mean, 0.3955168, 0.3930575], rel=1e-3)

    def test_the_bundle_draws_what_the_method_predicts(self, material: Material, run: Path) -> None:
        loaded = load_generator(str(run / "bundle"), "cpu")
        subject = material.validation[0]
        given = inputs_of(material, subject)
        made = loaded.generator.generate(given, Effort(samples=2, steps=2), Silent())
        torch.manual_seed(0)
        config = FlowConfig(base=8, multipliers=(1, 2), residual_base=8)
        method = FlowMethod(config, material, 0)
        method.use(read_prepared(run))
        kept = checkpoint.load(run / "best-mean.pt")["players"]["mean"]
        method.mean.load_state_dict(kept)
        scanner, flair = scanner_of(subject), subject.flair
        numbers = subject.clinical.numbers()
        mean, _ = method.mean_stage.predict(subject, numbers, flair=flair, scanner=scanner)
        method.begin(method.stages[1])
        _, grey = method.regional.read(subject)
        level = image_levels(method.suvr(mean), grey, method.grid)
        deviation = method.regional.expects(subject, numbers, flair, scanner)[0]
        mean = mean + painted_correction(
            method.anchor, level, deviation.astype(np.float64), method.scale, method.grid
        )
        drawn = mean[0].clamp_min(0).numpy().transpose(1, 2, 0)
        # The generator averages over the mirror image too, and its weights are float16.
        assert np.abs(made.mean.data - drawn).mean() < 0.05
        assert len(made.samples) == 2
        assert loaded.bundle.facts["version"] == VERSION
        other = loaded.generator.generate(
            GeneratorInput(
                given.t1, given.brain, given.flair, given.tracer, ClinicalRecord(mmse=5)
            ),
            Effort(),
            Silent(),
        )
        assert not np.allclose(other.mean.data, made.mean.data)

    def test_how_much_a_region_has_is_drawn_by_the_regional_model_alone(
        self, material: Material, run: Path
    ) -> None:
        generator = load_generator(str(run / "bundle"), "cpu").generator
        assert isinstance(generator, FlowGenerator)
        assert generator.regional is not None
        given = inputs_of(material, material.validation[0])
        _, grey = read_mri(given.t1, given.brain, given.flair)
        none = np.zeros_like(generator.regional.own)

        def change(own: float, said: float) -> tuple[float, float]:
            """How far a sample's levels are from the mean's, and how far the flow alone goes."""
            model = replace(
                generator.regional,
                shared=np.zeros_like(generator.regional.shared),
                own=np.full_like(none, own),
            )

            def lifting(x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
                return torch.full_like(x, said)

            made = replace(generator, regional=model, residual_network=lifting).generate(
                given, Effort(samples=1, steps=2), Silent()
            )
            moved = made.samples[0].data - made.mean.data
            found, alone = (
                float(np.nanmedian(np.abs(levels(image, grey, given.t1.grid))))
                for image in (moved, said * made.sd.data)
            )
            return found, alone

        lifted, untied = change(0.0, 2.0)
        assert lifted < 0.2 * untied
        drawn, _ = change(0.1, 0.0)
        assert 0.03 < drawn < 0.12


class TestUNet:
    def test_it_learns_the_mean_of_its_cohort(self, store: Store, tmp_path: Path) -> None:
        watching = Watching()
        sets = ("train.steps=60", "train.learning_rate=5e-3", "train.validate_every=60")
        train_method(order("unet", tmp_path / "r", *sets), store, watching)
        fresh = Watching()
        train_method(order("unet", tmp_path / "f", max_minutes=0.0), store, fresh)
        assert watching.scores[-1][2] < 0.5 * fresh.scores[0][2]
