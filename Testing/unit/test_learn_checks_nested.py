"""Nested cross-validation by anatomy and the measures of a classifier."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("sklearn")

from PETSynthLib.learn.checks.arms import Arm
from PETSynthLib.learn.checks.nested import (
    RareClass,
    auc,
    balanced_accuracy,
    classify,
    diagnosis_classes,
    mean_auc,
    predict_score,
    standardised,
)

NAMES = np.array(["AD", "CN", "FTD"])


def arm(fit: np.ndarray, *more: np.ndarray, test: np.ndarray | None = None) -> Arm:
    """Evidence of one matrix, or of several that are fitted together."""
    return Arm("x", "x", "", (fit, *more), fit if test is None else test, False)


class TestAuc:
    def test_is_the_share_of_pairs_in_the_right_order(self) -> None:
        # Positives .35 and .8 against negatives .1 and .4: three of four pairs are right.
        scores, positive = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
        assert auc(scores, positive) == 0.75

    def test_a_tie_counts_half(self) -> None:
        assert auc(np.array([0.5, 0.5]), np.array([True, False])) == 0.5

    def test_is_not_defined_without_positives(self) -> None:
        assert math.isnan(auc(np.array([0.5, 0.5]), np.array([False, False])))

    def test_of_three_classes_is_the_mean_of_one_against_the_rest(self) -> None:
        # AD and FTD are separated; CN: its person (.3) against .4 and .2 is right once of two.
        table = np.array([[0.6, 0.4, 0.0], [0.4, 0.3, 0.3], [0.0, 0.2, 0.8]])
        classes = np.array(["AD", "CN", "FTD"])
        assert mean_auc(table, classes, NAMES) == pytest.approx((1 + 0.5 + 1) / 3)


class TestBalancedAccuracy:
    def test_weighs_classes_not_people(self) -> None:
        # All three CN found, the one AD taken for CN: (1 + 0) / 2, though 3 of 4 are right.
        table = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
        classes = np.array(["CN", "CN", "CN", "AD"])
        assert balanced_accuracy(table, classes, NAMES[:2]) == 0.5


class TestDiagnosisClasses:
    def test_rare_diagnoses_join_one_class(self) -> None:
        diagnoses = ["CN"] * 10 + ["FTD"] * 6 + ["DLB"] * 4
        found = diagnosis_classes(diagnoses, [str(i) for i in range(20)])
        assert found == ["CN"] * 10 + ["other"] * 10

    def test_a_rest_too_small_is_left_out_and_so_is_an_unknown_diagnosis(self) -> None:
        diagnoses = ["CN"] * 10 + ["FTD"] * 9 + [""]
        found = diagnosis_classes(diagnoses, [str(i) for i in range(20)])
        assert found == ["CN"] * 10 + [""] * 10

    def test_two_visits_of_one_person_count_once(self) -> None:
        anatomies = [str(i // 2) for i in range(10)]
        assert diagnosis_classes(["AD"] * 10, anatomies) == [""] * 10


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


class TestClassify:
    def test_finds_classes_that_are_apart(self, rng: np.random.Generator) -> None:
        classes = np.repeat(["AD", "CN"], 20)
        features = rng.standard_normal((40, 3))
        features[:20, 0] += 6
        found = classify(arm(features), classes, np.arange(40).astype(str), 0)
        assert mean_auc(found, classes, NAMES[:2]) > 0.98
        assert np.allclose(found.sum(1), 1)

    def test_a_brain_is_never_on_both_sides(self, rng: np.random.Generator) -> None:
        # Two identical visits of each person and labels by chance: with 300 features a classifier
        # that saw the other visit would be right every time.
        people = 30
        features = np.repeat(rng.standard_normal((people, 300)), 2, axis=0)
        classes = np.repeat(rng.permutation(np.repeat(["AD", "CN"], people // 2)), 2)
        anatomies = np.repeat(np.arange(people), 2).astype(str)
        assert mean_auc(classify(arm(features), classes, anatomies, 0), classes, NAMES[:2]) < 0.8

    def test_is_fitted_on_one_evidence_and_asked_about_another(
        self, rng: np.random.Generator
    ) -> None:
        # The test evidence has its sign turned: what was learnt is exactly wrong there.
        classes = np.repeat(["AD", "CN"], 20)
        features = rng.standard_normal((40, 2)) + 6 * (classes == "AD")[:, None]
        found = classify(arm(features, test=6 - features), classes, np.arange(40).astype(str), 0)
        assert mean_auc(found, classes, NAMES[:2]) < 0.02

    def test_bears_missing_numbers(self, rng: np.random.Generator) -> None:
        classes = np.repeat(["AD", "CN"], 20)
        features = rng.standard_normal((40, 3)) + 6 * (classes == "AD")[:, None]
        features[::3, 0] = np.nan
        features[:, 2] = np.nan
        found = classify(arm(features, features), classes, np.arange(40).astype(str), 0)
        assert mean_auc(found, classes, NAMES[:2]) > 0.9

    def test_a_class_that_a_fold_leaves_out_is_named(self, rng: np.random.Generator) -> None:
        # One brain holds everybody with AD: no fold can be fitted on it and asked about it.
        classes = np.repeat(["AD", "CN"], [10, 30])
        anatomies = np.array(["one"] * 10 + [str(i) for i in range(30)])
        with pytest.raises(RareClass, match="AD"):
            classify(arm(rng.standard_normal((40, 2))), classes, anatomies, 0)


def test_a_score_is_predicted_for_people_outside_the_fit(rng: np.random.Generator) -> None:
    features = rng.standard_normal((40, 3))
    scores = 25 - 2 * features[:, 0]
    found = predict_score(arm(features), scores, np.arange(40).astype(str), 0)
    assert np.corrcoef(found, scores)[0, 1] > 0.98


class TestStandardised:
    def test_missing_numbers_become_the_mean_of_the_fitted_and_a_flag(self) -> None:
        fit = np.array([[1.0, 5.0], [3.0, np.nan], [np.nan, 7.0], [2.0, 6.0]])
        seen, unseen = standardised(fit, np.array([[np.nan, 6.0]]))
        # Columns: two features, two flags; 2.0 and 6.0 are the means.
        assert seen[:, :2] == pytest.approx(np.array([[-1, -1], [1, 0], [0, 1], [0, 0]]) * 2**0.5)
        assert unseen[0, :2] == pytest.approx([0, 0])
        assert unseen[0, 2] > 0 > unseen[0, 3]

    def test_many_features_keep_all_distances_between_people(
        self, rng: np.random.Generator
    ) -> None:
        fit = rng.standard_normal((6, 50))
        seen, unseen = standardised(fit, fit[:1])
        assert seen.shape == (6, 6)
        whole = (fit - fit.mean(0)) / fit.std(0)
        assert seen @ seen.T == pytest.approx(whole @ whole.T)
        assert unseen[0] == pytest.approx(seen[0])
