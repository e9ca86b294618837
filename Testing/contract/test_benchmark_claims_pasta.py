"""The driver of PASTA's claims: what holds, what fails and what was not run is printed as such."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("lightning_fabric")

import benchmark_case  # noqa: F401  (finds the benchmark's scripts)
import yaml

from PETSynthLib.learn.methods import method_named
from PETSynthLib.learn.settings import apply_sets, build
from PETSynthLib.learn.tidy import ALL, Row
from PETSynthLib.learn.train.run import settings_type

claims = pytest.importorskip("claims_pasta")
pytestmark = pytest.mark.torch
PEOPLE = 8


def rows_of(metric: str, **values: float) -> list[Row]:
    """A metric of every person, a little different each."""
    return [
        Row(label, 0, "fdg", "both", f"sub-{n}", f"a-{n}", "clinic", "x", metric, v + 0.001 * n)
        for label, v in values.items()
        for n in range(PEOPLE)
    ]


def test_a_difference_on_the_claimed_side_holds_and_any_other_does_not() -> None:
    rows = rows_of("absolute_error", pasta=0.10, worse=0.15, better=0.05, same=0.10)
    held = {
        other: claims.against(rows, "absolute_error", other, "fdg", lower=True)
        for other in ("worse", "better", "same", "gan")
    }
    assert {k: v.held for k, v in held.items()} == {
        "worse": True, "better": False, "same": False, "gan": None,
    }  # fmt: skip
    assert held["worse"].numbers == "-0.0500 (-0.0500 to -0.0500), n = 8"
    assert "DOES NOT HOLD" in held["better"].line()
    assert "gan was not run" in held["gan"].line()
    assert claims.against(rows, "absolute_error", "better", "fdg", lower=False).held is True


def test_a_synthetic_pet_that_tells_more_than_the_acquired_one_fails() -> None:
    def row(model: str, info: str, metric: str, value: float) -> Row:
        return Row(model, 0, "", info, ALL, ALL, ALL, "", metric, value)

    rows = [
        row("pasta", "both", "aetiology_auc.synthetic", 0.9),
        row("pasta", "both", "aetiology_auc_over_clinic.synthetic.low", -0.02),
        row("mri", "", "aetiology_auc.mri", 0.8),
        row("mri_clinic", "", "aetiology_auc.mri_clinic", 0.92),
        row("acquired", "", "aetiology_auc.acquired", 0.85),
    ]
    assert [v.held for v in claims.classified(rows)] == [True, False, False, False]
    assert claims.classified([])[0].held is None


def test_what_the_clinic_does_is_held_against_the_oracle() -> None:
    place = ("pasta", 0, "fdg", "both", ALL, ALL, ALL, "fdg_ad_metaroi")
    shares = {"mmse": -0.05, "adas13": 0.04, "age": 0.01}
    rows = [Row(*place, f"occlusion_suvr.{field}", value) for field, value in shares.items()]
    rows.append(Row(*place, "clinical_effect_slope", 0.5))
    slope, order = claims.sensitive(rows, ["fdg"])
    assert slope.held is False
    assert order.held is True


def test_the_plan_has_at_most_ten_arms_and_names_settings_that_there_are() -> None:
    plan = yaml.safe_load(claims.CLAIMS.read_text(encoding="utf-8"))
    assert len(plan["arms"]) <= claims.MOST_ARMS
    built = []
    for arm in plan["arms"].values():
        kind = settings_type(method_named(arm["method"]))
        built.append((arm["method"], build(kind, apply_sets({}, arm.get("set", [])))))
    assert len({repr(one) for one in built}) == len(built)
