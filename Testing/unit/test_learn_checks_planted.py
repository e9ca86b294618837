"""A bias planted into errors: how often it has to be found, and how often it is."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.learn.checks.planted import (
    POWER,
    Planting,
    fewest_beside,
    permuted_gap,
    plant,
    planting_table,
    power,
)


def names(n: int) -> list[str]:
    return [f"brain-{i}" for i in range(n)]


def errors(n: int) -> np.ndarray:
    return 0.07 * np.random.default_rng(4).standard_normal((n, 1))


class TestPower:
    def test_one_sd_between_twenty_and_twenty_is_found_nine_times_of_ten(self) -> None:
        # 1 / sqrt(1/20 + 1/20) = 3.162; normal tail beyond 1.96 - 3.162 = -1.202: 0.885.
        assert power(20, 20) == pytest.approx(0.885, abs=0.001)

    def test_four_of_forty_are_not_enough(self) -> None:
        # 1 / sqrt(1/4 + 1/36) = 1.897; tail beyond 0.063: 0.475. This is the simulator's tenth.
        assert power(4, 36) == pytest.approx(0.475, abs=0.001)

    def test_nobody_finds_nothing(self) -> None:
        assert power(0, 40) == 0

    @pytest.mark.parametrize(("others", "least"), [(16, 16), (36, 11), (90, 9)])
    def test_the_smallest_group_is_the_first_with_enough_power(
        self, others: int, least: int
    ) -> None:
        assert fewest_beside(others) == least
        assert power(least, others) >= POWER > power(least - 1, others)

    @pytest.mark.parametrize("others", [0, 7])
    def test_beside_seven_no_number_is_enough(self, others: int) -> None:
        assert fewest_beside(others) is None


class TestPermutedGap:
    def test_four_people_apart_have_the_p_of_their_orders(self) -> None:
        # Of the six ways to divide 0, 0, 1, 1 two have a gap of 1.
        gap, p = permuted_gap([np.zeros(2), np.ones(2)], seed=0, shuffles=5999)
        assert gap == 1
        assert p == pytest.approx(1 / 3, abs=0.02)

    def test_of_three_groups_it_is_the_largest_difference(self) -> None:
        gap, _ = permuted_gap([np.ones(2), np.full(3, 4.0), np.full(2, 3.0)], seed=0, shuffles=9)
        assert gap == 3


class TestPlant:
    def test_one_sd_is_found_in_forty_people_about_as_often_as_expected(self) -> None:
        planting = plant(errors(40), names(40), seed=0)
        assert planting.bias == pytest.approx(float(errors(40).std(ddof=1)))
        assert planting.found == pytest.approx(planting.power, abs=0.08)
        assert planting.false == pytest.approx(0.05, abs=0.05)
        assert planting.seen is True

    @pytest.mark.parametrize(("people", "seen"), [(31, None), (32, True)])
    def test_it_is_undecided_only_where_the_power_is_too_low(
        self, people: int, seen: bool | None
    ) -> None:
        assert plant(errors(people), names(people), 0).seen is seen

    def test_visits_of_one_person_count_once(self) -> None:
        twice = np.concatenate([errors(40), errors(40)])
        assert plant(twice, names(40) * 2, seed=0).people == 40

    def test_people_without_the_pet_are_left_out(self) -> None:
        some = errors(60)
        some[:30] = np.nan
        assert plant(some, names(60), seed=0).people == 30

    def test_errors_with_two_far_outliers_still_find_a_bias_of_their_sd(self) -> None:
        heavy = errors(40)
        heavy[:2] = 1.0
        assert plant(heavy, names(40), seed=0).found > POWER


@pytest.mark.parametrize(("found", "false"), [(0.5, 0.05), (0.9, 0.3)])
def test_a_check_that_misses_the_bias_or_sees_one_everywhere_fails(
    found: float, false: float
) -> None:
    planting = Planting(40, 0.07, 0.885, found, false)
    assert planting.seen is False
    ((*_, words),) = planting_table({("flow", "fdg"): planting}).rows
    assert "does not work here" in words
