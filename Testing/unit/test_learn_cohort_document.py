"""The document tells every parameter as it is."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort.document import parameter_table, pattern_table
from PETSynthLib.learn.cohort.parameters import CONFIGURATIONS, GROUPS, SITES

DOCUMENT = Path(__file__).resolve().parents[2] / "Resources" / "docs" / "simulator.md"


def test_the_document_holds_the_tables_as_they_are() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for lines in (parameter_table(), pattern_table()):
        assert "\n".join(lines) in text, "run python -m PETSynthLib.learn.cohort.document"


def test_every_parameter_has_a_unit_and_a_source() -> None:
    rows = list(parameter_table())[2:]
    scanners = sum(1 + len(site.psf_mm) for site in SITES.values())
    assert len(rows) == sum(len(fields(g)) for g in GROUPS) + scanners + len(CONFIGURATIONS)
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4
        assert all(cells)
        assert any(tag in cells[3] for tag in ("V", "R", "T", "D"))
