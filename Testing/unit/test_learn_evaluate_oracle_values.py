"""The oracle as an estimator, measured as everything else is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from store_case import make_store

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from PETSynthLib.learn.checks.effects import effects_of
from PETSynthLib.learn.evaluate.oracle_values import (
    constructed_truth,
    geometry_ratio,
    oracle_values,
)
from PETSynthLib.learn.evaluate.primary import primary_section
from PETSynthLib.learn.evaluate.results import Results, regional_table
from PETSynthLib.learn.oracle import read_oracle
from PETSynthLib.learn.regions import region_index
from PETSynthLib.learn.store import Store

TARGET = region_index("fdg_ad_metaroi")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("s") / "store", n=120, tracers=("fdg",))


@pytest.fixture(scope="module")
def measured(store: Store) -> np.ndarray:
    return regional_table(store, store.subjects, "fdg")


def test_the_constructed_truth_is_what_the_image_shows(store: Store, measured: np.ndarray) -> None:
    constructed = constructed_truth(store, store.subjects, "fdg")
    assert constructed is not None
    np.testing.assert_allclose(constructed[:, TARGET], measured[:, TARGET], atol=1e-3)


def test_a_region_that_the_grid_makes_two_percent_hotter_is_charged_to_nobody(
    store: Store, measured: np.ndarray
) -> None:
    plain = oracle_values(store, store.subjects, "fdg", measured)["both"]
    hotter = oracle_values(store, store.subjects, "fdg", 1.02 * measured)["both"]
    np.testing.assert_allclose(hotter.mean[:, TARGET], 1.02 * plain.mean[:, TARGET], rtol=1e-6)
    assert hotter.low is not None
    assert plain.low is not None
    assert hotter.draws is not None
    assert plain.draws is not None
    np.testing.assert_allclose(hotter.low[:, TARGET], 1.02 * plain.low[:, TARGET], rtol=1e-6)
    np.testing.assert_allclose(
        hotter.draws[:, :, TARGET], 1.02 * plain.draws[:, :, TARGET], rtol=1e-5
    )


def test_an_unmeasured_region_has_ratio_one(store: Store) -> None:
    nothing = np.full_like(regional_table(store, store.subjects[:2], "fdg"), np.nan)
    assert (geometry_ratio(store, store.subjects[:2], "fdg", nothing) == 1.0).all()


def test_more_information_means_a_narrower_belief_that_still_covers(
    store: Store, measured: np.ndarray
) -> None:
    found = oracle_values(store, store.subjects, "fdg", measured)
    widths = []
    for info in ("base", "clinic", "mri", "both"):
        low, high = found[info].low, found[info].high
        assert low is not None
        assert high is not None
        truth = measured[:, TARGET]
        inside = (low[:, TARGET] <= truth) & (truth <= high[:, TARGET])
        assert inside.mean() == pytest.approx(0.9, abs=0.07)
        widths.append((high - low)[:, TARGET].mean())
    assert widths[0] > widths[1] > widths[3]
    assert widths[0] > widths[2] > widths[3]


def test_the_median_is_what_an_absolute_error_is_judged_by(
    store: Store, measured: np.ndarray
) -> None:
    found = oracle_values(store, store.subjects, "fdg", measured)["mri"]
    path = store.oracle(store.subjects[0])
    assert path is not None
    belief = read_oracle(path).beliefs["mri"]
    assert found.median[0, TARGET] == pytest.approx(belief.q50[0, TARGET], rel=2e-3)


def test_real_subjects_have_no_oracle(tmp_path_factory: pytest.TempPathFactory) -> None:
    real = make_store(tmp_path_factory.mktemp("s") / "store", n=6, tracers=("fdg",), kind="real")
    table = regional_table(real, real.subjects, "fdg")
    assert oracle_values(real, real.subjects, "fdg", table) == {}
    assert constructed_truth(real, real.subjects, "fdg") is None
    assert (geometry_ratio(real, real.subjects, "fdg", table) == 1.0).all()


def test_a_tracer_the_oracle_does_not_know_has_none(store: Store, measured: np.ndarray) -> None:
    assert oracle_values(store, store.subjects, "pib", measured) == {}


class TestPeopleOfOneDiagnosis:
    @pytest.fixture
    def chosen(self, tmp_path: Path) -> Store:
        store = make_store(tmp_path / "store", n=6, shape=(8, 8, 8), tracers=("fdg",))
        for subject in store.subjects:
            path = store.folder / "oracle" / f"{subject.subject}.json"
            path.write_text(json.dumps({"only_diagnosis": "CN"}), encoding="utf-8")
        return store

    def test_are_held_against_no_oracle_but_their_truth_is_known(self, chosen: Store) -> None:
        measured = regional_table(chosen, chosen.subjects, "fdg")
        assert oracle_values(chosen, chosen.subjects, "fdg", measured) == {}
        assert constructed_truth(chosen, chosen.subjects, "fdg") is not None

    def test_leave_the_claim_about_the_oracle_undecided(self, chosen: Store) -> None:
        results = Results(chosen, chosen.subjects, {}, {}, {}, ("reader",), {"reader": 1})
        (claim,) = primary_section(results, [], [], ("fdg",), null=False).claims
        assert claim.words.startswith("reader: not better than the oracle")
        assert claim.held is None
        assert "chosen by the diagnosis CN" in claim.evidence

    def test_have_no_effects_of_the_oracle(self, chosen: Store) -> None:
        results = Results(chosen, chosen.subjects, {}, {}, {}, ("reader",), {"reader": 1})
        assert effects_of(results) is None
