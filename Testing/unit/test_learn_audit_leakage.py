"""Leakage: people in two splits, under two names, or known to the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_case import Bundle, different_brains
from checks_case import person
from store_case import case_grid

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.learn.audit.leakage import (
    block_means,
    identical_images,
    leakage,
    shared_anatomies,
    similar_brains,
)
from PETSynthLib.learn.fingerprint import fingerprints
from PETSynthLib.learn.store import Store

N = 6


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Six different people: three in training, one each in the other splits."""
    return different_brains(tmp_path / "store", N)


def light(store: Store, name: str, bundle: Bundle | None = None) -> Finding:
    found = leakage(store, store.split("test"), bundle or Bundle())  # type: ignore[arg-type]
    return next(f for f in found if f.name == f"leakage.{name}")


def replace_image(store: Store, name: str, row: int, image: np.ndarray) -> None:
    images = np.load(store.folder / f"{name}.npy")
    images[row] = image
    np.save(store.folder / f"{name}.npy", images)


class TestDifferentPeople:
    @pytest.mark.parametrize("name", ["anatomy", "identical", "similar"])
    def test_are_green(self, store: Store, name: str) -> None:
        assert light(store, name).verdict is Verdict.GREEN

    def test_two_visits_in_one_split_are_no_leak(self) -> None:
        visits = [person(0, anatomy="a"), person(1, anatomy="a"), person(2, split="train")]
        assert shared_anatomies(visits) == []


class TestOnePersonTwice:
    def test_in_two_splits_by_name(self, store: Store) -> None:
        again = replace(store.subjects[5], anatomy=store.subjects[0].anatomy)
        leaking = replace(store, subjects=(*store.subjects[:5], again))
        assert shared_anatomies(leaking.subjects) == ["sub-0001"]
        assert light(leaking, "anatomy").verdict is Verdict.RED

    def test_by_a_copied_mri(self, store: Store) -> None:
        replace_image(store, "t1", 5, store.t1(0))
        ((first, second),) = identical_images(store)["t1"]
        assert (first.row, second.row) == (0, 5)
        assert light(store, "identical").verdict is Verdict.RED

    def test_by_a_copied_pet(self, store: Store) -> None:
        replace_image(store, "pet_fdg", 5, store.pet(1, "fdg"))
        assert list(identical_images(store)) == ["fdg"]

    def test_by_a_second_scan_under_another_name(self, store: Store) -> None:
        # The same head in another scanner: another contrast, offset and noise.
        noise = 0.02 * np.random.default_rng(0).standard_normal(store.grid.shape)
        second_scan = np.where(store.brain(0), 0.7 * store.t1(0) + 0.1 + noise, 0)
        replace_image(store, "t1", 5, second_scan)
        ((first, second, r),) = similar_brains(store)
        assert (first.row, second.row) == (0, 5)
        assert 0.8 < r < 1
        assert light(store, "identical").verdict is Verdict.GREEN
        assert light(store, "similar").verdict is Verdict.RED

    def test_within_the_training_split_is_a_warning(self, store: Store) -> None:
        replace_image(store, "t1", 1, store.t1(0) + 0.01)
        assert light(store, "similar").verdict is Verdict.AMBER

    def test_two_visits_of_a_person_may_look_alike(self, store: Store) -> None:
        replace_image(store, "t1", 1, store.t1(0))
        visit = replace(store.subjects[1], anatomy=store.subjects[0].anatomy)
        same = replace(store, subjects=(store.subjects[0], visit, *store.subjects[2:]))
        assert similar_brains(same) == []
        assert identical_images(same) == {}


class TestModel:
    def test_one_that_does_not_say_whom_it_saw_stays_open(self, store: Store) -> None:
        assert light(store, "model").verdict is Verdict.AMBER

    def test_one_trained_on_the_judged_people_is_red(self, store: Store) -> None:
        seen = {"training": {"fingerprints": fingerprints(store, store.split("test"))}}
        found = light(store, "model", Bundle(seen))
        assert found.verdict is Verdict.RED
        assert "sub-0006" in found.sentence

    def test_one_calibrated_on_the_judged_people_is_red(self, store: Store) -> None:
        test, train = (fingerprints(store, store.split(name)) for name in ("test", "train"))
        seen = {"training": {"fingerprints": train}, "calibration": {"fingerprints": test}}
        assert light(store, "model", Bundle(seen)).verdict is Verdict.RED

    def test_one_that_began_with_unknown_people_stays_open(self, store: Store) -> None:
        training = {"fingerprints": ["0" * 16], "init": {"people_known": False}}
        found = light(store, "model", Bundle({"training": training}))
        assert found.verdict is Verdict.AMBER
        assert found.value == "unknown"

    def test_one_trained_on_others_is_green(self, store: Store) -> None:
        seen = {"training": {"fingerprints": fingerprints(store, store.split("train"))}}
        assert light(store, "model", Bundle(seen)).verdict is Verdict.GREEN

    def test_one_that_learnt_on_another_grid_cannot_be_compared(self, store: Store) -> None:
        # The same people at 16 voxels a side have other images, hence other fingerprints.
        finer = different_brains(store.folder.parent / "finer", N, (16, 16, 16))
        seen = {"training": {"fingerprints": fingerprints(finer, finer.split("test"))}}
        found = light(store, "model", Bundle(seen, grid=finer.grid))
        assert found.verdict is Verdict.AMBER
        assert found.value == "not comparable"
        assert "16 x 16 x 16 voxels of 10.5 mm" in found.sentence

    def test_a_known_person_is_red_whatever_grid_the_model_states(self, store: Store) -> None:
        seen = {"training": {"fingerprints": fingerprints(store, store.split("test"))}}
        assert light(store, "model", Bundle(seen, grid=case_grid((9, 9, 9)))).verdict is Verdict.RED


def test_block_means_drop_what_fills_no_block() -> None:
    image = np.arange(5 * 2 * 2, dtype=np.float32).reshape(5, 2, 2)
    # Blocks of i = 0, 1 and i = 2, 3; the fifth slice is left out.
    assert block_means(image, 2).ravel().tolist() == [3.5, 11.5]
