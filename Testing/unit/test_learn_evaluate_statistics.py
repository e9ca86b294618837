"""Statistics against values worked out by hand or published."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from PETSynthLib.learn.evaluate.statistics import (
    by_anatomy,
    coverage_band,
    crps_gaussian,
    crps_samples,
    evenness_p,
    holm,
    paired_t_p,
    sign_flip_p,
    truth_ranks,
    two_level_bootstrap,
)


class TestUnitOfAnalysis:
    def test_two_subjects_of_one_anatomy_count_once(self) -> None:
        table = by_anatomy(np.array([1.0, 3.0, 10.0]), ["a", "a", "b"])
        assert table.tolist() == [[2.0], [10.0]]

    def test_a_subject_without_a_value_is_left_out(self) -> None:
        table = by_anatomy(np.array([[1.0, 2.0], [np.nan, 4.0]]), ["a", "b"])
        assert table.tolist() == [[1.0, 2.0]]

    def test_nobody_gives_an_empty_table(self) -> None:
        assert by_anatomy(np.array([np.nan]), ["a"]).shape == (0, 1)


class TestBootstrap:
    def test_two_anatomies_give_the_two_extremes(self) -> None:
        # Means of a resample of {0, 1}: 0, 1/2, 1 with chances 1/4, 1/2, 1/4.
        low, high = two_level_bootstrap(np.array([[0.0], [1.0]]))
        assert (low, high) == (0.0, 1.0)

    def test_the_interval_of_a_mean_agrees_with_the_normal_approximation(self) -> None:
        values = np.random.default_rng(1).normal(5.0, 2.0, (400, 1))
        low, high = two_level_bootstrap(values, resamples=4000)
        half = 1.96 * values.std(ddof=1) / math.sqrt(400)
        assert high - low == pytest.approx(2 * half, rel=0.06)
        assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.02)

    def test_seeds_that_disagree_widen_the_interval(self) -> None:
        # The seeds differ by 1 and the anatomies not at all: only the seed level has spread.
        table = np.tile([0.0, 1.0], (30, 1))
        assert two_level_bootstrap(table) == (0.0, 1.0)

    def test_one_anatomy_has_no_interval(self) -> None:
        assert all(math.isnan(v) for v in two_level_bootstrap(np.array([[1.0]])))

    def test_it_repeats(self) -> None:
        table = np.arange(10.0)[:, None]
        assert two_level_bootstrap(table) == two_level_bootstrap(table)


class TestPairedTests:
    def test_five_gains_of_five_are_two_patterns_of_thirty_two(self) -> None:
        assert sign_flip_p(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(2 / 32)

    def test_one_loss_that_is_the_smallest_adds_two_patterns(self) -> None:
        # |sum| >= 13 of +-1 +-2 +-3 +-4 +-5: all plus (15), the 1 flipped (13), and their mirrors.
        assert sign_flip_p(np.array([-1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(4 / 32)

    def test_no_difference_has_p_one(self) -> None:
        assert sign_flip_p(np.zeros(6)) == 1.0

    def test_drawn_patterns_agree_with_the_t_test_on_normal_differences(self) -> None:
        differences = np.random.default_rng(4).normal(0.5, 1.0, 30)
        assert sign_flip_p(differences) == pytest.approx(paired_t_p(differences), rel=0.2)

    def test_a_drawn_p_is_never_zero(self) -> None:
        assert sign_flip_p(np.ones(40), flips=999) == pytest.approx(1 / 1000)

    def test_the_t_test_is_student_s(self) -> None:
        # Differences 1, 2, 3: t = 2 / (1 / sqrt 3) = 3.4641 with 2 degrees of freedom.
        assert paired_t_p(np.array([1.0, 2.0, 3.0])) == pytest.approx(0.0742, abs=1e-4)

    @pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0]])
    def test_the_t_test_refuses_what_has_no_spread(self, values: list[float]) -> None:
        assert math.isnan(paired_t_p(np.array(values)))


class TestHolm:
    def test_worked_example(self) -> None:
        # Sorted .005 .01 .03 .04: times 4, 3, 2, 1 and never falling: .02 .03 .06 .06.
        adjusted = holm([0.01, 0.04, 0.03, 0.005])
        assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_it_stops_at_one(self) -> None:
        assert holm([0.6, 0.9]) == [1.0, 1.0]

    def test_an_undefined_p_counts_as_tested(self) -> None:
        adjusted = holm([0.01, math.nan])
        assert adjusted[0] == pytest.approx(0.02)
        assert math.isnan(adjusted[1])

    def test_no_tests(self) -> None:
        assert holm([]) == []


class TestCoverageBand:
    def test_the_published_sizes(self) -> None:
        low, high = coverage_band(500, 500)
        assert (round(100 * low, 1), round(100 * high, 1)) == (84.8, 94.4)

    def test_without_a_calibration_set_it_is_binomial(self) -> None:
        # 20 subjects at 90 %: P(X <= 13) = .0024, P(X <= 14) = .0113 >= .005, and all 20 may hold.
        assert coverage_band(None, 20) == (14 / 20, 1.0)

    def test_a_small_calibration_set_widens_it(self) -> None:
        assert coverage_band(30, 200)[0] < coverage_band(3000, 200)[0]

    def test_a_split_conformal_interval_stays_inside_at_the_nominal_rate(self) -> None:
        rng = np.random.default_rng(2)
        low, high = coverage_band(50, 60)
        inside = 0
        for _ in range(1000):
            scores = np.sort(rng.random(50))
            threshold = scores[math.ceil(51 * 0.9) - 1]
            inside += low <= (rng.random(60) <= threshold).mean() <= high
        assert inside / 1000 == pytest.approx(0.99, abs=0.008)


class TestCrps:
    def test_a_standard_normal_at_its_mean(self) -> None:
        # 2 phi(0) - 1/sqrt(pi) = .79788 - .56419.
        score = crps_gaussian(np.zeros(1), np.ones(1), np.zeros(1))
        assert score[0] == pytest.approx(0.233695, abs=1e-6)

    def test_it_scales_with_the_unit(self) -> None:
        one = crps_gaussian(np.zeros(1), np.ones(1), np.array([0.7]))
        ten = crps_gaussian(np.zeros(1), 10 * np.ones(1), np.array([7.0]))
        assert ten[0] == pytest.approx(10 * one[0])

    def test_without_spread_it_is_the_absolute_error(self) -> None:
        score = crps_gaussian(np.array([1.0]), np.zeros(1), np.array([1.25]))
        assert score[0] == pytest.approx(0.25, abs=1e-6)

    def test_draws_by_hand(self) -> None:
        # Draws 0, 1, 3, truth 2: mean distance (2 + 1 + 1) / 3; pairs |1|+|3|+|2| = 6, fair
        # spread 6 / (3 * 2) = 1.
        score = crps_samples(np.array([[3.0, 0.0, 1.0]]), np.array([2.0]))
        assert score[0] == pytest.approx(4 / 3 - 1)

    def test_many_draws_of_a_gaussian_score_as_the_gaussian(self) -> None:
        draws = np.random.default_rng(3).normal(0, 1, (1, 200_000))
        exact = crps_gaussian(np.zeros(1), np.ones(1), np.array([0.8]))
        assert crps_samples(draws, np.array([0.8]))[0] == pytest.approx(exact[0], abs=5e-3)

    def test_few_draws_are_fair_on_average(self) -> None:
        rng = np.random.default_rng(5)
        draws, truth = rng.normal(size=(40_000, 4)), np.full(40_000, 0.3)
        exact = crps_gaussian(np.zeros(1), np.ones(1), np.array([0.3]))[0]
        assert crps_samples(draws, truth).mean() == pytest.approx(exact, abs=0.01)


class TestRanks:
    def test_the_rank_counts_the_draws_below(self) -> None:
        draws = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
        assert truth_ranks(draws, np.array([1.5, -1.0])).tolist() == [2, 0]

    def test_even_values_pass_and_piled_up_ones_do_not(self) -> None:
        even = (np.arange(100) + 0.5) / 100
        assert evenness_p(even, 10) == pytest.approx(1.0)
        assert evenness_p(np.full(100, 0.05), 10) < 1e-6

    def test_its_p_is_the_chi_squared_one(self) -> None:
        values = np.concatenate([np.full(30, 0.25), np.full(10, 0.75)])
        # Expected 20 and 20: chi squared 10 with one degree of freedom.
        assert evenness_p(values, 2) == pytest.approx(stats.chi2.sf(10, 1))
