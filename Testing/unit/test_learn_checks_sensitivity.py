"""What each clinical fact does to the picture, against the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from checks_case import MODEL, R, person, results_of

pytest.importorskip("matplotlib")

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.checks import sensitivity as module
from PETSynthLib.learn.checks.sensitivity import (
    changed,
    chosen_people,
    excess,
    outside,
    sensitivity,
    slope_through_origin,
)
from PETSynthLib.learn.regions import region_index
from PETSynthLib.learn.store import Store, Subject

TARGET = region_index("fdg_ad_metaroi")
ELSEWHERE = region_index("precentral.L")
PER_POINT = 0.01
"""SUVR of the target that a point of MMSE is worth to the oracle."""


@dataclass(frozen=True)
class Painter:
    """A model whose regional values fall with MMSE, more or less as they should."""

    target: float = PER_POINT
    elsewhere: float = 0.0
    label: str = MODEL
    seed: int = 0
    tracers: tuple[str, ...] = ("fdg",)
    fields: tuple[str, ...] = ("age", "mmse")

    def regional(
        self, store: Store, subject: Subject, tracer: str, clinical: ClinicalRecord
    ) -> np.ndarray:
        values = np.ones(R)
        points = 0.0 if clinical.mmse is None else clinical.mmse - 30
        values[TARGET] += self.target * points
        values[ELSEWHERE] += self.elsewhere * points
        return values


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets what a point of MMSE is worth to the oracle; nothing happens outside the target."""

    def setting(per_point: float) -> None:
        def effect(subject: Subject, field: str, value: float) -> dict[str, np.ndarray]:
            assert field == "mmse"
            own = subject.clinical.mmse
            assert own is not None
            difference = np.zeros(R)
            difference[TARGET] = per_point * (value - own)
            return {"fdg": difference}

        monkeypatch.setattr(module, "effects_of", lambda results, cohort: effect)

    return setting


@pytest.fixture
def no_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "effects_of", lambda results, cohort: None)


RESULTS = results_of([person(i) for i in range(3)], np.ones((3, R)), {"both": np.ones((3, R))})


def run(model: Painter):  # type: ignore[no-untyped-def]
    rows, section = sensitivity(RESULTS, [model], cohort=None, subjects=2)
    return {r.metric: r.value for r in rows}, section


class TestParts:
    def test_a_fact_is_changed_to_the_farther_value(self) -> None:
        assert changed(ClinicalRecord(mmse=28), "mmse") == 20
        assert changed(ClinicalRecord(mmse=21), "mmse") == 29
        assert changed(ClinicalRecord(apoe4=0), "apoe4") == 2

    def test_slope_goes_through_the_origin(self) -> None:
        # sum(m o) / sum(o o) = (1*2 + 2*2) / (4 + 4)
        assert slope_through_origin(np.array([1.0, 2.0]), np.array([2.0, 2.0])) == 0.75
        assert np.isnan(slope_through_origin(np.array([1.0]), np.array([0.0])))

    def test_excess_is_what_leaves_the_range_from_nothing_to_the_oracle(self) -> None:
        model = np.array([0.5, 1.5, -0.2, -0.5, -2.0, 0.1])
        oracle = np.array([1.0, 1.0, 1.0, -1.0, -1.0, 0.0])
        assert excess(model, oracle) == pytest.approx([0, 0.5, 0.2, 0, 1.0, 0.1])

    def test_regions_of_the_target_and_what_holds_them_are_not_outside(self) -> None:
        apart = outside("fdg")
        assert apart[ELSEWHERE]
        assert not apart[TARGET]
        assert not apart[region_index("precuneus.L")]
        assert not apart[region_index("parietal_lobe")]

    def test_those_of_whom_most_is_known_are_asked_and_nobody_twice(self) -> None:
        people = [
            person(0, clinical=ClinicalRecord(age=60)),
            person(1),
            person(2, anatomy="brain-0001"),
            person(3, tracers=()),
            person(4),
        ]
        assert [s.row for s in chosen_people(people, "fdg", 2)] == [1, 4]


class TestAgainstTheOracle:
    def test_the_right_change_in_the_right_place_holds(
        self, oracle: Callable[[float], None]
    ) -> None:
        oracle(PER_POINT)
        value, section = run(Painter())
        assert value["clinical_effect_slope"] == pytest.approx(1.0)
        assert value["excess_outside_worst_suvr"] == 0
        assert [c.held for c in section.claims] == [True, True]

    @pytest.mark.parametrize(("times", "held"), [(0.79, False), (0.81, True), (1.21, False)])
    def test_the_slope_passes_from_08_to_12(
        self, oracle: Callable[[float], None], times: float, held: bool
    ) -> None:
        oracle(PER_POINT)
        value, section = run(Painter(target=times * PER_POINT))
        assert value["clinical_effect_slope"] == pytest.approx(times)
        assert [c.held for c in section.claims] == [held, True]

    @pytest.mark.parametrize(("per_point", "held"), [(0.002, True), (0.003, False)])
    def test_a_change_in_the_wrong_place_passes_up_to_002_suvr(
        self, oracle: Callable[[float], None], per_point: float, held: bool
    ) -> None:
        oracle(PER_POINT)
        # MMSE 28 -> 20 moves the precentral gyrus by 8 points; nothing should happen there.
        value, section = run(Painter(elsewhere=per_point))
        assert value["excess_outside_worst_suvr"] == pytest.approx(8 * per_point)
        assert [c.held for c in section.claims] == [True, held]

    def test_values_are_printed_with_their_spread(self, oracle: Callable[[float], None]) -> None:
        oracle(PER_POINT)
        value, section = run(Painter(target=2 * PER_POINT, elsewhere=0.01))
        slope, excess_ = section.claims
        # Both people are moved by eight points: no spread.
        assert slope.evidence.startswith("slope 2.00 (2.00 to 2.00); the oracle's own effect is")
        assert excess_.evidence == "worst region 0.080 (0.080 to 0.080) SUVR"
        assert value["excess_outside_worst_suvr.high"] == pytest.approx(0.08)

    def test_no_slope_is_claimed_where_the_oracle_moves_nothing(
        self, oracle: Callable[[float], None]
    ) -> None:
        oracle(0.0)
        assert [c.held for c in run(Painter())[1].claims] == [None, True]

    @pytest.mark.usefixtures("no_oracle")
    def test_without_an_oracle_there_are_shares_and_no_claim(self) -> None:
        value, section = run(Painter())
        assert value["shapley_suvr.mmse"] == pytest.approx(-2 * PER_POINT)
        assert value["occlusion_suvr.age"] == 0
        assert section.claims == ()
        assert "no oracle" in section.paragraphs[-1]


@pytest.mark.usefixtures("no_oracle")
def test_shapley_values_are_worked_out_for_every_fourth_person() -> None:
    five = results_of([person(i) for i in range(5)], np.ones((5, R)), {"both": np.ones((5, R))})
    rows, _ = sensitivity(five, [Painter()], cohort=None, subjects=5)
    people = {metric: [r.subject for r in rows if r.metric == metric]
              for metric in ("shapley_suvr.mmse", "occlusion_suvr.mmse")}  # fmt: skip
    assert people["shapley_suvr.mmse"] == ["sub-0000", "sub-0004"]
    assert len(people["occlusion_suvr.mmse"]) == 5


@pytest.mark.usefixtures("no_oracle")
def test_a_model_without_clinical_facts_is_named() -> None:
    _, section = run(Painter(fields=()))
    assert section.tables == ()
    assert f"{MODEL} uses no clinical fact." in section.paragraphs
