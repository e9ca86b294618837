"""The tracer registry: what it holds, what its schema refuses, what a wrong name is told."""

from __future__ import annotations

from typing import Any

import pytest

from PETSynthLib.assets import read_json
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import list_bundles, verify_bundle
from PETSynthLib.tracers import all_tracers, read_tracer, simulated_tracers, tracer


def body_of(key: str) -> dict[str, Any]:
    """A fresh copy of a registry entry."""
    return dict(read_json("tracers.json")[key])


def test_the_registry_holds_the_eight_tracers() -> None:
    assert list(all_tracers()) == [
        "fdg", "pib", "florbetapir", "florbetaben", "flutemetamol", "flortaucipir", "mk6240",
        "pbr28",
    ]  # fmt: skip


def test_only_fdg_is_not_exploratory_and_only_fdg_falls_with_disease() -> None:
    assert [t.key for t in all_tracers().values() if not t.exploratory] == ["fdg"]
    assert [t.key for t in all_tracers().values() if t.abnormal == "decrease"] == ["fdg"]


def test_only_tspo_has_no_region_free_of_its_target() -> None:
    assert [t.key for t in all_tracers().values() if t.unit != "SUVR"] == ["pbr28"]


def test_the_simulator_keeps_its_five_tracers_in_their_order() -> None:
    # Row n of a simulated cohort's tables is tracer n: the order must never change.
    assert list(simulated_tracers()) == ["fdg", "pib", "florbetapir", "flortaucipir", "pbr28"]


def test_no_shipped_model_offers_a_tracer_that_it_was_not_made_for() -> None:
    for folder in list_bundles():
        assert set(verify_bundle(folder).tracers) <= set(simulated_tracers())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"window": [2.5, 0.0]}, "low and high"),
        ({"reference_region": "moon"}, "unknown reference region"),
        ({"colour_map": "mud"}, "unknown colour map"),
        ({"target_region": "toe"}, "unknown target region"),
        ({"abnormal": "sideways"}, "decrease or increase"),
        ({"unit": "Bq"}, "unknown unit"),
        ({"scales": ["fahrenheit"]}, "unknown scale"),
        ({"sources": {"window": "somewhere"}}, "needs its source"),
        ({"half_life": 110}, "missing or unknown"),
    ],
)
def test_the_schema_refuses_what_is_wrong(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_tracer("pib", {**body_of("pib"), **change})


def test_the_schema_refuses_a_field_left_out() -> None:
    body = body_of("fdg")
    del body["window"]
    with pytest.raises(ValueError, match="window"):
        read_tracer("fdg", body)


def test_a_cutoff_without_a_source_is_refused() -> None:
    body = body_of("florbetapir")
    body["cutoffs"] = [{**body["cutoffs"][0], "source": ""}]
    with pytest.raises(ValueError, match="cut-off"):
        read_tracer("florbetapir", body)


def test_a_wrong_name_is_told_the_nearest_and_all_of_them() -> None:
    with pytest.raises(PETSynthError, match="Did you mean flortaucipir") as told:
        tracer("Flortaucipr")
    assert "fdg, pib, florbetapir, florbetaben" in told.value.hint


def test_a_name_like_nothing_is_told_no_nearest() -> None:
    with pytest.raises(PETSynthError) as told:
        tracer("water")
    assert "Did you mean" not in told.value.hint
