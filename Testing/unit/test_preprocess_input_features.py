"""Whether a T1's intensities are like those of the training, against distributions made by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from PETSynthLib.checks import Verdict
from PETSynthLib.preprocess.atlas_grid import atlas_on
from PETSynthLib.preprocess.input_features import (
    FEATURES,
    FEWEST,
    InputStatistics,
    input_features,
    input_finding,
    input_statistics,
)
from PETSynthLib.volume import CANONICAL, Volume

F = len(FEATURES)
BRAIN = atlas_on("template_brain", CANONICAL)


def painted(grey: float, white: float, rest: float = 0.3) -> Volume:
    """A T1 of three constant tissues."""
    data = np.full(CANONICAL.shape, rest, np.float32)
    data[atlas_on("template_gm", CANONICAL).data > 0.6] = grey
    data[atlas_on("template_wm", CANONICAL).data > 0.9] = white
    return BRAIN.with_data(data * BRAIN.mask)


def around(features: np.ndarray, people: int = 100) -> dict:
    """What a bundle says of people whose features scatter by 0.05 about ``features``."""
    return InputStatistics(people, features, 0.05 * np.eye(F)).as_dict()


def test_constant_tissues_have_their_own_medians_and_no_spread() -> None:
    found = dict(zip(FEATURES, input_features(painted(0.7, 1.0), BRAIN), strict=True))
    assert found["grey_median"] == pytest.approx(0.7)
    assert found["white_median"] == pytest.approx(1.0)
    assert found["grey_spread"] == found["white_spread"] == 0.0
    assert found["brain_p5"] == pytest.approx(0.3)


def test_the_probability_of_one_new_scan_is_hotellings() -> None:
    n, away = 80, 3.0
    statistics = InputStatistics(n, np.zeros(F), 2.0 * np.eye(F))
    features = np.zeros(F)
    features[0] = 2.0 * away
    # T2 = 9 / (1 + 1/80); F = T2 (80 - 8) / (8 * 79) with 8 and 72 degrees of freedom.
    expected = stats.f.sf(9.0 / (1.0 + 1.0 / 80.0) * 72.0 / 632.0, 8, 72)
    assert statistics.probability(features) == pytest.approx(expected)


def test_of_people_like_the_training_as_many_lie_below_p_as_p_says() -> None:
    rng = np.random.default_rng(3)
    mixing = rng.normal(size=(F, F))
    below = []
    for _ in range(40):
        statistics = input_statistics(rng.normal(size=(60, F)) @ mixing)
        assert statistics is not None
        fresh = rng.normal(size=(25, F)) @ mixing
        below += [statistics.probability(one) < 0.05 for one in fresh]
    # 1,000 people: 5 % give or take 99 % of their scatter within and between trainings.
    assert np.mean(below) == pytest.approx(0.05, abs=0.022)


def test_too_few_people_or_none_that_differ_have_no_statistics() -> None:
    rng = np.random.default_rng(0)
    assert input_statistics(rng.normal(size=(FEWEST - 1, F))) is None
    assert input_statistics(np.ones((FEWEST, F))) is None
    assert input_statistics(rng.normal(size=(FEWEST, F))) is not None


def test_statistics_come_back_from_json() -> None:
    made = input_statistics(np.random.default_rng(1).normal(size=(90, F)))
    assert made is not None
    again = InputStatistics.from_dict(json.loads(json.dumps(made.as_dict())))
    one = np.full(F, 0.7)
    assert again.people == 90
    assert again.probability(one) == pytest.approx(made.probability(one), rel=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"people": 10},
        {"features": ["something"]},
        {"mean": [0.0]},
        {"cholesky": [0.0] * 36},
        {"mean": [float("nan")] * F},
    ],
)
def test_statistics_that_are_none_are_refused(change: dict) -> None:
    body = {**around(np.zeros(F)), **change}
    with pytest.raises(ValueError, match="input_statistics"):
        InputStatistics.from_dict(body)


def test_a_t1_like_the_training_is_green_and_another_stops_the_run() -> None:
    known = around(input_features(painted(0.7, 1.0), BRAIN))
    alike = input_finding(painted(0.7, 1.0), BRAIN, known, simulated=False)
    assert (alike.verdict, alike.value) == (Verdict.GREEN, 1.0)
    other = input_finding(painted(0.2, 1.0), BRAIN, known, simulated=False)
    assert other.verdict is Verdict.RED
    assert float(other.value) < 0.001
    assert "unlike those of 100 people" in other.sentence


def test_beside_simulated_mri_an_unlike_scan_is_amber() -> None:
    known = around(input_features(painted(0.7, 1.0), BRAIN))
    other = input_finding(painted(0.2, 1.0), BRAIN, known, simulated=True)
    assert other.verdict is Verdict.AMBER
    assert "unlike those of 100 simulated people" in other.sentence
    assert "red" not in other.limit


def test_an_older_model_says_that_nothing_was_checked() -> None:
    found = input_finding(painted(0.7, 1.0), BRAIN, None, simulated=False)
    assert (found.verdict, found.value) == (Verdict.GREEN, "not known")
    assert found.undecided
    assert "was not checked" in found.sentence
