"""The audit for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.audit.audit import Audit
from PETSynthLib.learn.audit.report import as_dict, report, text, write_report
from PETSynthLib.learn.tidy import Section, Table

FINDINGS = (
    Finding("leakage.anatomy", 0.0, "none", Verdict.GREEN, "No anatomy lies in two splits."),
    Finding("circularity.fdg", 0.01, "above 0", Verdict.AMBER, "The clinic does <as> well."),
    Finding("coverage.fdg", float("nan"), "band", Verdict.RED, "Half of them are outside."),
)
TABLE = Table("Diagnosis", ("Evidence", "AUC"), (("clinic only", "0.80"),))
AUDIT = Audit(
    model="flow 0.1.0",
    sha256="ab" * 32,
    store="hospital",
    simulated=False,
    split="test",
    people=30,
    anatomies=28,
    findings=FINDINGS,
    sections=(Section("What the PET is good for", tables=(TABLE,)),),
)


def test_each_light_stands_in_the_section_of_its_suspicion() -> None:
    sections = report(AUDIT).sections
    assert [[c.held for c in s.claims] for s in sections] == [[True], [None], [False], [], []]
    assert sections[2].claims[0].words == "Half of them are outside."


def test_the_text_ends_with_the_verdict() -> None:
    lines = text(AUDIT).splitlines()
    assert lines[0].startswith("Audit of flow 0.1.0 on hospital: 30 people of the split 'test'")
    assert "  RED    Half of them are outside." in lines
    assert lines[-1].startswith("Something is wrong")


def test_a_simulated_store_is_named_as_such() -> None:
    assert report(AUDIT).banner[0].startswith("Something")
    assert report(replace(AUDIT, simulated=True)).banner[0].startswith("SIMULATED")


def test_json_holds_the_status_and_no_undefined_number() -> None:
    body = json.loads(json.dumps(as_dict(AUDIT), allow_nan=False))
    assert (body["verdict"], body["exit_status"]) == ("red", 1)
    assert [f["verdict"] for f in body["findings"]] == ["green", "amber", "red"]
    assert body["findings"][2]["value"] is None


def test_the_page_is_written_whole_and_escapes_what_it_quotes(tmp_path: Path) -> None:
    page = write_report(tmp_path / "new" / "folder", AUDIT)
    content = page.read_text(encoding="utf-8")
    assert "The clinic does &lt;as&gt; well." in content
    assert "clinic only" in content
    assert sorted(p.name for p in page.parent.iterdir()) == ["audit.html", "audit.json"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PETSynthError) as refusal:
        write_report(tmp_path / "file" / "folder", AUDIT)
    assert refusal.value.code is ErrorCode.BAD_OUTPUT
