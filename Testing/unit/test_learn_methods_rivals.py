"""The rivals of the tables: every one is trained, kept, resumed and run from its bundle."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from train_case import SMALL, Watching, losses, make_store, order

from PETSynthLib.errors import Cancelled, PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, load_generator
from PETSynthLib.learn.losses.vgg import BLOCKS, VggFeatures
from PETSynthLib.learn.methods import METHODS
from PETSynthLib.learn.methods.augment import AugmentConfig, augmented
from PETSynthLib.learn.methods.interface import Material, material_of, scanner_of
from PETSynthLib.learn.methods.standardise import covariates, fit_standardisation
from PETSynthLib.learn.methods.unet import UNetConfig, UNetMethod
from PETSynthLib.learn.place import Place
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train.run import (
    Order,
    settings_file,
    settings_of,
    settings_schema,
    train_method,
)
from PETSynthLib.learn.train.stream import Stream
from PETSynthLib.progress import Silent

pytestmark = pytest.mark.torch

RIVALS = ("unetr", "swinunetr", "pix2pix", "cyclegan", "bbdm", "ddpm")
THREE = ("train.steps=3", "train.validate_every=3", "train.checkpoint_every=1")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("rivals") / "store", n=18)


@pytest.fixture(scope="module")
def material(store: Store) -> Material:
    return material_of(store, "auto")


@pytest.fixture
def narrow_vgg(monkeypatch: pytest.MonkeyPatch) -> str:
    """A file's name for which a VGG-16 with an eighth of its channels is loaded."""

    def load(path: Path, dims: int) -> VggFeatures:
        generator = torch.Generator().manual_seed(0)
        table, before = {}, 3
        for block, (wide, count) in enumerate(BLOCKS, 1):
            for number in range(1, count + 1):
                kernel = torch.randn(wide // 16, before, 3, 3, generator=generator)
                spread = (2 / (9 * before)) ** 0.5
                table[f"block{block}_conv{number}"] = (spread * kernel, torch.zeros(wide // 16))
                before = wide // 16
        return VggFeatures(table, torch.zeros(3), dims)

    monkeypatch.setattr("PETSynthLib.learn.losses.image.load_vgg", load)
    return __file__


def given(material: Material, scanner: str | None = None) -> GeneratorInput:
    inputs = material.inputs(material.validation[0], "fdg")
    return replace(inputs, pet_scanner=scanner or inputs.pet_scanner)


def loss_of(method: Any, batch: dict[str, torch.Tensor]) -> float:
    return float(method.stages[0].players[0](batch)["loss"].detach())


def one_batch(method: Any) -> dict[str, torch.Tensor]:
    return Stream(method, 0, 2, 1, 0, 1).draw(0, method.stages[0], 0, 0)


class TestEveryRival:
    @pytest.mark.parametrize("name", RIVALS)
    def test_it_trains_and_its_bundle_draws_what_it_predicts(
        self, name: str, store: Store, material: Material, tmp_path: Path
    ) -> None:
        steps = ("train.steps=1",) if name == "swinunetr" else THREE  # it is slow
        folder = train_method(order(name, tmp_path / "r", *steps), store, Watching())
        loaded = load_generator(str(folder), "cpu")
        assert loaded.bundle.method == name
        samples = 2 if name in ("bbdm", "ddpm") else 0
        made = loaded.generator.generate(given(material), Effort(samples, 3), Silent())
        assert np.isfinite(made.mean.data).all()
        assert made.sd.data.max() > 0
        assert len(made.samples) == samples
        if samples:
            mean = np.mean([s.data for s in made.samples], 0)
            assert np.allclose(made.mean.data, mean, atol=1e-5)
            assert not np.allclose(made.samples[0].data, made.samples[1].data)
        else:
            with pytest.raises(PETSynthError, match="draws no samples"):
                loaded.generator.generate(given(material), Effort(samples=1), Silent())

    def test_pools_and_rivals_survive_an_interruption(self, store: Store, tmp_path: Path) -> None:
        whole, broken = tmp_path / "whole", tmp_path / "broken"
        train_method(order("cyclegan", whole, *THREE), store, Watching())
        with pytest.raises(Cancelled):
            train_method(order("cyclegan", broken, *THREE), store, Watching(break_at=2))
        train_method(order("cyclegan", broken, *THREE, resume=True), store, Watching())
        assert losses(broken) == losses(whole)

    def test_settings_that_do_not_fit_are_one_sentence(self, store: Store, tmp_path: Path) -> None:
        for name, wrong in (("unetr", "method.heads=5"), ("swinunetr", "method.heads=3")):
            with pytest.raises(PETSynthError, match="divide by"):
                train_method(order(name, tmp_path / name, wrong), store, Watching())

    @pytest.mark.parametrize("name", ["unet", "unetr", "swinunetr", "pix2pix", "cyclegan"])
    def test_the_papers_settings_lie_below_the_users(self, name: str, tmp_path: Path) -> None:
        file = settings_file(name, "paper")
        made = settings_of(Order(name, tmp_path, file, ("method.loss.ssim=0.25",)))
        assert made.method.loss.perceptual == "cyclic"
        assert made.method.loss.ssim == 0.25
        assert made.method.inputs == "t1"
        assert made.train.batch == 12

    def test_settings_of_another_name_are_one_sentence(self) -> None:
        with pytest.raises(PETSynthError, match="no settings file 'big'") as told:
            settings_file("unet", "big")
        assert told.value.hint.endswith("one of its own: paper.")

    def test_one_setting_of_a_group_leaves_the_methods_own_defaults(self, tmp_path: Path) -> None:
        made = settings_of(Order("pix2pix", tmp_path, None, ("method.loss.ssim=1",)))
        assert (made.method.loss.mse, made.method.loss.ssim) == (0.0, 1.0)
        schema = settings_schema("pix2pix")["properties"]["method"]["properties"]["loss"]
        assert schema["properties"]["mse"]["default"] == 0.0


class TestPictureLoss:
    @pytest.mark.parametrize("kind", ["cyclic", "static", "2d", "3d"])
    def test_every_kind_moves_the_network(
        self, kind: str, material: Material, narrow_vgg: str
    ) -> None:
        def made(perceptual: str) -> UNetMethod:
            torch.manual_seed(0)
            from PETSynthLib.learn.losses.image import LossConfig

            loss = LossConfig(ssim=1.0, perceptual=perceptual, vgg=narrow_vgg)  # type: ignore[arg-type]
            return UNetMethod(UNetConfig(base=8, multipliers=(1,), loss=loss), material, 0)

        with_it, without = made(kind), made("none")
        batch = one_batch(with_it)
        terms = with_it.stages[0].players[0](batch)
        assert {"ssim", "perceptual", "image", "spread"} <= set(terms)
        parts = terms["image"] + 0.02 * terms["spread"] + terms["ssim"] + terms["perceptual"]
        assert float(terms["loss"].detach()) == pytest.approx(float(parts.detach()))
        assert loss_of(with_it, batch) > loss_of(without, batch)
        terms["perceptual"].backward()
        assert float(with_it.network.head.weight.grad.abs().sum()) > 0

    def test_the_plane_follows_the_engine_and_the_score_has_none(
        self, material: Material, narrow_vgg: str, store: Store, tmp_path: Path
    ) -> None:
        sets = (
            "method.loss.perceptual=cyclic",
            "method.loss.unit=steps",
            "method.loss.first=1",
            f"method.loss.vgg={narrow_vgg}",
        )
        seen: list[str] = []
        from PETSynthLib.learn.losses.perceptual import PerceptualDistance

        original = PerceptualDistance.plane
        with pytest.MonkeyPatch.context() as patch:

            def noted(self: Any, x: Any, y: Any, brain: Any, plane: str, *rest: int) -> Any:
                seen.append(plane)
                return original(self, x, y, brain, plane, *rest)

            patch.setattr(PerceptualDistance, "plane", noted)
            train_method(order("unet", tmp_path / "r", *sets, "train.steps=4"), store, Watching())
        assert seen == ["axial", "coronal", "sagittal", "axial"]
        torch.manual_seed(0)
        method = UNetMethod(UNetConfig(base=8, multipliers=(1,)), material, 0)
        subject = material.validation[0]
        before = method.score(method.stages[0], subject)
        method.stand_at(method.stages[0], Place(9, 9.0, 0.9))
        assert method.score(method.stages[0], subject) == before


class TestPatience:
    def test_a_stage_ends_when_nothing_becomes_better(self, store: Store, tmp_path: Path) -> None:
        watching = Watching()
        sets = ("train.steps=40", "train.validate_every=2", "train.patience=2")
        train_method(order("unet", tmp_path / "r", *sets, "train.learning_rate=0"), store, watching)
        # The first validation is the best one for ever; two more are waited for.
        assert [step for _, step, _, _ in watching.scores] == [2, 4, 6]

    def test_no_stage_ends_within_a_round_of_planes(
        self, store: Store, tmp_path: Path, narrow_vgg: str
    ) -> None:
        watching = Watching()
        sets = (
            "train.steps=20",
            "train.validate_every=1",
            "train.patience=1",
            "train.learning_rate=0",
            "method.loss.perceptual=cyclic",
            "method.loss.unit=steps",
            "method.loss.first=2",
            f"method.loss.vgg={narrow_vgg}",
        )
        train_method(order("unet", tmp_path / "r", *sets), store, watching)
        # Best at step 1 of round 0 (steps 0-5); round 1 (6-8) is the first whole one after it.
        assert watching.scores[-1][1] == 9


class TestStandardisation:
    def test_it_is_the_mean_and_sd_of_each_manufacturers_brains(self, material: Material) -> None:
        table = fit_standardisation(material, "manufacturer")["fdg"]
        store = material.store
        for name in ("ge", "philips", "siemens"):
            values = np.concatenate(
                [
                    material.pet(s, "fdg")[store.brain(s.row)].astype(np.float64)
                    for s in material.train
                    if scanner_of(s) == name
                ]
            )
            assert table[name] == pytest.approx([values.mean(), values.std()], abs=1e-4)

    def test_unknown_or_single_manufacturers_are_one_sentence(self, material: Material) -> None:
        def with_scanner(name: str) -> Material:
            people = tuple(replace(s, scanner=name) for s in material.train)
            return replace(material, train=people)

        with pytest.raises(PETSynthError, match=r"No training subject .* \(found: Acme\)"):
            fit_standardisation(with_scanner("Acme"), "manufacturer")
        with pytest.raises(PETSynthError, match="come from ge: there is nothing"):
            fit_standardisation(with_scanner("GE"), "combat")

    def test_a_rarely_seen_manufacturer_takes_the_pooled_numbers(self, material: Material) -> None:
        first = next(s for s in material.train if scanner_of(s) == "philips")
        people = [s for s in material.train if scanner_of(s) != "philips"]
        few = replace(material, train=(*people, first))
        assert set(fit_standardisation(few, "manufacturer")["fdg"]) == {"ge", "siemens", "pooled"}

    def test_what_people_differ_in_stays_when_covariates_explain_it(self, tmp_path: Path) -> None:
        # MMSE tells the latent, the latent the uptake; GE sees the ill, Siemens the well.
        store = make_store(tmp_path / "s", n=90, shape=(10, 10, 10), tracers=("fdg",), noise=0.0)
        material = material_of(store, "auto")
        known = [s for s in material.train if s.clinical.mmse is not None]
        cut = float(np.median([s.clinical.mmse for s in known]))
        people = tuple(
            replace(s, scanner="ge" if s.clinical.mmse < cut else "siemens") for s in known
        )
        biased = replace(material, train=people)
        gaps = {
            kind: (lambda t: t["siemens"][0] - t["ge"][0])(fit_standardisation(biased, kind)["fdg"])
            for kind in ("manufacturer", "combat")
        }
        assert gaps["manufacturer"] > 0.05
        assert abs(gaps["combat"]) < 0.5 * gaps["manufacturer"]

    def test_a_gain_of_one_scanner_is_taken_out_and_put_in_again(
        self, store: Store, tmp_path: Path
    ) -> None:
        folder = train_method(
            order("unet", tmp_path / "r", *THREE, "method.standardise=manufacturer"),
            store,
            Watching(),
        )
        loaded = load_generator(str(folder), "cpu")
        table = loaded.bundle.config["method_config"]["standardisation"]["fdg"]
        material = material_of(store, "auto")
        made = {
            name: loaded.generator.generate(given(material, name), Effort(), Silent())
            for name in ("ge", "siemens")
        }
        inside = given(material).brain.mask & (made["ge"].mean.data > 0)
        values = {
            name: (m.mean.data[inside] - table[name][0]) / table[name][1]
            for name, m in made.items()
        }
        both = made["siemens"].mean.data[inside] > 0
        assert np.allclose(values["ge"][both], values["siemens"][both], atol=1e-4)
        assert made["ge"].details["standardised_for"] == "ge"

    def test_covariates_are_scaled_and_missing_ones_are_average(self, material: Material) -> None:
        table = covariates(list(material.train))
        assert table.shape == (len(material.train), 6)
        assert np.isfinite(table).all()
        assert table[:, 0].mean() == pytest.approx(0, abs=1e-9)


class TestAugment:
    def test_by_default_nothing_changes(self) -> None:
        images, target = np.ones((3, 6, 6, 6), np.float32), np.ones((2, 6, 6, 6), np.float32)
        rng = np.random.default_rng(0)
        same = augmented(images, target, AugmentConfig(), rng)
        assert same[0] is images
        assert same[1] is target
        assert rng.random() == np.random.default_rng(0).random()

    def test_images_and_target_move_together(self) -> None:
        rng = np.random.default_rng(0)
        blob = np.zeros((16, 16, 16), np.float32)
        blob[5:10, 6:12, 4:9] = 1
        images, target = np.stack([blob, blob, blob]), blob[None]
        config = AugmentConfig(turn=15, stretch=0.1, shift=2, elastic=0.5)
        shown, wanted = augmented(images, target, config, rng)
        assert np.allclose(shown[0], wanted[0], atol=1e-6)
        assert set(np.unique(shown[2])) <= {0.0, 1.0}
        assert 0.02 < np.abs(shown[0] - blob).mean() < 0.2
        assert 0.5 < shown[0].sum() / blob.sum() < 2

    def test_a_shift_is_what_it_says(self) -> None:
        class Fixed:
            def uniform(self, low: Any, high: Any, size: int) -> np.ndarray:
                return np.full(size, high, float)

        ramp = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((8, 8, 8), np.float32)
        shown, _ = augmented(
            np.stack([ramp] * 3),
            ramp[None],
            AugmentConfig(shift=2),
            Fixed(),  # type: ignore[arg-type]
        )
        assert shown[0, 1:6, 0, 0].tolist() == [3.0, 4.0, 5.0, 6.0, 7.0]

    def test_noise_stays_in_the_brain_and_off_the_target(self) -> None:
        images, target = np.ones((3, 8, 8, 8), np.float32), np.ones((1, 8, 8, 8), np.float32)
        images[2, :4] = 0
        images[1] = 0  # no FLAIR is shown
        shown, wanted = augmented(
            images, target, AugmentConfig(noise=0.1), np.random.default_rng(0)
        )
        assert (shown[:, :4] == images[:, :4]).all()
        assert (shown[1] == 0).all()
        assert 0.08 < shown[0, 4:].std() < 0.12
        assert np.array_equal(wanted, target)


@pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind.name)
def test_a_step_in_bfloat16_has_a_loss_and_gradients(kind: Any, material: Material) -> None:
    torch.manual_seed(0)
    config = settings_of(Order(kind.name, Path("run"), None, SMALL[kind.name])).method
    method = kind(config, material, 0)
    method.use(method.prepare(lambda words, done, total: None))
    batch = {  # as Lightning Fabric hands it over
        name: value.bfloat16() if value.is_floating_point() else value
        for name, value in one_batch(method).items()
    }
    for player in method.stages[0].players:
        with torch.autocast("cpu", torch.bfloat16):
            loss = player(batch)["loss"]
        loss.backward()
        assert bool(loss.isfinite())
        assert any(p.grad is not None and bool(p.grad.any()) for p in player.network.parameters())


def test_small_settings_and_the_commands_help_name_every_method() -> None:
    from PETSynthLib.cli.train import train

    names = {m.name for m in METHODS}
    assert names == set(SMALL)
    words = get_type_hints(train, include_extras=True)["method"].__metadata__[0].help
    assert names == set(re.findall(r"[a-z0-9]+", words.replace(" or ", " ")))
