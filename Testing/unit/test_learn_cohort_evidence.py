"""What MRI and clinic see: the laws that draw are the laws that weigh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort.evidence import (
    RECORDED,
    Focal,
    Scores,
    Shown,
    burden,
    diagnose,
    draw_focal,
    draw_focals,
    draw_scores,
    draw_shown,
    focal_labels,
    log_p_scores,
    log_p_shown,
    recorded_mean,
    recorded_sd,
)
from PETSynthLib.learn.cohort.parameters import AETIOLOGIES, CLINIC, CONFIGURATIONS, DIAGNOSES
from PETSynthLib.learn.cohort.people import Facts, draw_people, take

DEFAULT = CONFIGURATIONS["default"]
PEOPLE = draw_people(Facts(75.0, 1.0, "clinic", "ge"), 400, np.random.default_rng(0))
ONE = take(PEOPLE, np.array([int(np.argmax(burden(PEOPLE)))]))
NOTHING = Focal(0, 0.0, False)


class TestScores:
    def test_the_probabilities_of_all_scores_sum_to_one(self) -> None:
        mmse = [log_p_scores(PEOPLE, Scores(m, None), DEFAULT) for m in range(31)]
        adas13 = [log_p_scores(PEOPLE, Scores(None, a), DEFAULT) for a in range(86)]
        assert np.exp(mmse).sum(0) == pytest.approx(np.ones(400), abs=1e-9)
        assert np.exp(adas13).sum(0) == pytest.approx(np.ones(400), abs=1e-9)

    def test_drawn_scores_have_the_probability_that_weighs_them(self) -> None:
        rng = np.random.default_rng(1)
        drawn = np.array([draw_scores(ONE, DEFAULT, rng)[0] for _ in range(3000)])
        for score in (np.median(drawn), np.median(drawn) + 2):
            weighed = np.exp(log_p_scores(ONE, Scores(float(score), None), DEFAULT))[0]
            assert (drawn == score).mean() == pytest.approx(weighed, abs=0.03)

    def test_a_score_is_a_rounded_normal(self) -> None:
        healthy, slope, per_year, sd = CLINIC.mmse
        mean = healthy - slope * burden(ONE)[0] + per_year * (ONE.education[0] - 15)
        law = stats.norm(mean, sd)
        score = float(round(mean))
        expected = law.cdf(score + 0.5) - law.cdf(score - 0.5)
        assert np.exp(log_p_scores(ONE, Scores(score, None), DEFAULT))[0] == pytest.approx(expected)

    def test_a_missing_score_says_nothing(self) -> None:
        assert (log_p_scores(PEOPLE, Scores(None, None), DEFAULT) == 0).all()


class TestRecorded:
    def test_what_the_mri_shows_is_the_hidden_state_plus_the_stated_noise(self) -> None:
        rng = np.random.default_rng(2)
        shown = np.array([draw_shown(ONE, NOTHING, DEFAULT, rng).numbers for _ in range(3000)])
        z = (shown - recorded_mean(ONE)) / recorded_sd(DEFAULT)
        assert z.mean(0) == pytest.approx(np.zeros(len(RECORDED)), abs=0.07)
        assert z.std(0) == pytest.approx(np.ones(len(RECORDED)), abs=0.05)

    def test_the_likelihood_is_that_of_independent_normals(self) -> None:
        numbers = tuple(recorded_mean(ONE)[0] + recorded_sd(DEFAULT) * [2, 0, 0, 0, 0, -1])
        at_mean = Shown(tuple(recorded_mean(ONE)[0]), 0, 0.0)
        ratio = log_p_shown(ONE, Shown(numbers, 0, 0.0), DEFAULT) - log_p_shown(
            ONE, at_mean, DEFAULT
        )
        assert ratio[0] == pytest.approx(-0.5 * (2**2 + 1**2))

    def test_a_strong_link_has_less_noise(self) -> None:
        assert recorded_sd(CONFIGURATIONS["strong"]) == pytest.approx(0.5 * recorded_sd(DEFAULT))


class TestFocal:
    def test_a_tenth_each_has_a_loss_that_the_mri_shows_or_hides(self) -> None:
        rng = np.random.default_rng(3)
        drawn = [draw_focal(rng) for _ in range(4000)]
        seen = np.mean([f.visible for f in drawn])
        hidden = np.mean([f.label > 0 and not f.visible for f in drawn])
        assert (seen, hidden) == pytest.approx((0.1, 0.1), abs=0.02)

    def test_an_mri_without_one_leaves_a_ninth(self) -> None:
        # 0.1 of hidden ones among the 0.9 in whom nothing is seen.
        labels, _ = draw_focals(Shown((0.0,) * 6, 0, 0.0), 20000, np.random.default_rng(4))
        assert (labels > 0).mean() == pytest.approx(1 / 9, abs=0.01)
        assert set(labels[labels > 0]) <= set(focal_labels())

    def test_a_visible_one_is_known_but_for_its_depth(self) -> None:
        labels, depths = draw_focals(Shown((0.0,) * 6, 9, 0.4), 20000, np.random.default_rng(5))
        assert set(labels) == {9}
        law = stats.truncnorm((0.25 - 0.4) / 0.08, (0.6 - 0.4) / 0.08, 0.4, 0.08)
        assert depths.mean() == pytest.approx(law.mean(), abs=0.003)
        assert depths.std() == pytest.approx(law.std(), abs=0.003)


def test_a_diagnosis_is_mostly_but_not_always_the_cause() -> None:
    rng = np.random.default_rng(6)
    ad = replace(ONE, aetiology=np.array([AETIOLOGIES.index("ad")]))
    words = [diagnose(ad, rng) for _ in range(2000)]
    assert words.count("AD") / 2000 == pytest.approx(1 - CLINIC.misdiagnosed, abs=0.03)
    assert set(words) == set(DIAGNOSES)
