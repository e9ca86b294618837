"""Agreement against published tables and hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from PETSynthLib.learn.evaluate.agreement import agreement, concordance, icc_2_1

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Table 2 of Shrout and Fleiss (1979): six targets, four judges; ICC(2,1) = .29."""


class TestIcc:
    def test_the_table_of_shrout_and_fleiss(self) -> None:
        assert icc_2_1(SHROUT_FLEISS).value == pytest.approx(0.29, abs=0.005)

    def test_its_interval_is_that_of_mcgraw_and_wong(self) -> None:
        # As printed for this table by the R package psych (ICC2): .019 to .761.
        icc = icc_2_1(SHROUT_FLEISS)
        assert (icc.low, icc.high) == pytest.approx((0.019, 0.761), abs=0.001)

    def test_identical_raters_agree_wholly(self) -> None:
        icc = icc_2_1(np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]))
        assert (icc.value, icc.low, icc.high) == (1.0, 1.0, 1.0)

    def test_a_constant_offset_counts_against_absolute_agreement(self) -> None:
        # Targets 0, 1, 2 and the same plus 1: target square 2, rater square 1.5, no residual;
        # ICC = 2 / (2 + 2 * 1.5 / 3) = 2/3.
        table = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
        assert icc_2_1(table).value == pytest.approx(2 / 3)

    def test_one_target_has_none(self) -> None:
        assert math.isnan(icc_2_1(np.array([[1.0, 2.0]])).value)


class TestAgreement:
    def test_bias_limits_and_slope_by_hand(self) -> None:
        # Differences .1, 0, -.1: bias 0, sd .1; the synthetic values span 1.1 to 1.9 where the
        # true ones span 1 to 2: slope .8.
        found = agreement(np.array([1.0, 1.5, 2.0]), np.array([1.1, 1.5, 1.9]))
        assert found.n == 3
        assert found.bias == pytest.approx(0.0)
        assert found.sd == pytest.approx(0.1)
        assert found.limits == pytest.approx((-0.196, 0.196))
        assert found.slope == pytest.approx(0.8)
        assert found.r == pytest.approx(1.0)
        assert found.mape == pytest.approx(100 * (0.1 + 0 + 0.05) / 3)

    def test_regression_to_the_mean_shows_as_a_falling_trend(self) -> None:
        true = np.linspace(1, 2, 11)
        found = agreement(true, 1.5 + 0.5 * (true - 1.5))
        # Difference -.5 d against the mean .75 d.
        assert found.trend == pytest.approx(-2 / 3)
        assert found.slope == pytest.approx(0.5)

    def test_missing_values_are_left_out(self) -> None:
        found = agreement(np.array([1.0, np.nan, 2.0, 3.0]), np.array([1.0, 5.0, 2.0, np.nan]))
        assert (found.n, found.bias) == (2, 0.0)

    def test_a_constant_prediction_has_no_correlation_and_no_slope(self) -> None:
        found = agreement(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
        assert math.isnan(found.r)
        assert found.slope == 0.0
        assert found.ccc == 0.0

    def test_one_pair_is_no_agreement(self) -> None:
        found = agreement(np.array([1.0]), np.array([1.0]))
        assert found.n == 1
        assert math.isnan(found.bias)
        assert math.isnan(found.icc.value)

    def test_concordance_by_hand(self) -> None:
        # Offset 1 at variance 2/3: 2 (2/3) / (2/3 + 2/3 + 1) = 4/7.
        assert concordance(np.array([0.0, 1, 2]), np.array([1.0, 2, 3])) == pytest.approx(4 / 7)
