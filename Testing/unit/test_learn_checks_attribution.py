"""Occlusion and Shapley values of clinical facts."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.clinical import FIELDS, ClinicalRecord
from PETSynthLib.learn.checks.attribution import every_subset, occlusion, shapley, told

PERSON = ClinicalRecord(age=70, sex="F", education=12, mmse=25, adas13=20, apoe4=1)
# Nothing known 0, only the first 10, only the second 20, both 40.
TWO = np.array([0.0, 10.0, 20.0, 40.0])


def test_shapley_averages_over_both_orders() -> None:
    # First fact: 10 when it comes first, 40 - 20 when second; second fact: 20 and 40 - 10.
    assert shapley(TWO).tolist() == [15.0, 25.0]


def test_occlusion_hides_one_fact_alone() -> None:
    worth = {(): 0.0, ("age",): 10.0, ("mmse",): 20.0, ("age", "mmse"): 40.0}
    lost = occlusion(PERSON, ["age", "mmse"], lambda r: np.array(worth[r.known()]))
    assert lost.tolist() == [20.0, 30.0]


def test_the_shares_of_six_facts_add_up_to_the_whole_effect() -> None:
    values = np.random.default_rng(0).standard_normal((64, 3))
    assert shapley(values).sum(0) == pytest.approx(values[-1] - values[0])


def test_a_fact_without_effect_has_no_share_and_a_sum_gives_each_its_own() -> None:
    weights = np.array([3.0, 0.0, -2.0])
    values = np.array([sum(w for i, w in enumerate(weights) if b >> i & 1) for b in range(8)])
    assert shapley(values) == pytest.approx(weights)


def test_every_subset_of_the_facts_is_asked_once_and_the_rest_is_missing() -> None:
    asked: list[tuple[str, ...]] = []

    def value(record: ClinicalRecord) -> np.ndarray:
        asked.append(record.known())
        return np.array([float(len(record.known()))])

    values = every_subset(PERSON, list(FIELDS), value)
    assert len(set(asked)) == 64
    assert asked[0] == ()
    assert asked[-1] == tuple(FIELDS)
    assert asked[0b001001] == ("age", "mmse")
    assert values[-1].tolist() == [6.0]


def test_a_missing_fact_stays_missing() -> None:
    assert told(ClinicalRecord(age=70), ("age", "mmse")).known() == ("age",)
