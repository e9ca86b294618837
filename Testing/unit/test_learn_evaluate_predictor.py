"""A model at work on a store: what it is told, where its picture lands, what its spread means."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from evaluate_case import make_predictor
from store_case import case_grid, make_store

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate.bundle import LoadedGenerator
from PETSynthLib.generate.interface import Effort, Generated, GeneratorInput
from PETSynthLib.learn.evaluate.calibration import calibrated_factors
from PETSynthLib.learn.evaluate.predictor import (
    Images,
    Predictor,
    factor_by_region,
    interval,
    known_to,
    load_predictors,
    regional_sd,
    suited,
)
from PETSynthLib.learn.regions import region_index, region_keys
from PETSynthLib.learn.store import Store
from PETSynthLib.progress import Progress
from PETSynthLib.volume import PetVolume

PERSON = ClinicalRecord(age=71, sex="F", education=12, mmse=25, adas13=15, apoe4=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(
        tmp_path_factory.mktemp("s") / "store", n=12, shape=(28, 32, 28), tracers=("fdg",)
    )


class Listener:
    """Remembers what it was given and paints a smooth known picture on its own grid."""

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        self.given, self.effort = inputs, effort
        i = np.arange(inputs.t1.shape[0])[:, None, None] * inputs.t1.affine[0, 0]
        ramp = 1.0 + 0.002 * (i + inputs.t1.affine[0, 3]) + np.zeros(inputs.t1.shape)
        pet = PetVolume(
            ramp.astype(np.float32), inputs.t1.affine, inputs.t1.space,
            tracer="fdg", reference_region="pons",
        )  # fmt: skip
        return Generated(mean=pet, sd=pet.with_data(0.1 + 0 * ramp), samples=(pet,))


def listener_on(store: Store, shape: tuple[int, int, int]) -> tuple[Predictor, Listener]:
    grid = case_grid(shape)
    plain = make_predictor(store)
    body = {"shape": list(grid.shape), "affine": grid.affine.tolist(), "space": grid.name}
    bundle = replace(plain.bundle, config={**plain.bundle.config, "grid": body})
    listener = Listener()
    return Predictor("x", 0, bundle, LoadedGenerator(bundle, listener)), listener


class TestInformation:
    @pytest.mark.parametrize(
        ("information", "known"),
        [
            ("none", ()),
            ("base", ("age", "sex")),
            ("mri", ("age", "sex")),
            ("clinic", PERSON.known()),
            ("both", PERSON.known()),
        ],
    )
    def test_each_set_tells_only_its_facts(self, information: str, known: tuple[str, ...]) -> None:
        assert known_to(information, PERSON).known() == known

    def test_a_model_that_takes_no_scores_is_run_with_the_mri_alone(self, store: Store) -> None:
        predictor = make_predictor(store)
        assert predictor.information == ("mri", "both")
        config = {**predictor.bundle.config, "uses": ["flair", "age", "sex"]}
        assert replace(predictor, bundle=replace(predictor.bundle, config=config)).information == (
            "mri",
        )


class TestGrid:
    def test_on_the_same_grid_nothing_is_resampled(self, store: Store) -> None:
        predictor, listener = listener_on(store, store.grid.shape)
        predictor.images(store, store.subjects[0], "fdg", PERSON)
        np.testing.assert_array_equal(listener.given.t1.data, store.t1(0))

    def test_from_another_grid_the_picture_comes_back_to_its_place(self, store: Store) -> None:
        predictor, listener = listener_on(store, (42, 48, 42))
        images = predictor.images(store, store.subjects[0], "fdg", PERSON)
        assert listener.given.t1.shape == (42, 48, 42)
        assert images.mean.shape == store.grid.shape
        x = store.grid.affine[0, 3] + store.grid.affine[0, 0] * np.arange(28)
        inner = images.mean[3:-3, 15, 14]
        np.testing.assert_allclose(inner, 1 + 0.002 * x[3:-3], atol=2e-3)

    def test_a_missing_flair_is_missing_and_the_scanner_is_named(self, store: Store) -> None:
        predictor, listener = listener_on(store, store.grid.shape)
        without = next(s for s in store.subjects if not s.flair)
        predictor.images(store, without, "fdg", PERSON)
        assert listener.given.flair is None
        assert listener.given.pet_scanner == without.scanner
        assert listener.given.clinical == PERSON

    def test_another_person_s_mri_can_be_shown(self, store: Store) -> None:
        predictor, listener = listener_on(store, store.grid.shape)
        predictor.images(store, store.subjects[0], "fdg", PERSON, mri_of=store.subjects[3])
        np.testing.assert_array_equal(listener.given.t1.data, store.t1(3))
        assert listener.given.pet_scanner == store.subjects[0].scanner


class TestWhatWasGiven:
    def test_a_person_without_scores_or_flair_is_told_as_such(self, store: Store) -> None:
        predictor, _ = listener_on(store, store.grid.shape)
        with_flair = next(s for s in store.subjects if s.flair)
        without = next(s for s in store.subjects if not s.flair)
        basic = ClinicalRecord(age=71, sex="F")
        given = {
            "both": predictor.images(store, with_flair, "fdg", PERSON).given,
            "mri": predictor.images(store, with_flair, "fdg", basic).given,
            "no_flair": predictor.images(store, without, "fdg", basic).given,
        }
        assert all(name == found for name, found in given.items()), given


class TestSpread:
    labels = np.array([[[1, 2]]], np.uint8)

    def images(self, **changes: object) -> Images:
        flat = np.full((1, 1, 2), 0.2, np.float32)
        plain = Images(flat, flat, (), {}, 0.0, "mri")
        return replace(plain, **changes)  # type: ignore[arg-type]

    def test_a_factor_turns_the_voxels_sd_into_the_region_s(self) -> None:
        names = {key.partition(".")[0] for key in region_keys()}
        found = regional_sd(self.images(), self.labels, dict.fromkeys(names, 0.5))
        assert np.nanmax(found) == pytest.approx(0.1)
        assert np.nanmin(found) == pytest.approx(0.1)

    def test_calibrated_factors_go_before_the_model_s_own(self) -> None:
        own = self.images(regional_sd_factor={"precuneus": 9.0})
        found = regional_sd(own, self.labels, {"bankssts": 1.0})
        assert np.nanmax(found, initial=0.0) <= 0.2 + 1e-6

    def test_without_factors_the_samples_speak_when_there_are_four(self) -> None:
        values = (1.0, 2.0, 3.0, 4.0)
        samples = tuple(np.full((1, 1, 2), v, np.float32) for v in values)
        found = regional_sd(self.images(samples=samples), self.labels, None)
        assert np.nanmax(found) == pytest.approx(np.std(values, ddof=1))
        assert np.isnan(regional_sd(self.images(samples=samples[:3]), self.labels, None)).all()

    def test_both_sides_share_the_factor_of_their_region(self) -> None:
        found = factor_by_region({"precuneus": 0.7})
        assert found[region_index("precuneus.L")] == found[region_index("precuneus.R")] == 0.7
        assert math.isnan(found[region_index("cuneus.L")])

    def test_ninety_percent_lie_within_1_645_sd(self) -> None:
        low, high = interval(np.array([1.0]), np.array([0.1]))
        assert (low[0], high[0]) == pytest.approx((0.83551, 1.16449), abs=1e-5)

    def test_a_bundle_names_its_calibration_by_tracer_and_information(self, store: Store) -> None:
        sets = {"both": {"fdg": {"people": 50, "factor": {"precuneus": 0.8}}}}
        plain = make_predictor(store).bundle
        bundle = replace(plain, config={**plain.config, "calibration": {"sets": sets}})
        assert calibrated_factors(bundle, "fdg", "both") == ({"precuneus": 0.8}, 50)
        assert calibrated_factors(bundle, "fdg", "mri") == (None, None)
        assert calibrated_factors(plain, "fdg", "both") == (None, None)


class TestLabels:
    def test_a_label_given_twice_is_two_training_seeds(self) -> None:
        found = load_predictors(["ours=atlas", "atlas", "ours=atlas"], "cpu")
        assert [(p.label, p.seed) for p in found] == [("ours", 0), ("atlas", 0), ("ours", 1)]

    def test_an_unknown_model_and_no_model_are_refused(self) -> None:
        with pytest.raises(PETSynthError, match="no model 'nothing'"):
            load_predictors(["x=nothing"], "cpu")
        with pytest.raises(PETSynthError, match="No model is named"):
            load_predictors([], "cpu")

    def test_one_label_for_two_methods_is_refused(self) -> None:
        pytest.importorskip("torch")
        with pytest.raises(PETSynthError, match="two different methods"):
            load_predictors(["ours=atlas", "ours=flow"], "cpu")


def test_everybody_is_judged_on_the_people_that_every_model_can_do(store: Store) -> None:
    plain = make_predictor(store)
    config = {**plain.bundle.config, "needs": ["flair"]}
    needing = replace(plain, label="needing", bundle=replace(plain.bundle, config=config))
    assert suited(store, "train", [plain]) == (store.split("train"), {})
    people, left_out = suited(store, "train", [plain, needing])
    assert [s.row for s in people] == [s.row for s in store.split("train") if s.row % 4]
    assert left_out == {"needing": len(store.split("train")) - len(people)}
    without = replace(store, subjects=tuple(replace(s, flair=False) for s in store.subjects))
    with pytest.raises(PETSynthError, match="Nobody in the split 'test' has a FLAIR"):
        suited(without, "test", [plain, needing])
