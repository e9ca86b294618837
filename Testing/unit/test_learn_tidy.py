"""Tidy rows: what is written comes back, and numbers are printed honestly."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from PETSynthLib.learn.tidy import COLUMNS, Row, number, read_rows, write_rows

ROW = Row("flow", 1, "fdg", "both", "sub-1", "a1", "north", "precuneus.L", "error", -0.125)


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_rows(tmp_path / "m.csv", [ROW])
    assert read_rows(tmp_path / "m.csv") == [ROW]


def test_the_file_has_one_named_column_a_field_and_leaves_no_part_behind(tmp_path: Path) -> None:
    write_rows(tmp_path / "m.csv", [ROW])
    lines = (tmp_path / "m.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1] == "flow,1,fdg,both,sub-1,a1,north,precuneus.L,error,-0.125"
    assert [p.name for p in tmp_path.iterdir()] == ["m.csv"]


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0.12345, 3, "0.123"),
        (-0.0001, 3, "0.000"),
        (math.nan, 3, "n/a"),
        (math.inf, 2, "n/a"),
        (None, 2, "n/a"),
        (2.0, 0, "2"),
    ],
)
def test_a_number_is_rounded_and_an_undefined_one_says_so(
    value: float | None, digits: int, words: str
) -> None:
    assert number(value, digits) == words
