"""The committed rows of the benchmark: each method's numbers, found again in small files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from benchmark_case import CONTROL_ERROR, ORACLE_ERROR, PEOPLE, TRUE, make_report

rows = pytest.importorskip("rows")


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_a_seed_and_subject_with_each_form_and_its_excess(tmp_path: Path) -> None:
    rows.write_method_rows(make_report(tmp_path / "report"), tmp_path / "rows", "a")
    found = lines(tmp_path / "rows" / "flow" / "a-subjects.csv")
    assert [(line["seed"], line["subject"]) for line in found] == [
        (seed, person) for seed in "01" for person in PEOPLE
    ]
    first = found[0]
    assert first["information"] == "both"
    assert float(first["true_suvr"]) == TRUE
    assert float(first["oracle_error"]) == ORACLE_ERROR
    assert float(first["picture_error"]) == 0.5
    assert float(first["mean_of_samples_error"]) == pytest.approx(0.06)
    assert float(first["mean_of_samples_excess"]) == pytest.approx(0.04)
    assert float(first["single_sample_suvr"]) == pytest.approx(TRUE + 0.26)
    assert float(found[-1]["mean_of_samples_error"]) == pytest.approx(0.08)


def test_a_method_without_samples_is_its_picture_in_every_form(tmp_path: Path) -> None:
    report = make_report(tmp_path / "report", samples=0)
    rows.write_method_rows(report, tmp_path / "rows", "a")
    first = lines(tmp_path / "rows" / "flow" / "a-subjects.csv")[0]
    assert first["picture_error"] == first["mean_of_samples_error"] == first["single_sample_error"]


def test_the_controls_have_rows_of_their_own(tmp_path: Path) -> None:
    rows.write_method_rows(make_report(tmp_path / "report"), tmp_path / "rows", "null")
    found = lines(tmp_path / "rows" / "controls" / "null-subjects.csv")
    assert [line["subject"] for line in found] == list(PEOPLE)
    assert float(found[0]["age/sex mean"]) == CONTROL_ERROR
    assert float(found[0]["oracle (both)"]) == ORACLE_ERROR
    assert found[0]["clinic ridge"] == ""


def test_the_summary_holds_what_concerns_the_method_and_nothing_else(tmp_path: Path) -> None:
    rows.write_method_rows(make_report(tmp_path / "report"), tmp_path / "rows", "a")
    body = json.loads((tmp_path / "rows" / "flow" / "a-summary.json").read_text("utf-8"))
    assert (body["track"], body["tuning"], body["cohort"]) == ("equal_inputs", "none", "a")
    assert [d["what"] for d in body["deviations"]] == ["grid", "flow: seeds"]
    assert [c["words"] for c in body["claims"]] == [
        "flow, FDG: lower error than the control x",
        "Run under the protocol: flow: seeds",
        "Run under the protocol: flow, seed 1: weights",
    ]
    assert [s["label"] for s in body["scores"]] == ["flow", "flow (one sample)"]
    assert len(body["comparisons"]) == 1
    assert body["images"] == {"fdg, both": {"mae_suvr": 0.25}}
    assert "Simulated subjects" in body["note"]


def test_rows_too_large_to_keep_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LARGEST_BYTES", 100)
    with pytest.raises(SystemExit, match="100 are allowed"):
        rows.write_method_rows(make_report(tmp_path / "report"), tmp_path / "rows", "a")
