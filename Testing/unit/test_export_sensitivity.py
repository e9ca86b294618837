"""What another score changes, region by region; two pictures that differ in more are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.columns import columns
from PETSynthLib.export.finished import Finished
from PETSynthLib.export.policy import release
from PETSynthLib.export.record import Source
from PETSynthLib.export.region_rows import RegionRows
from PETSynthLib.export.sensitivity import COLUMNS, regional_change
from PETSynthLib.tracers import tracer

NAMES = (*COLUMNS[:8], "note", "cognition")


def rows(*values: tuple[str, str, str, str]) -> RegionRows:
    """A table of region, side, SUVR and note."""
    made = []
    for region, side, suvr, note in values:
        cells = ("TRUE", "fdg", "pons", "atlas", region, side, "9.500", suvr, note, "mmse")
        made.append(dict(zip(NAMES, cells, strict=True)))
    return RegionRows(NAMES, tuple(made))


def finished(table: RegionRows, key: str = "fdg", **changes: object) -> Finished:
    """A finished synthesis with this table, drawn with MMSE."""
    facts = tracer(key)
    made = Finished(
        folder=Path("somewhere"),
        kind="synthesize",
        tracer=facts,
        release=release("simulation", facts.exploratory, ("mmse",)),
        simulated=False,
        withheld={},
        reference_region=facts.reference_region,
        regions_source="atlas",
        record={"Seeds": [7], "Steps": 2},
        result={},
        sources=(Source("T1", "head.nrrd", "b" * 64),),
        model={"bundle_sha256": "a" * 64},
        images={},
        pages={},
        record_name="",
        table_name="",
        table=table,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


BEFORE = rows(("precuneus", "L", "1.2000", "n/a"), ("insula", "R", "1.1000", "n/a"))


def test_the_change_is_the_difference_of_the_two_tables() -> None:
    # Another order: regions are found by name and side, not by their place.
    after = rows(("insula", "R", "1.0950", "n/a"), ("precuneus", "L", "1.2500", "n/a"))
    found = regional_change(finished(BEFORE), finished(after))
    cells = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    assert [(row["region"], row["suvr_change"]) for row in cells] == [
        ("precuneus", "+0.0500"),
        ("insula", "-0.0050"),
    ]
    assert (cells[0]["suvr"], cells[0]["suvr_what_if"]) == ("1.2000", "1.2500")
    assert {row["synthetic"] for row in cells} == {"TRUE"}


@pytest.mark.parametrize("hidden", ["before", "after"])
def test_what_either_table_hides_has_no_numbers(hidden: str) -> None:
    veiled = rows(("precuneus", "L", "n/a", "not informative"), ("insula", "R", "1.1000", "n/a"))
    pair = (veiled, BEFORE) if hidden == "before" else (BEFORE, veiled)
    first = regional_change(*(finished(table) for table in pair))[0]
    cells = dict(zip(COLUMNS, first, strict=True))
    assert {cells[name] for name in ("suvr", "suvr_what_if", "suvr_change")} == {"n/a"}
    assert cells["note"] == "not informative"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sources": (Source("T1", "head.nrrd", "c" * 64),)}, "more than the scores: images"),
        ({"model": {"bundle_sha256": "d" * 64}}, "more than the scores: model"),
        ({"record": {"Seeds": [8], "Steps": 2}}, "more than the scores: seeds"),
        ({"record": {"Seeds": [7], "Steps": 4}}, "more than the scores: steps"),
        ({"release": release("simulation", False)}, "without cognitive scores"),
        ({"kind": "quantify"}, "two pictures of a model"),
    ],
)
def test_whatever_else_differs_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(PETSynthError, match=words):
        regional_change(finished(BEFORE), finished(BEFORE, **changes))


def test_the_middle_of_an_exploratory_tracer_is_not_compared_alone() -> None:
    with pytest.raises(PETSynthError, match="exploratory"):
        regional_change(finished(BEFORE, "pib"), finished(BEFORE, "pib"))


def test_every_column_says_what_it_is() -> None:
    described = {column.name: column for column in columns(COLUMNS, synthetic=True)}
    assert "not a medical effect" in described["suvr_change"].description
    assert described["suvr_change"].quantity is not None
    assert all(column.title != column.name for column in described.values())
