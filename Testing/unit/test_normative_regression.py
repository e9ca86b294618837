"""Regression, W-scores and Crawford-Howell against formulas and against fitting again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from PETSynthLib.errors import PETSynthError
from PETSynthLib.normative.regression import (
    Person,
    as_z,
    crawford_howell,
    design,
    fit,
    inverse_of,
    left_out,
    sd_widening,
    terms_of,
    widening,
)


def people(n: int, seed: int = 0) -> list[Person]:
    rng = np.random.default_rng(seed)
    return [Person(float(a), "MF"[i % 2]) for i, a in enumerate(rng.uniform(55, 85, n))]


def test_exact_age_and_sex_effects_are_found() -> None:
    x = design(people(12), ("mean", "age", "sex"))
    found = fit(x, (x @ np.array([1.5, -0.004, 0.1]))[:, None])
    assert found.beta[:, 0] == pytest.approx([1.5, -0.004, 0.1])
    assert found.sd[0] == pytest.approx(0.0, abs=1e-7)
    at_80_male = design([Person(80, "M")], ("mean", "age", "sex"))[0]
    assert found.expected(at_80_male)[0] == pytest.approx(1.56)


def test_the_sd_counts_the_terms() -> None:
    # Values 1, 2, 3, 4: mean 2.5, sum of squares 5, so sd = sqrt(5 / 3).
    x = np.ones((4, 1))
    found = fit(x, np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert found.beta[0, 0] == 2.5
    assert found.sd[0] == pytest.approx(np.sqrt(5.0 / 3.0))


def test_crawford_howell_is_its_formula() -> None:
    # (1.2 - 1.5) / (0.1 sqrt(1 + 1/25)) = -3 / sqrt(1.04)
    t, p = crawford_howell(1.2, 1.5, 0.1, 25)
    assert t == pytest.approx(-3.0 / np.sqrt(1.04))
    assert p == pytest.approx(stats.t.cdf(-3.0 / np.sqrt(1.04), 24))


def test_w_with_a_mean_alone_is_crawford_howells_t() -> None:
    normals = np.random.default_rng(1).normal(1.5, 0.1, 25)
    x = np.ones((25, 1))
    found = fit(x, normals[:, None])
    w = (found.expected(x[0])[0] - 1.2) / (found.sd[0] * widening(x[0], inverse_of(x)))
    t, _ = crawford_howell(1.2, float(normals.mean()), float(normals.std(ddof=1)), 25)
    assert w == pytest.approx(-t)


def test_leaving_out_in_closed_form_is_fitting_again_without_each() -> None:
    who = people(15)
    x = design(who, terms_of(who))
    y = np.random.default_rng(2).normal(1.4, 0.1, (15, 3))
    again = np.empty_like(y)
    for i in range(15):
        rest = np.arange(15) != i
        one = fit(x[rest], y[rest])
        wide = widening(x[i], inverse_of(x[rest]))
        again[i] = (one.expected(x[i]) - y[i]) / (one.sd * wide)
    assert left_out(x, y) == pytest.approx(again)


@pytest.mark.parametrize("n", [20, 39, 40, 100])
def test_normals_left_out_have_the_tail_of_their_rule(n: int) -> None:
    who = people(n)
    x = design(who, terms_of(who))
    y = np.random.default_rng(3).normal(1.4, 0.1, (n, 4000))
    z = as_z(left_out(x, y), n, x.shape[1], own=True)
    # Each is held against n - 1 with three terms: Student's t with n - 4 degrees, which below 40
    # is turned into z, and from 40 on is taken as z (36 degrees: sd 1.029, 5.43 % above 1.6449).
    rule = stats.norm() if n < 40 else stats.t(n - 4)
    assert z.mean() == pytest.approx(0.0, abs=0.001)
    assert z.std() == pytest.approx(rule.std(), abs=0.001)
    assert (z > 1.6449).mean() == pytest.approx(rule.sf(1.6449), abs=0.001)


def test_below_40_a_z_has_the_tail_of_its_t_and_from_40_it_is_w() -> None:
    z = float(as_z(np.array(3.0), 25, 3))
    assert stats.norm.sf(z) == pytest.approx(stats.t.sf(3.0, 22))
    assert float(as_z(np.array(-3.0), 25, 3)) == -z
    assert float(as_z(np.array(3.0), 40, 3)) == 3.0
    # The 40 themselves, each against 39, are judged by the rule of a new person beside all 40.
    assert float(as_z(np.array(3.0), 40, 3, own=True)) == 3.0
    own = float(as_z(np.array(3.0), 25, 3, own=True))
    assert stats.norm.sf(own) == pytest.approx(stats.t.sf(3.0, 21))


def test_a_far_value_keeps_its_z() -> None:
    z = as_z(np.array([50.0, 60.0]), 30, 3)
    assert np.isfinite(z).all()
    assert z[1] > z[0] > 6.0


def test_a_widened_sd_makes_z_2_as_rare_as_it_should_be() -> None:
    # A value at z = 2 of the widened SD is at t = 2 * factor.
    assert stats.t.sf(2.0 * sd_widening(25, 3), 22) == pytest.approx(stats.norm.sf(2.0))
    assert sd_widening(40, 3) == 1.0


def test_terms_that_do_not_vary_are_left_out() -> None:
    assert terms_of([Person(60, "F"), Person(70, "F")]) == ("mean", "age")
    assert terms_of([Person(60, "F"), Person(60, "M")], age_squared=True) == ("mean", "sex")
    assert terms_of(people(5), age_squared=True) == ("mean", "age", "sex", "age2")


def test_too_few_people_for_the_terms_are_refused() -> None:
    with pytest.raises(PETSynthError, match="4 people cannot tell apart 3 terms"):
        inverse_of(design(people(4), ("mean", "age", "sex")))
