"""Errors by group, refusals, the planted group and the planted bias in the report."""

from __future__ import annotations

import numpy as np
import pytest
from checks_case import MODEL, R, person, results_of

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.checks.fairness import PLANTED, fairness, gap_between, groupings
from PETSynthLib.learn.regions import region_index
from PETSynthLib.learn.store import Subject
from PETSynthLib.learn.tidy import Row, Section

TARGET = region_index("fdg_ad_metaroi")


def names(n: int) -> list[str]:
    return [f"brain-{i}" for i in range(n)]


class TestGroupings:
    def test_ages_are_split_at_the_tertiles(self) -> None:
        people = [person(i, clinical=ClinicalRecord(age=60 + i)) for i in range(9)]
        ages = groupings(people, simulated=True)["age"]
        assert [ages.count(g) for g in dict.fromkeys(ages)] == [3, 3, 3]
        assert ages[0] == "up to 63 years"

    def test_where_all_are_alike_there_is_no_grouping(self) -> None:
        found = groupings([person(0), person(1, scanner="siemens")], simulated=True)
        assert set(found) == {"scanner"}

    def test_the_planted_group_stands_against_all_others(self) -> None:
        people = [person(0, group="low_contrast"), person(1), person(2)]
        groups = ["low_contrast", "the others", "the others"]
        assert groupings(people, simulated=True)[PLANTED] == groups
        # Real people's groups are the user's own: nobody planted an effect there.
        assert groupings(people, simulated=False) == {"group": groups}


class TestGap:
    def test_is_the_difference_of_the_groups_means(self) -> None:
        rng = np.random.default_rng(0)
        noise = rng.permutation(np.tile([-0.01, 0.01], 20))
        errors = np.where(np.arange(40) < 20, 0.1, 0.2) + noise
        # Each half keeps mean .1 or .2 only when the noise is balanced in it.
        errors[:20] += 0.1 - errors[:20].mean()
        errors[20:] += 0.2 - errors[20:].mean()
        gap = gap_between(errors[:, None], ["a"] * 20 + ["b"] * 20, names(40), 0)
        assert gap.gap == pytest.approx(0.1)
        assert gap.ratio == pytest.approx(2.0)
        assert gap.p == 1 / 2000
        assert gap.groups["a"][:2] == (20, pytest.approx(0.1))

    def test_chance_is_not_called_a_gap(self) -> None:
        errors = np.random.default_rng(1).standard_normal(40)
        assert gap_between(errors[:, None], ["a", "b"] * 20, names(40), 0).p > 0.05

    def test_nineteen_people_are_refused_and_twenty_are_not(self) -> None:
        errors = np.linspace(0, 1, 39)[:, None]
        gap = gap_between(errors, ["a"] * 19 + ["b"] * 20, names(39), 0)
        assert gap.refused == {"a": 19}
        assert set(gap.groups) == {"b"}
        assert np.isnan(gap.gap)
        assert np.isnan(gap.p)

    def test_forty_visits_of_nineteen_people_are_nineteen(self) -> None:
        errors = np.linspace(0, 1, 58)[:, None]
        anatomies = names(19) * 2 + [f"other-{i}" for i in range(20)]
        gap = gap_between(errors, ["a"] * 38 + ["b"] * 20, anatomies, 0)
        assert gap.refused == {"a": 19}

    def test_the_detectable_gap_follows_from_the_standard_errors(self) -> None:
        # Both groups: 25 values -1, 25 values 1: variance 50/49, se of the difference sqrt(2/49).
        errors = np.tile([-1.0, 1.0], 50)[:, None]
        gap = gap_between(errors, ["a"] * 50 + ["b"] * 50, names(100), 0)
        assert gap.detectable == pytest.approx(2.80 * (2 / 49) ** 0.5, rel=1e-3)


def judged(planted: int, extra: float) -> tuple[list[Row], Section]:
    """Sixty people, ``planted`` of them in the planted group with ``extra`` more error."""
    rng = np.random.default_rng(3)
    people: list[Subject] = [
        person(i, group="low_contrast" if i < planted else "",
               clinical=ClinicalRecord(age=70, sex="FM"[i % 2]))
        for i in range(60)
    ]  # fmt: skip
    truth = np.ones((60, R))
    made = truth.copy()
    made[:, TARGET] += 0.1 + 0.02 * rng.standard_normal(60) + extra * (np.arange(60) < planted)
    return fairness(results_of(people, truth, {"mri": made}), seed=0)


def found_group(section: Section) -> list[bool | None]:
    return [c.held for c in section.claims if "the simulator planted" in c.words]


class TestPlantedGroup:
    def test_one_with_larger_errors_is_found(self) -> None:
        rows, section = judged(planted=20, extra=0.05)
        assert found_group(section) == [True]
        value = {r.metric: r.value for r in rows}
        assert value["fairness_absolute_error.planted_group.gap"] == pytest.approx(0.05, abs=0.02)
        assert value["fairness_absolute_error.sex.p_holm"] > 0.05

    def test_one_like_the_others_is_not_found(self) -> None:
        assert found_group(judged(planted=20, extra=0.0)[1]) == [False]

    def test_ten_beside_fifty_are_enough_to_be_found(self) -> None:
        assert found_group(judged(planted=10, extra=0.05)[1]) == [True]

    def test_one_too_small_is_left_open_and_named(self) -> None:
        _, section = judged(planted=6, extra=0.5)
        assert found_group(section) == [None]
        # A gap of one sd needs 1/n + 1/54 <= 1 / 2.80^2, so n >= 9.2.
        assert "6 anatomies beside 54; 10 are needed" in section.claims[0].evidence
        assert "planted group: low_contrast (6)" in " ".join(section.paragraphs)
        # Women and men are thirty each: theirs is the only grouping of the table.
        assert {row[1] for row in section.tables[1].rows} == {"sex"}


class TestPlantedBias:
    def test_one_in_half_of_the_people_is_found_whatever_the_groups(self) -> None:
        rows, section = judged(planted=6, extra=0.0)
        assert not [c for c in section.claims if "planted in half" in c.words]
        assert section.tables[0].rows[0][-1] == "the check sees what is there"
        value = {r.metric: r.value for r in rows}
        assert value["fairness_planted_bias.n"] == 60
        assert value["fairness_planted_bias.suvr"] == pytest.approx(0.02, rel=0.2)
        assert value["fairness_planted_bias.found_share"] > 0.9
        assert section.tables[0].rows[0][:3] == (MODEL, "fdg", "60")


def test_people_who_differ_in_nothing_known_make_a_sentence() -> None:
    people = [person(i) for i in range(3)]
    rows, section = fairness(results_of(people, np.ones((3, R)), {"mri": np.ones((3, R))}), seed=0)
    assert {r.metric.partition(".")[0] for r in rows} == {"fairness_planted_bias"}
    assert section.claims == ()
    assert section.tables[0].rows[0][-1] == "too few people to tell"
    assert "No grouping" in section.paragraphs[1]
