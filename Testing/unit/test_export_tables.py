"""Regional numbers on disk, on the command line and to copy."""

from __future__ import annotations

import csv

import pytest
from export_case import lopsided, pet_on, record, table_of

from PETSynthLib.assets import atlas_volume
from PETSynthLib.export import marks
from PETSynthLib.export.record import NOT_GIVEN, USED, Fact
from PETSynthLib.export.tables import headline_lines, region_words, text_to_copy, write_regions
from PETSynthLib.quantify import RegionTable
from PETSynthLib.quantify.native_regions import BENT, LAID
from PETSynthLib.tracers import all_tracers
from PETSynthLib.volume import CANONICAL


@pytest.fixture(scope="module")
def table() -> RegionTable:
    pet = pet_on(CANONICAL, atlas_volume("template_brain").data * lopsided())
    return table_of(pet, pet.with_data(0.1 * pet.data), {"thalamusproper": 0.5})


def rows_of(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_the_first_column_marks_every_row(tmp_path, table):
    write_regions(tmp_path / "r.tsv", table, record())
    rows = rows_of(tmp_path / "r.tsv")
    assert next(iter(rows[0])) == "synthetic"
    assert {row["synthetic"] for row in rows} == {"TRUE"}


def test_every_region_and_side_is_written_once(tmp_path, table):
    write_regions(tmp_path / "r.tsv", table, record())
    keys = [(row["region"], row["side"]) for row in rows_of(tmp_path / "r.tsv")]
    assert len(keys) == len(set(keys))
    assert set(keys) == {(r.region, r.side) for r in (*table.headline, *table.regions)}


def test_numbers_are_those_of_the_table(tmp_path, table):
    write_regions(tmp_path / "r.tsv", table, record(), image_only=table)
    row = next(r for r in rows_of(tmp_path / "r.tsv") if r["region"] == "thalamusproper")
    value = table.value("thalamusproper")
    assert float(row["suvr"]) == pytest.approx(value.mean, abs=1e-4)
    assert float(row["suvr_image_only"]) == pytest.approx(value.mean, abs=1e-4)
    assert float(row["interval90_high"]) == pytest.approx(value.interval[1], abs=1e-4)
    assert float(row["ml"]) == pytest.approx(value.ml, abs=1e-3)
    assert row["reference"] == "pons"


@pytest.mark.parametrize("source", [BENT, LAID])
def test_table_and_text_say_which_regions_they_are_of(tmp_path, table, source):
    made = record(regions_source=source)
    write_regions(tmp_path / "r.tsv", table, made)
    assert {row["regions"] for row in rows_of(tmp_path / "r.tsv")} == {source}
    assert f"Regions: {source}." in text_to_copy(table, made).splitlines()


def test_hidden_values_are_absent_from_the_file(tmp_path, table):
    write_regions(tmp_path / "r.tsv", table, record(distances={"thalamusproper": 1e-6}))
    for row in rows_of(tmp_path / "r.tsv"):
        if row["region"] == "thalamusproper":
            assert row["note"] == "not informative"
            numbers = [v for k, v in row.items() if k.startswith(("suvr", "interval"))]
            assert set(numbers) == {"n/a"}


def test_cognition_is_named_in_every_row(tmp_path, table):
    facts = (Fact("mmse", "MMSE", "24 points", USED), Fact("apoe4", "APOE4", "1 alleles", USED))
    write_regions(tmp_path / "r.tsv", table, record(facts=facts))
    assert {row["cognition"] for row in rows_of(tmp_path / "r.tsv")} == {"mmse apoe4"}


def test_headline_lines_give_value_interval_and_sides(table):
    lines = headline_lines(table, record())
    assert lines[0].startswith("AD-like meta-ROI: 0.9")
    temporal = next(line for line in lines if line.startswith("Temporal lobe"))
    assert "right lower by" in temporal
    assert "(no interval)" in temporal
    value = table.value("thalamusproper")
    low, high = value.interval
    assert f"Thalamus: {value.mean:.2f} ({low:.2f} to {high:.2f}), sides alike" in "\n".join(lines)


def test_text_to_copy_holds_facts_and_no_impression(table):
    facts = (Fact("age", "age", "72 years", USED), Fact("mmse", "MMSE", "", NOT_GIVEN))
    text = text_to_copy(table, record(facts=facts))
    lines = text.splitlines()
    assert lines[0] == marks.DEMONSTRATION
    assert lines[-1] == "No acquired PET. Not for diagnosis."
    assert "drawn from the T1 and: age. Not given: MMSE." in text
    for impression in ("normal", "suggest", "consistent", "positive", "negative", "typical"):
        assert impression not in text.lower()


def test_every_reference_region_has_words():
    for tracer in all_tracers().values():
        assert "_" not in region_words(tracer.reference_region)
