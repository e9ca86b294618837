"""Circularity, coverage and flags of a model on gathered results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from checks_case import MODEL, R, person, results_of

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.learn.audit.judged import (
    any_flag,
    circularity,
    coverage,
    diagnosis_circularity,
    flags,
)
from PETSynthLib.learn.evaluate.controls import AGE_SEX, CLINIC
from PETSynthLib.learn.evaluate.gather import Gathered
from PETSynthLib.learn.evaluate.results import Regional
from PETSynthLib.learn.evaluate.zmap import regional_norm
from PETSynthLib.learn.regions import region_index
from PETSynthLib.learn.tidy import ALL, Row

TARGET = region_index("fdg_ad_metaroi")
N = 40


def estimator(label: str, information: str, error: float, spread: float = 0.0) -> Regional:
    """Values whose target is off by ``error`` -+ ``spread`` from the truth 1."""
    values = np.ones((N, R))
    values[:, TARGET] += error + spread * np.random.default_rng(0).standard_normal(N)
    return Regional(label, 0, "fdg", information, values, values)


def gathered(model: Regional, *controls: Regional) -> Gathered:
    people = [person(i) for i in range(N)]
    results = results_of(people, np.ones((N, R)), {}, more=[model, *controls])
    return Gathered(results, norms={})


class TestCircularity:
    CLINIC = estimator(CLINIC, "clinic", 0.10, 0.02)

    def test_a_model_better_than_the_clinic_is_green(self) -> None:
        found = circularity(gathered(estimator(MODEL, "both", 0.05), self.CLINIC), MODEL, "fdg")
        assert found.verdict is Verdict.GREEN
        assert found.value == pytest.approx(-0.05, abs=0.01)

    def test_a_model_like_the_clinic_is_amber(self) -> None:
        model = replace(self.CLINIC, model=MODEL, information="both")
        found = circularity(gathered(model, self.CLINIC), MODEL, "fdg")
        assert found.verdict is Verdict.AMBER
        assert "Nothing shows" in found.sentence

    def test_a_model_worse_than_the_clinic_is_red(self) -> None:
        found = circularity(gathered(estimator(MODEL, "both", 0.2), self.CLINIC), MODEL, "fdg")
        assert found.verdict is Verdict.RED

    def test_a_model_that_is_told_no_score_is_held_against_age_and_sex(self) -> None:
        plain = estimator(AGE_SEX, "base", 0.3)
        found = circularity(
            gathered(estimator(MODEL, "mri", 0.2), plain, self.CLINIC), MODEL, "fdg"
        )
        assert found.verdict is Verdict.GREEN
        assert "age and sex" in found.sentence

    @pytest.mark.parametrize(("low", "light"), [(0.01, Verdict.GREEN), (-0.01, Verdict.AMBER)])
    def test_a_diagnosis_is_held_against_the_clinic_too(self, low: float, light: Verdict) -> None:
        head = (MODEL, 0, "", "both", ALL, ALL, ALL, "")
        name = "diagnosis_auc_over_clinic.synthetic"
        rows = [Row(*head, f"{name}{e}", v) for e, v in (("", 0.1), (".low", low), (".high", 0.2))]
        assert [f.verdict for f in diagnosis_circularity(rows)] == [light]

    def test_without_diagnoses_it_stays_open(self) -> None:
        assert [f.verdict for f in diagnosis_circularity([])] == [Verdict.AMBER]


def with_interval(covered: int, calibrated: int | None) -> Finding:
    """40 people, ``covered`` of whom lie inside."""
    model = estimator(MODEL, "both", 0.0)
    width = np.where(np.arange(N) < covered, 0.1, -0.1)[:, None] * np.ones(R)
    model = replace(model, low=model.mean - width, high=model.mean + np.abs(width))
    made = gathered(model)
    made.calibration_people[MODEL, "fdg", "both"] = calibrated
    return coverage(made, MODEL, "fdg")


class TestCoverage:
    # 40 people at exactly 90 %: P(X <= 29) = .0015, P(X <= 30) = .0051, P(X = 40) = .0148, so that
    # the central 99 % of the binomial are 30 to 40.
    @pytest.mark.parametrize(
        ("covered", "light"), [(36, Verdict.GREEN), (30, Verdict.GREEN), (29, Verdict.RED)]
    )
    def test_is_judged_by_what_chance_allows(self, covered: int, light: Verdict) -> None:
        found = with_interval(covered, None)
        assert found.verdict is light
        assert found.value == covered / 40

    def test_few_calibration_subjects_allow_more(self) -> None:
        # 20 subjects: the coverage itself is Beta(19, 2), so 28 of 40 can still be chance.
        assert with_interval(28, None).verdict is Verdict.RED
        assert with_interval(28, 20).verdict is Verdict.GREEN

    def test_a_model_without_interval_is_said_to_have_none(self) -> None:
        found = coverage(gathered(estimator(MODEL, "both", 0.0)), MODEL, "fdg")
        assert found.verdict is Verdict.AMBER
        assert "states no interval" in found.sentence


class TestFlags:
    def test_any_region_above_the_threshold_is_a_flag_and_composites_are_not_asked(self) -> None:
        z = np.zeros((3, R))
        z[0, region_index("precuneus.L")] = 3.1
        z[1, region_index("precuneus.L")] = 2.9
        z[2, TARGET] = 9.0
        assert any_flag(z, 3.0).tolist() == [1, 0, 0]

    def judged(self, sick: int) -> list[Finding]:
        """Forty healthy people, ``sick`` of whom the model paints with low FDG everywhere."""
        rng = np.random.default_rng(8)
        norm = regional_norm(1 + 0.05 * rng.standard_normal((100, R)), "fdg")
        truth = np.ones((N, R))
        model = estimator(MODEL, "both", 0.0)
        model.mean[:sick] -= 0.5
        made = gathered(model)
        made.results.truth["fdg"][:] = truth
        made.norms["fdg"] = norm
        return flags(made, MODEL, "fdg")

    def test_a_model_that_makes_healthy_people_ill_is_red(self) -> None:
        true, synthetic = self.judged(sick=12)
        assert (true.verdict, true.value) == (Verdict.GREEN, 0.0)
        assert (synthetic.verdict, synthetic.value) == (Verdict.RED, 0.3)

    def test_one_of_forty_is_expected(self) -> None:
        assert [f.verdict for f in self.judged(sick=1)] == [Verdict.GREEN, Verdict.GREEN]

    def test_where_no_diagnosis_is_known_nobody_is_called_healthy(self) -> None:
        made = gathered(estimator(MODEL, "both", 0.0))
        made.norms["fdg"] = regional_norm(np.random.default_rng(0).normal(1, 0.1, (50, R)), "fdg")
        unknown = tuple(person(i, diagnosis="") for i in range(N))
        nameless = Gathered(replace(made.results, subjects=unknown), made.norms)
        (found,) = flags(nameless, MODEL, "fdg")
        assert found.verdict is Verdict.AMBER
        assert "no diagnosis is known" in found.sentence

    def test_nineteen_healthy_training_people_make_no_norm(self) -> None:
        made = gathered(estimator(MODEL, "both", 0.0))
        made.norms["fdg"] = regional_norm(np.random.default_rng(0).normal(1, 0.1, (19, R)), "fdg")
        (found,) = flags(made, MODEL, "fdg")
        assert found.verdict is Verdict.AMBER
        assert "19 healthy training people" in found.sentence


def test_nothing_is_judged_on_fewer_than_twenty_anatomies() -> None:
    made = gathered(estimator(MODEL, "both", 0.0), TestCircularity.CLINIC)
    people = tuple(person(i, anatomy=f"a{i % 19}") for i in range(N))
    few = Gathered(replace(made.results, subjects=people), norms={})
    found = circularity(few, MODEL, "fdg")
    assert found.verdict is Verdict.AMBER
    assert "19 anatomies are too few" in found.sentence
