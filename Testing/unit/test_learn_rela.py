"""Training `rela`: losses against their formulas, modalities, latents, distillation, failures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from test_learn_train import given
from train_case import SMALL, Watching, losses, make_store, order

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.generate import Effort, load_generator
from PETSynthLib.generate.rela.network import Shape
from PETSynthLib.generate.schedules import trailing_steps
from PETSynthLib.learn.methods.interface import Batch, Material, material_of, scanner_of
from PETSynthLib.learn.methods.people import HidingConfig
from PETSynthLib.learn.methods.ranges import NO_SCALE
from PETSynthLib.learn.methods.rela import RelaMethod, labels_of
from PETSynthLib.learn.methods.rela_config import DistilConfig, RelaConfig, RelativisticConfig
from PETSynthLib.learn.methods.rela_diffusion import soft_clamp
from PETSynthLib.learn.settings import build, read_yaml
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train import checkpoint
from PETSynthLib.learn.train.run import Order, settings_file, settings_of, train_method
from PETSynthLib.progress import Silent

pytestmark = pytest.mark.torch
TINY = RelaConfig(channels=(8, 16), head=16, rival=RelativisticConfig(base=4), steps=2, draws=2)
T = 1000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("rela") / "store", n=12)


@pytest.fixture(scope="module")
def material(store: Store) -> Material:
    return material_of(store, "auto")


def new(material: Material, config: RelaConfig = TINY) -> RelaMethod:
    """A method whose networks say something (fresh ones say 0)."""
    torch.manual_seed(0)
    method = RelaMethod(config, material, seed=0)
    method.use(method.prepare(lambda words, done, total: None))
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in method.network.parameters():
            parameter += 0.02 * torch.randn(parameter.shape, generator=chance)
    return method


def batch_of(method: RelaMethod, *times: int, row: int = 0) -> Batch:
    stage = method.stages[0]
    examples = [
        method.draw(stage, method.material.train[row], np.random.default_rng(n))
        for n in range(len(times))
    ]
    batch = {k: torch.from_numpy(np.stack([e[k] for e in examples])) for k in examples[0]}
    return {**batch, "time": torch.tensor(times)}


class TestLosses:
    def test_noise_and_clean_prediction_are_the_paper_s(self, material: Material) -> None:
        paper = replace(TINY, says="epsilon", clean="paper", scaling="fixed", outside=1.0, patch=1)
        method = new(material, paper)
        batch = batch_of(method, 700)
        with torch.no_grad():
            looked = method.pieces.look(batch)
            terms = method.pieces.generator_loss(batch)
        a = method.diffusion.alphas[700].float()
        x = a.sqrt() * batch["pet"] + (1 - a).sqrt() * batch["noise"]
        clean = (x - (1 - a).sqrt() * looked.epsilon) / a.sqrt()
        l1 = (clean.clamp(-1, 1) - batch["pet"]).abs().mean()
        mse = (looked.epsilon - batch["noise"]).square().mean()
        assert float(terms["epsilon"]) == pytest.approx(float(mse), rel=1e-4)
        assert float(terms["clean"]) == pytest.approx(float(l1), rel=1e-3)
        assert float(terms["loss"]) == pytest.approx(float(mse + l1), rel=1e-3)
        share = (clean.abs() > 1).float().mean()
        assert float(terms["clamped"]) == pytest.approx(float(share), abs=1e-3)
        assert float(share) > 0.1

    def test_outside_of_the_brain_an_error_counts_for_less(self, material: Material) -> None:
        method = new(material, replace(TINY, patch=1, outside=0.25))
        brain = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 4, 1, 1)
        errors = torch.tensor([2.0, 4.0, 8.0, 0.0]).reshape(1, 1, 4, 1, 1)
        # (2 + 4 + 8 / 4) / (1 + 1 + 1 / 4 + 1 / 4)
        assert method.pieces.over_brain(errors, brain).tolist() == pytest.approx([3.2])
        latent = new(material, replace(TINY, space="latent", latent=replace(TINY.latent, base=8)))
        corner = torch.zeros(1, 1, 8, 8, 8)
        corner[..., 0, 0, 0] = 1.0
        assert latent.space.cover(corner).sum().item() == latent.space.channels

    def test_by_default_late_steps_count_less_and_still_teach(self, material: Material) -> None:
        slopes = {}
        for clean in ("paper", "weighted"):
            method = new(material, replace(TINY, says="epsilon", clean=clean))
            batch = batch_of(method, 999)
            method.network.zero_grad()
            method.pieces.generator_loss(batch)["clean"].backward()
            bias = method.network.out[2].conv.bias.grad
            slopes[clean] = float(bias.abs().sum())
        noise, weight = method.pieces.weights(torch.tensor([0, 999]))
        assert noise.tolist() == [1.0, 1.0]
        assert weight.tolist() == pytest.approx([1.0, 1 / 48.3], rel=0.01)
        early, plain = new(material, TINY).pieces.weights(torch.tensor([0, 999]))
        assert plain.tolist() == [1.0, 1.0]  # the network says the clean picture itself
        assert early.tolist() == pytest.approx([5e-4 / (1 - 5e-4), 1.0], rel=0.01)
        assert 0 < slopes["weighted"] < 1.0
        # The clamp has taken most voxels' slope, the rest is multiplied by 48.
        assert slopes["paper"] != pytest.approx(slopes["weighted"], rel=0.5)

    def test_every_timestep_meets_the_rival(self, material: Material) -> None:
        method = new(material)
        for step in (0, 500, 999):
            batch = batch_of(method, step)
            with torch.no_grad():
                terms = method.pieces.deceiving_loss(batch)
                plain = method.pieces.generator_loss(batch)
            added = float(terms["loss"] - plain["loss"])
            assert added == pytest.approx(0.1 * float(terms["relativistic"]), rel=1e-3)
            assert float(terms["relativistic"]) > 0

    def test_the_rival_pairs_the_same_subject_and_pays_for_its_slope(
        self, material: Material
    ) -> None:
        method = new(material)
        batch = batch_of(method, 600)
        for parameter in method.pieces.rival.parameters():
            torch.nn.init.normal_(parameter, 0, 0.2)
        terms = method.pieces.rival_loss(batch)
        looked = method.pieces.look(batch)
        made = method.pieces.held(looked.clean).detach()
        scores = [method.pieces.judged(x, looked.mri, batch["tracer"]) for x in (looked.pet, made)]
        pairs = torch.nn.functional.softplus(scores[1] - scores[0]).mean()
        slopes = terms["r1"] + terms["r2"]
        assert float(terms["relativistic"].detach()) == pytest.approx(
            float(pairs.detach()), rel=1e-4
        )
        expected = 0.1 * (float(pairs.detach()) + 0.5e-3 * float(slopes.detach()))
        assert float(terms["loss"].detach()) == pytest.approx(expected, rel=1e-4)
        terms["loss"].backward()
        assert all(p.grad is not None for p in method.pieces.rival.parameters())
        assert all(p.grad is None for p in method.network.parameters())

    def test_the_rival_may_see_nothing_but_the_picture(self, material: Material) -> None:
        blind = replace(TINY, rival=RelativisticConfig(base=4, sees=()))
        method = new(material, blind)
        assert method.pieces.rival.first.in_channels == method.space.channels
        assert method.pieces.rival.label is None
        assert torch.isfinite(method.pieces.rival_loss(batch_of(method, 5))["loss"])

    def test_without_a_weight_there_is_no_rival(self, material: Material) -> None:
        method = new(material, replace(TINY, rival=RelativisticConfig(weight=0.0)))
        assert [s.name for s in method.stages] == ["diffusion"]
        assert method.stages[0].share == 1.0

    def test_the_soft_clamp_keeps_what_is_inside_and_a_slope_outside(self) -> None:
        x = torch.tensor([-0.5, 1.0, 4.0, -10.0], requires_grad=True)
        y = soft_clamp(x, 1.0)
        y.sum().backward()
        assert y.tolist() == pytest.approx([-0.5, 1.0, 1 + 1.3863, -1 - 2.3026], abs=1e-4)
        assert x.grad is not None
        assert x.grad[[0, 2, 3]].tolist() == pytest.approx([1.0, 0.25, 0.1])


class TestDeviation:
    def test_what_is_said_by_nobody_is_the_mean_pet(self, material: Material) -> None:
        method = RelaMethod(TINY, material, 0)
        method.use(method.prepare(lambda words, done, total: None))
        pets = [material.pet(s, "fdg") for s in material.train if "fdg" in s.tracers]
        mean, nothing = np.mean(pets, 0), torch.zeros(1, 1, 16, 16, 16)
        assert np.allclose(method.suvr(nothing, "fdg"), mean, atol=2e-3)
        brain = np.mean([material.store.brain(s.row) for s in material.train], 0) >= 0.5
        sd = float(np.sqrt(np.var(pets, 0)[brain].mean()))
        assert method.facts["suvr_sd"]["fdg"] == pytest.approx(sd, rel=1e-3)
        numbers = method.scaled(pets[0], material.store.brain(0), "fdg")
        assert np.allclose(method.suvr(numbers[None], "fdg"), pets[0], atol=2e-3)
        assert 0.3 < float(numbers[0][torch.from_numpy(brain)].std()) < 3.0

    def test_a_mirrored_example_is_off_the_same_mean(self, material: Material) -> None:
        method = new(material, replace(TINY, mirror=1.0))
        subject = material.train[0]
        example = method.draw(method.stages[0], subject, np.random.default_rng(0))
        tracer = {v: k for k, v in method.facts["tracer_labels"].items()}[int(example["tracer"])]
        pet, brain = material.pet(subject, tracer), material.store.brain(subject.row)
        wanted = method.scaled(pet[::-1], brain[::-1], tracer).numpy()
        assert np.array_equal(example["pet"], wanted)

    @pytest.mark.parametrize(("scaling", "empty"), [("deviation", 0.0), ("fixed", -1.0)])
    def test_what_lies_outside_the_brain_is_not_learnt(
        self, material: Material, scaling: str, empty: float
    ) -> None:
        method = new(material, replace(TINY, scaling=scaling))
        brain = material.store.brain(0)
        pet = method.scaled(np.full(brain.shape, 1.1, np.float32), brain, "fdg")[0].numpy()
        assert (pet[~brain] == empty).all()
        assert (pet[brain] != empty).any()

    def test_another_grid_is_no_model_to_begin_with(self, material: Material) -> None:
        method = new(material)
        tensors = {k: v[1:] if k == "mean.fdg" else v for k, v in method.tensors().items()}
        with pytest.raises(ValueError, match="mean"):
            new(material).load(tensors, method.facts)


class TestExamples:
    def test_each_choice_of_images_is_drawn_and_never_none(self, material: Material) -> None:
        config = replace(TINY, flair_only=0.3, hide=HidingConfig(no_flair=0.3))
        method = new(material, config)
        subject = next(s for s in material.train if s.flair)
        seen = set()
        for n in range(60):
            mri = method.draw(method.stages[0], subject, np.random.default_rng(n))["mri"]
            seen.add(tuple(bool((image > -1).any()) for image in mri))
        assert seen == {(True, True), (True, False), (False, True)}

    def test_who_has_no_flair_shows_the_t1(self, material: Material) -> None:
        method = new(material, replace(TINY, flair_only=1.0))
        subject = next(s for s in material.train if not s.flair)
        mri = method.draw(method.stages[0], subject, np.random.default_rng(0))["mri"]
        assert (mri[0] > -1).any()
        assert (mri[1] == -1).all()

    def test_who_lacks_a_tracer_is_never_asked_for_it(self, material: Material) -> None:
        method = new(material)
        subject = next(s for s in material.train if len(s.tracers) == 1)
        label = method.facts["tracer_labels"][subject.tracers[0]]
        drawn = {
            int(method.draw(method.stages[0], subject, np.random.default_rng(n))["tracer"])
            for n in range(20)
        }
        assert drawn == {label}

    def test_the_network_is_told_how_blurred_the_wanted_pet_is(self, material: Material) -> None:
        subject = material.train[0]
        sharp, soft = (
            new(material, replace(TINY, blur_mm=mm, mirror=0.0, scaling="fixed")).draw(
                new(material).stages[0], subject, np.random.default_rng(3)
            )
            for mm in (0.0, 40.0)
        )
        assert sharp["told"][-1] == 0.0
        assert soft["told"][-1] > 0.1
        edges = [float(np.abs(np.diff(e["pet"], axis=1)).sum()) for e in (sharp, soft)]
        assert edges[1] < edges[0]

    def test_published_labels_come_first(self) -> None:
        assert labels_of(["fdg", "pbr28", "flortaucipir", "pib", "florbetapir"]) == {
            "fdg": 3, "pbr28": 0, "flortaucipir": 2, "pib": 1, "florbetapir": 4,
        }  # fmt: skip


@pytest.fixture(scope="module")
def run(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody stopped."""
    folder = tmp_path_factory.mktemp("rela-run") / "run"
    train_method(order("rela", folder), store, Watching())
    return folder


class TestRuns:
    def test_the_warm_up_has_no_rival_and_what_is_clamped_is_logged(self, run: Path) -> None:
        names: dict[str, set[str]] = {}
        for stage, _, name, _ in losses(run):
            names.setdefault(stage, set()).add(name)
        assert "clamped" in names["diffusion"]
        assert not any("relativistic" in n for n in names["diffusion"])
        assert {"generator_clamped", "generator_relativistic", "discriminator_r2"} <= names[
            "adversarial"
        ]

    def test_a_stopped_run_goes_on_as_if_nothing_had_happened(
        self, store: Store, run: Path, tmp_path: Path
    ) -> None:
        from PETSynthLib.errors import Cancelled

        with pytest.raises(Cancelled):
            train_method(order("rela", tmp_path / "r"), store, Watching(break_at=3))
        train_method(order("rela", tmp_path / "r", resume=True), store, Watching())
        assert losses(tmp_path / "r") == losses(run)

    def test_the_bundle_draws_what_the_method_samples(self, store: Store, run: Path) -> None:
        loaded = load_generator(str(run / "bundle"), "cpu")
        config = loaded.bundle.config
        assert config["uses"][0] == "flair"
        assert "needs" not in config
        method = new(material_of(store, "auto"))
        kept = checkpoint.load(run / "best-adversarial.pt")["players"]["generator"]
        method.network.load_state_dict(kept)
        subject = store.split("test")[0]
        sampled = method.sample(subject, "fdg", method.sample_steps(2), seed=4)
        inputs = replace(
            given(store),
            flair=method.material.volume(store.flair(subject.row)),
            pet_scanner=scanner_of(subject),
        )
        assert subject.flair
        made = loaded.generator.generate(inputs, Effort(samples=1, steps=2, seed=4), Silent())
        # float16 weights, bfloat16 arithmetic where the processor is fast at it
        assert np.abs(made.samples[0].data - sampled).mean() < 0.02 * sampled.mean()

    def test_a_model_that_was_never_without_flair_needs_one(
        self, store: Store, tmp_path: Path
    ) -> None:
        people = tuple(s for s in store.subjects if s.flair)
        everyone = Store(store.folder, store.facts, people)
        folder = train_method(
            order("rela", tmp_path / "r", "method.hide.no_flair=0", max_minutes=0.0),
            everyone,
            Watching(),
        )
        bundle = load_generator(str(folder), "cpu").bundle
        assert bundle.needs == ("flair",)
        with pytest.raises(PETSynthError, match="cannot do without a FLAIR"):
            bundle.require_images(flair=False)

    def test_some_tracers_of_a_store_can_be_learnt_alone(
        self, store: Store, tmp_path: Path
    ) -> None:
        sets = ('train.tracers=["florbetapir"]',)
        folder = train_method(
            order("rela", tmp_path / "r", *sets, max_minutes=0.0), store, Watching()
        )
        config = json.loads((folder / "config.json").read_text())
        assert config["tracers"] == ["florbetapir"]
        only = store.only(["florbetapir"])
        assert {s.tracers for s in only.subjects} == {("florbetapir",)}
        assert len(only.subjects) == 8  # every third person has none
        with pytest.raises(PETSynthError, match="has no PET of pib"):
            store.only(["pib"])

    def test_a_rival_that_became_no_number_keeps_the_last_good_state(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from PETSynthLib.learn.methods.rela_diffusion import DiffusionPart

        real = DiffusionPart.rival_loss

        def broken(self: DiffusionPart, batch: Batch) -> dict[str, torch.Tensor]:
            terms = real(self, batch)
            return {**terms, "loss": terms["loss"] * math.nan}

        monkeypatch.setattr(DiffusionPart, "rival_loss", broken)
        with pytest.raises(PETSynthError, match=r"discriminator .* no number at step 0") as told:
            train_method(order("rela", tmp_path / "r"), store, Watching())
        assert told.value.code is ErrorCode.TRAINING
        kept = checkpoint.load(tmp_path / "r" / "last.pt")
        assert kept["stage"] == 0
        weights = kept["players"]["generator"]["network"]
        assert all(torch.isfinite(v).all() for v in weights.values())


class TestLatent:
    def test_autoencoders_come_first_and_latents_are_standardised(
        self, store: Store, tmp_path: Path
    ) -> None:
        sets = ("method.space=latent", "method.latent.base=8")
        watching = Watching()
        folder = train_method(order("rela", tmp_path / "r", *sets), store, watching)
        assert list(dict.fromkeys(s for s, *_ in watching.steps)) == [
            "autoencoder",
            "diffusion",
            "adversarial",
        ]
        generator = load_generator(str(folder), "cpu").generator
        made = generator.generate(given(store), Effort(), Silent())
        assert np.isfinite(made.mean.data).all()
        config = replace(TINY, space="latent", latent=replace(TINY.latent, base=8))
        method = new(material_of(store, "auto"), config)
        method.begin(method.stages[1])
        images = [
            torch.from_numpy(method.latents.pet(s, t))[None]
            for s in method.material.train
            for t in s.tracers
        ]
        z = torch.cat([method.space.encode(image) for image in images])
        assert z.mean((0, 2, 3, 4)).abs().max() < 1e-3
        assert torch.allclose(z.std((0, 2, 3, 4), correction=0), torch.ones(4), atol=1e-2)

    def test_an_autoencoder_learns_from_its_own_image_alone(self, material: Material) -> None:
        method = new(material, replace(TINY, space="latent", latent=replace(TINY.latent, base=8)))
        example = method.draw(method.stages[0], material.train[1], np.random.default_rng(0))
        batch = {k: torch.from_numpy(np.asarray(v)[None]) for k, v in example.items()}
        pet, mri = method.stages[0].players
        terms = pet(batch)
        terms["loss"].backward()
        assert all(p.grad is not None for p in pet.network.parameters())
        assert all(p.grad is None for p in mri.network.parameters())
        expected = float(terms["error"].detach()) + 1e-4 * float(terms["size"].detach())
        assert float(terms["loss"].detach()) == pytest.approx(expected)


class TestDistillation:
    def test_a_teacher_is_asked_for(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="needs a finished model") as told:
            train_method(order("rela", tmp_path / "r", "method.distil.steps=4"), store, Watching())
        assert "--init" in told.value.hint

    def test_a_student_of_one_small_step_each_is_the_teacher(self, material: Material) -> None:
        # With one teacher step a leg there is nothing to learn: the aim is what is said already.
        config = replace(TINY, distil=DistilConfig(steps=4, teacher_steps=1), hide=HidingConfig())
        method = new(material, config)
        method.distilling.teach(method.network)
        batch = batch_of(method, 749)
        batch["leg"] = torch.tensor([1])
        pet, mri = method.space.encode(batch["pet"]), method.space.see(batch["mri"])
        x = method.diffusion.noisy(pet, batch["noise"], batch["time"])
        from PETSynthLib.generate.rela.sampling import Known, predictor

        known = Known(mri, batch["tracer"], batch.get("told"))
        with torch.no_grad():
            said = predictor(method.network, method.space, method.diffusion, known)(x, 749)
        assert torch.allclose(method.distilling.aim(x, known, 1), said, atol=1e-4)

    def test_legs_join_and_end_at_the_picture(self, material: Material) -> None:
        method = new(material, replace(TINY, distil=DistilConfig(steps=3, teacher_steps=5)))
        part = method.distilling
        assert [leg[0] for leg in part.legs] == part.steps == trailing_steps(T, 3)
        assert [t for leg in part.legs for t in leg] == trailing_steps(T, 15)

    def test_the_student_s_bundle_takes_its_own_steps(self, store: Store, tmp_path: Path) -> None:
        teacher = train_method(order("rela", tmp_path / "t", max_minutes=0.0), store, Watching())
        sets = ("method.distil.steps=3", "method.distil.teacher_steps=2", "train.steps=2")
        folder = train_method(
            order("rela", tmp_path / "s", *sets, init=str(teacher)), store, Watching()
        )
        generator = load_generator(str(folder), "cpu").generator
        made = generator.generate(given(store), Effort(samples=1, steps=50), Silent())
        assert made.details["steps"] == 3
        assert "Distilled to 3 steps" in (folder / "README.md").read_text()


class TestConfigurations:
    @pytest.mark.parametrize("name", ["paper", "latent", "distil"])
    def test_every_configuration_is_understood(self, name: str, tmp_path: Path) -> None:
        made = settings_of(Order("rela", tmp_path, settings_file("rela", name)))
        assert made.method != RelaConfig()

    def test_the_paper_s_goes_forward_and_backward_on_a_reduced_grid(self, tmp_path: Path) -> None:
        tracers = ("flortaucipir", "pib")
        published = make_store(tmp_path / "store", n=6, shape=(8, 8, 8), tracers=tracers)
        body = read_yaml(settings_file("rela", "paper"))
        method = RelaMethod(
            build(RelaConfig, body["method"]), material_of(published, "acquired"), 0
        )
        assert method.network.shape == Shape()  # 3,038,017 parameters
        batch = batch_of(method, 300)
        generator, discriminator = method.stages[1].players
        for player in (generator, discriminator):
            terms = player(batch)
            terms["loss"].backward()
            assert torch.isfinite(terms["loss"])
            assert all(
                p.grad is not None and torch.isfinite(p.grad).all()
                for n, p in player.network.named_parameters()
            )

    def test_the_laptop_learns_a_scale_and_the_paper_none(self, material: Material) -> None:
        assert SMALL["rela"]
        paper = RelaMethod(replace(TINY, scaling="paper"), material, 0)
        assert NO_SCALE in paper.bundle()["card"]
        assert NO_SCALE not in RelaMethod(TINY, material, 0).bundle()["card"]
        # What a published picture's ends are taken for: the mean range of the training scans.
        paper.use(paper.prepare(lambda words, done, total: None))
        own = [material.pet(s, "fdg") for s in material.train if "fdg" in s.tracers]
        low, high = paper.facts["suvr_range"]["fdg"]
        assert high == pytest.approx(np.mean([pet.max() for pet in own]), rel=1e-6)
        assert low == pytest.approx(np.mean([pet.min() for pet in own]), abs=1e-6)
