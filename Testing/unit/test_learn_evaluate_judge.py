"""Scores and comparisons on regional values whose answers are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.evaluate.controls import (
    AGE_SEX,
    CLINIC,
    POPULATION,
    SHUFFLED_MRI,
    VOLUMES_CLINIC,
)
from PETSynthLib.learn.evaluate.forms import FORMS, sample_estimators
from PETSynthLib.learn.evaluate.judge import (
    BEATEN,
    compare,
    comparisons,
    in_family,
    per_subject_crps,
    probability_of_truth,
    score,
)
from PETSynthLib.learn.evaluate.results import ORACLE, Regional, Results
from PETSynthLib.learn.evaluate.statistics import crps_gaussian
from PETSynthLib.learn.regions import region_index, region_keys
from PETSynthLib.learn.store import Subject

R = len(region_keys())
TARGET = region_index("fdg_ad_metaroi")
N = 40
NOISE = np.random.default_rng(0).normal(0, 1, N)
TRUTH = 1.2 + 0.1 * np.random.default_rng(1).normal(0, 1, N)


def values(
    model: str, info: str, target: np.ndarray, sd: float | None = None, **more: Any
) -> Regional:
    mean = np.ones((N, R))
    mean[:, TARGET] = target
    spread = None if sd is None else np.full((N, R), sd)
    low = None if sd is None else mean - 1.6449 * sd
    high = None if sd is None else mean + 1.6449 * sd
    seed = more.pop("seed", 0)
    return Regional(model, seed, "fdg", info, mean, mean, spread, low, high, **more)


def results(*regional: Regional, models: tuple[str, ...] = ("flow",)) -> Results:
    truth = np.ones((N, R))
    truth[:, TARGET] = TRUTH
    people = tuple(
        Subject(
            n, f"s{n}", f"a{n}", "north", "ge", "test", "", "", ClinicalRecord(), 1.0, False,
            ("fdg",),
        )
        for n in range(N)
    )  # fmt: skip
    table = {(r.model, r.seed, r.tracer, r.information): r for r in regional}
    nowhere: Any = None
    return Results(nowhere, people, {"fdg": truth}, {"fdg": truth}, table, models, {"flow": 1})


ORACLE_BOTH = values(ORACLE, "both", TRUTH + 0.02 * NOISE, 0.02)
MEAN = values(POPULATION, "none", np.full(N, 1.2), 0.1)


def drawn(label: str, first: float, second: float) -> list[Regional]:
    """A model whose picture errs by 0.5 and whose two samples err by ``first`` and ``second``."""
    draws = np.ones((N, 2, R), np.float32)
    draws[:, 0, TARGET], draws[:, 1, TARGET] = TRUTH + first, TRUTH + second
    made = values(label, "both", TRUTH + 0.5, draws=draws)
    return [made, *sample_estimators(made)]


class TestForms:
    model = drawn("flow", 0.4, 0.0)
    shuffled = drawn(SHUFFLED_MRI.format("flow"), 0.9, 0.1)

    def test_the_mean_of_the_samples_is_judged_first_and_a_single_sample_beside_it(self) -> None:
        found = comparisons(results(*self.model, MEAN), ("fdg",))
        assert [c.judged_as for c in found] == ["mean of 2 samples", "single sample"]
        rest = np.abs(1.2 - TRUTH).mean()
        assert [c.difference for c in found] == pytest.approx([0.2 - rest, 0.4 - rest], abs=1e-6)
        assert [c.p_holm for c in found] == [c.p for c in found]  # a family of its own each

    def test_a_model_without_samples_is_judged_once_by_its_picture(self) -> None:
        found = comparisons(results(values("flow", "both", TRUTH), MEAN), ("fdg",))
        assert [(c.form, c.judged_as) for c in found] == [("mean", "its one picture")]

    def test_its_shuffled_control_is_judged_in_the_same_form(self) -> None:
        cohort = results(*self.model, *self.shuffled)
        other = SHUFFLED_MRI.format("flow")
        found = [compare(cohort, "flow", other, "fdg", form) for form in FORMS]
        assert [c.difference for c in found] == pytest.approx([0.2 - 0.5, 0.4 - 0.9], abs=1e-6)

    def test_where_the_control_was_not_sampled_both_are_judged_by_their_pictures(self) -> None:
        other = values(SHUFFLED_MRI.format("flow"), "both", TRUTH + 0.7)
        found = compare(results(*self.model, other), "flow", other.model, "fdg")
        assert found.difference == pytest.approx(0.5 - 0.7)
        assert found.judged_as == "its one picture"


class TestScore:
    def test_a_constant_error_by_hand(self) -> None:
        found = score(
            results(values("flow", "both", TRUTH + 0.05), ORACLE_BOTH, MEAN), "flow", "fdg", "both"
        )
        assert found.mae == pytest.approx(0.05)
        assert found.mae_interval == pytest.approx((0.05, 0.05))
        oracle = 0.02 * np.abs(NOISE).mean()
        assert found.excess == pytest.approx(0.05 - oracle)
        assert found.excess_same == pytest.approx(found.excess)
        assert found.agreement.bias == pytest.approx(0.05)
        assert found.agreement.slope == pytest.approx(1.0)
        assert found.anatomies == N

    def test_seeds_are_averaged(self) -> None:
        two = (
            values("flow", "both", TRUTH + 0.05),
            values("flow", "both", TRUTH - 0.15, seed=1),
        )
        assert score(results(*two, MEAN), "flow", "fdg", "both").mae == pytest.approx(0.10)

    def test_skill_is_one_for_the_oracle_and_zero_for_the_population_mean(self) -> None:
        draws = np.ones((N, 200, R), np.float32)
        draws[:, :, TARGET] = (TRUTH + 0.02 * NOISE)[:, None] + 0.02 * np.random.default_rng(
            3
        ).normal(size=(N, 200))
        oracle = values(ORACLE, "both", TRUTH + 0.02 * NOISE, 0.02, draws=draws)
        cohort = results(values("flow", "both", TRUTH + 0.02 * NOISE, 0.02), oracle, MEAN)
        assert score(cohort, ORACLE, "fdg", "both").skill == pytest.approx(1.0)
        assert score(cohort, POPULATION, "fdg", "none").skill == pytest.approx(0.0)
        assert score(cohort, "flow", "fdg", "both").skill == pytest.approx(1.0, abs=0.02)

    def test_half_the_oracle_s_spread_is_a_ratio_of_a_half_and_covers_less(self) -> None:
        cohort = results(values("flow", "both", TRUTH + 0.02 * NOISE, 0.01), ORACLE_BOTH, MEAN)
        sure, honest = (score(cohort, label, "fdg", "both") for label in ("flow", ORACLE))
        assert sure.sd_ratio == pytest.approx(0.5)
        assert sure.coverage < 0.75 < honest.coverage
        assert sure.width == pytest.approx(2 * 1.6449 * 0.01)

    def test_without_oracle_there_is_no_excess_and_without_spread_no_coverage(self) -> None:
        found = score(results(values("flow", "both", TRUTH), MEAN), "flow", "fdg", "both")
        assert all(
            math.isnan(v)
            for v in (found.excess, found.skill, found.coverage, found.crps, found.sd_ratio)
        )

    def test_a_subject_without_the_pet_is_left_out(self) -> None:
        cohort = results(values("flow", "both", TRUTH + 0.05), MEAN)
        cohort.truth["fdg"][3] = np.nan
        found = score(cohort, "flow", "fdg", "both")
        assert found.anatomies == N - 1
        assert found.mae == pytest.approx(0.05)


def test_a_stated_gaussian_is_scored_as_such_although_there_are_draws() -> None:
    draws = np.zeros((N, 4, R), np.float32)
    stated = values("flow", "both", TRUTH + 0.1, 0.1, draws=draws)
    expected = crps_gaussian(np.array([0.1]), np.array([0.1]), np.zeros(1))[0]
    assert per_subject_crps(stated, TRUTH, TARGET) == pytest.approx(np.full(N, expected))


def test_the_share_below_the_truth_is_that_of_the_normal_distribution() -> None:
    one_sd_low = values("flow", "both", TRUTH - 0.1, 0.1)
    found = probability_of_truth(one_sd_low, TRUTH, TARGET)
    assert found == pytest.approx(np.full(N, 0.841345), abs=1e-6)
    assert np.isnan(probability_of_truth(values("x", "both", TRUTH), TRUTH, TARGET)).all()


class TestComparisons:
    good = values("flow", "both", TRUTH + 0.02 * NOISE)
    rival = values(VOLUMES_CLINIC, "both", TRUTH + 0.02 * NOISE[::-1])
    sexless = values(AGE_SEX, "base", np.full(N, 1.2))
    clinic = values(CLINIC, "clinic", TRUTH + 0.1 * NOISE)

    def test_a_better_model_is_better_after_holm(self) -> None:
        cohort = results(self.good, MEAN, self.sexless, self.clinic, self.rival, ORACLE_BOTH)
        found = {c.other: c for c in comparisons(cohort, ("fdg",))}
        assert set(found) == {POPULATION, AGE_SEX, CLINIC, VOLUMES_CLINIC, ORACLE}
        assert found[POPULATION].better
        assert found[CLINIC].better
        assert found[CLINIC].p_holm >= found[CLINIC].p
        assert found[CLINIC].p_holm <= 3 * found[CLINIC].p + 1e-12

    def test_rival_and_oracle_carry_no_corrected_p_and_are_never_beaten(self) -> None:
        cohort = results(self.good, MEAN, self.rival, ORACLE_BOTH)
        for other in (VOLUMES_CLINIC, ORACLE):
            found = next(c for c in comparisons(cohort, ("fdg",)) if c.other == other)
            assert math.isnan(found.p_holm)
            assert not found.better
            assert not in_family(found, ("fdg",))

    def test_a_tracer_outside_the_family_is_not_corrected(self) -> None:
        found = comparisons(results(self.good, MEAN), ("pib",))
        assert [math.isnan(c.p_holm) for c in found] == [True]

    def test_a_worse_model_is_never_called_better(self) -> None:
        worse = values("flow", "both", TRUTH + 0.3)
        found = comparisons(results(worse, MEAN), ("fdg",))[0]
        assert found.p_holm < 0.01
        assert found.difference > 0
        assert not found.better

    def test_each_side_is_judged_with_the_richest_information_it_was_given(self) -> None:
        poor = values("flow", "mri", TRUTH + 0.5)
        found = compare(results(poor, self.good, MEAN), "flow", POPULATION, "fdg")
        assert found.difference < 0

    def test_a_model_without_the_clinic_is_held_against_the_oracle_without_it(self) -> None:
        oracle_mri = values(ORACLE, "mri", TRUTH + 0.05 * NOISE, 0.05)
        mine = values("flow", "mri", TRUTH + 0.05 * NOISE)
        cohort = results(mine, oracle_mri, ORACLE_BOTH, MEAN)
        found = compare(cohort, "flow", ORACLE, "fdg")
        assert found.knows == "mri"
        assert found.difference == pytest.approx(0.0, abs=1e-12)

    def test_each_seed_is_held_against_the_mean_of_the_shuffled_seeds(self) -> None:
        label = SHUFFLED_MRI.format("flow")
        cohort = results(
            values("flow", "both", TRUTH + 0.1),
            values("flow", "both", TRUTH + 0.3, seed=1),
            values(label, "both", TRUTH + 0.4),
            values(label, "both", TRUTH + 0.8, seed=1),
        )
        assert compare(cohort, "flow", label, "fdg").difference == pytest.approx(0.2 - 0.6)

    def test_the_family_is_the_controls_named_in_advance(self) -> None:
        assert VOLUMES_CLINIC not in BEATEN
        assert {POPULATION, AGE_SEX, CLINIC} < set(BEATEN)
        assert len(BEATEN) == 6
