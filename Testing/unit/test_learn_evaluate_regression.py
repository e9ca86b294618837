"""The simple rivals: ridge regression in closed form, features that keep missing facts missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from store_case import make_store

from PETSynthLib.clinical import FIELDS, ClinicalRecord
from PETSynthLib.learn.evaluate.regression import (
    field_centre,
    fit_ridge,
    person_features,
    volume_features,
)
from PETSynthLib.learn.store import Store, Subject

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(3.0, 2.0, (12, 5))
TARGETS = FEATURES @ RNG.normal(size=(5, 2)) + RNG.normal(0, 0.5, (12, 2))


def people(*records: ClinicalRecord) -> tuple[Subject, ...]:
    blank = Subject(0, "s", "a", "", "", "train", "", "", ClinicalRecord(), 1000.0, False, ())
    return tuple(replace(blank, row=n, clinical=record) for n, record in enumerate(records))


class TestRidge:
    def test_almost_no_penalty_is_least_squares(self) -> None:
        fitted = fit_ridge(FEATURES, TARGETS, (1e-9,)).predict(FEATURES)
        design = np.hstack([np.ones((12, 1)), FEATURES])
        expected = design @ np.linalg.lstsq(design, TARGETS, rcond=None)[0]
        np.testing.assert_allclose(fitted, expected, atol=1e-6)

    def test_a_huge_penalty_is_the_mean(self) -> None:
        fitted = fit_ridge(FEATURES, TARGETS, (1e12,)).predict(FEATURES)
        np.testing.assert_allclose(fitted, np.tile(TARGETS.mean(0), (12, 1)), atol=1e-6)

    def test_one_standardised_feature_shrinks_by_n_over_n_plus_penalty(self) -> None:
        x = np.array([[-1.0], [1.0]])
        fitted = fit_ridge(x, np.array([[-3.0], [3.0]]), (2.0,))
        # n = 2 standardised values of +-1: slope 3 * 2 / (2 + 2).
        assert fitted.predict(np.array([[1.0]]))[0, 0] == pytest.approx(1.5)

    def test_the_spread_is_the_leave_one_out_error(self) -> None:
        # Standardising uses all people, so the brute force must use the same scale.
        penalty = 3.0
        scale, centre = FEATURES.std(0), FEATURES.mean(0)
        x = (FEATURES - centre) / scale
        errors = []
        for left_out in range(12):
            keep = np.arange(12) != left_out
            mean_x, mean_y = x[keep].mean(0), TARGETS[keep].mean(0)
            inner = x[keep] - mean_x
            gram = inner.T @ inner + penalty * np.eye(5)
            weights = np.linalg.solve(gram, inner.T @ (TARGETS[keep] - mean_y))
            errors.append(TARGETS[left_out] - mean_y - (x[left_out] - mean_x) @ weights)
        expected = np.sqrt((np.array(errors) ** 2).mean(0))
        np.testing.assert_allclose(fit_ridge(FEATURES, TARGETS, (penalty,)).sd, expected, rtol=1e-6)

    def test_noise_is_given_more_penalty_than_signal(self) -> None:
        rng = np.random.default_rng(1)
        x = rng.normal(size=(60, 10))
        both = np.stack([x[:, 0] * 3, rng.normal(size=60)], 1)
        penalty = fit_ridge(x, both).penalty
        assert penalty[1] > penalty[0]

    def test_more_features_than_people_can_be_fitted(self) -> None:
        rng = np.random.default_rng(2)
        fitted = fit_ridge(rng.normal(size=(6, 40)), rng.normal(size=(6, 1)))
        assert np.isfinite(fitted.predict(rng.normal(size=(3, 40)))).all()

    def test_a_target_that_somebody_lacks_stays_unknown(self) -> None:
        targets = TARGETS.copy()
        targets[3, 1] = np.nan
        fitted = fit_ridge(FEATURES, targets)
        assert np.isnan(fitted.predict(FEATURES)[:, 1]).all()
        assert np.isnan(fitted.sd[1])
        assert np.isfinite(fitted.predict(FEATURES)[:, 0]).all()


class TestFeatures:
    def test_a_missing_score_sits_at_the_centre_and_is_marked(self) -> None:
        group = people(ClinicalRecord(age=60, mmse=20), ClinicalRecord(age=80))
        centre = field_centre(group)
        mmse = list(FIELDS).index("mmse")
        found = person_features(group, "clinic", centre)
        assert found[:, mmse].tolist() == [20.0, 20.0]
        assert found[:, len(FIELDS) + mmse].tolist() == [1.0, 0.0]

    def test_age_and_sex_hide_everything_else(self) -> None:
        told = people(ClinicalRecord(age=60, sex="F", mmse=12, apoe4=2))
        silent = people(ClinicalRecord(age=60, sex="F"))
        centre = field_centre(told)
        np.testing.assert_array_equal(
            person_features(told, "base", centre), person_features(silent, "base", centre)
        )

    def test_age_enters_squared_too(self) -> None:
        group = people(ClinicalRecord(age=60), ClinicalRecord(age=80))
        assert person_features(group, "base", field_centre(group))[:, -1].tolist() == [1.0, 1.0]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("s") / "store", n=3, tracers=("fdg",))


def test_volumes_are_shares_of_the_brain(store: Store) -> None:
    found = volume_features(store, store.subjects)
    first = store.subjects[0]
    np.testing.assert_allclose(found[0, :-1], store.volumes[0] / first.brain_ml)
    assert found[0, -1] == pytest.approx(first.brain_ml / 1000)
