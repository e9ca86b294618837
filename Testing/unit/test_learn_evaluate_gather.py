"""One walk over the data: what each estimator is given, and what is refused before it begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluate_case import make_predictor
from store_case import make_store

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.evaluate import controls
from PETSynthLib.learn.evaluate.controls import DENSITY, SHUFFLED_MRI
from PETSynthLib.learn.evaluate.gather import Gathered, Plan, gather
from PETSynthLib.learn.evaluate.predictor import Predictor
from PETSynthLib.learn.store import Store, StoreWriter, Subject, open_store

NAMES = {key.partition(".")[0] for key in controls.region_keys()}


def run(
    store: Store,
    predictors: list[Predictor],
    plan: Plan | None = None,
    tracers: tuple[str, ...] = ("fdg",),
) -> Gathered:
    """Gather the test split without a check and without telling anybody."""
    subjects = store.split("test")
    return gather(
        store, subjects, predictors, tracers, plan or Plan(samples=0), lambda _: [],
        lambda words, done, total: None,
    )  # fmt: skip


def rewritten(store: Store, change: dict[str, Subject]) -> Store:
    """The store with other facts of some subjects, by name."""
    facts = {k: v for k, v in store.facts.items() if k != "store_version"}
    writer = StoreWriter(store.folder, facts, len(store.subjects))
    writer.write_subjects(change.get(s.subject, s) for s in store.subjects)
    return open_store(store.folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("s") / "store", n=24, tracers=("fdg", "pib"))


class TestCalibration:
    def test_people_without_flair_get_the_factors_of_people_without_flair(
        self, store: Store
    ) -> None:
        sets = {
            name: {"fdg": {"people": people, "factor": dict.fromkeys(NAMES, factor)}}
            for name, people, factor in (("both", 50, 1.0), ("mri", 40, 2.0), ("no_flair", 30, 4.0))
        }
        plain = make_predictor(store)
        config = {**plain.bundle.config, "calibration": {"sets": sets}}
        model = replace(plain, bundle=replace(plain.bundle, config=config))
        some = replace(store.subjects[5], flair=False), replace(store.subjects[11], flair=True)
        changed = rewritten(store, {s.subject: s for s in some})
        made = run(changed, [model])
        once = run(changed, [plain])
        factor = {}
        for n, subject in enumerate(made.results.subjects):
            pair = [g.results.regional["reader", 0, "fdg", "mri"].sd for g in (made, once)]
            assert pair[0] is not None
            assert pair[1] is not None
            column = made.results.target("fdg")
            factor[subject.subject] = pair[0][n, column] / pair[1][n, column]
        assert factor["sub-0006"] == pytest.approx(4.0)
        assert factor["sub-0012"] == pytest.approx(2.0)
        assert made.calibration_people["reader", "fdg", "mri"] == 30
        assert once.calibration_people["reader", "fdg", "mri"] is None


class TestShuffled:
    def test_every_seed_is_shuffled_and_sampled_where_a_claim_hangs_on_it(
        self, store: Store
    ) -> None:
        models = [make_predictor(store), make_predictor(store, seed=1)]
        made = run(store, models, Plan(2, 0, ("fdg",)), ("fdg", "pib")).results
        label = SHUFFLED_MRI.format("reader")
        for seed in (0, 1):
            sampled = made.regional[label, seed, "fdg", "both"].draws
            assert sampled is not None
            assert sampled.shape[1] == 2
            assert made.regional[label, seed, "pib", "both"].draws is None
        assert made.seeds_of(label) == 2


class TestRareTracer:
    @pytest.fixture
    def rare(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
        # Of twelve training people the last three alone have a PiB; two take part in a regression.
        monkeypatch.setattr(controls, "DENSITY_PEOPLE", 2)
        store = make_store(tmp_path / "store", n=24, tracers=("pib", "fdg"))
        train = store.split("train")
        return rewritten(store, {s.subject: replace(s, tracers=("fdg",)) for s in train[:-3]})

    def test_its_own_people_fit_the_grey_density_control(self, rare: Store) -> None:
        made = run(rare, [make_predictor(rare)], tracers=("fdg", "pib")).results
        shown = made.regional[DENSITY, 0, "pib", "mri"].mean[:, made.target("pib")]
        known = np.array(["pib" in s.tracers for s in made.subjects])
        assert np.isfinite(shown[known]).all()

    def test_too_few_are_named_before_anything_is_run(self, rare: Store) -> None:
        train = rare.split("train")
        store = rewritten(rare, {s.subject: replace(s, tracers=("fdg",)) for s in train[:-1]})
        asked: list[str] = []

        class Watched(Predictor):
            def images(self, *args: object, **more: object) -> None:  # type: ignore[override]
                asked.append("an image")

        plain = make_predictor(store)
        model = Watched(plain.label, 0, plain.bundle, plain._loaded)
        with pytest.raises(PETSynthError, match="Only 1 of 12 training subjects have a pib PET"):
            run(store, [model], tracers=("fdg", "pib"))
        assert asked == []
