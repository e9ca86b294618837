"""A synthetic PET's rows: the interval and the silence of its own table, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.shown import ShownRow
from PETSynthLib.quantify import RegionValue
from PETSynthLib.quantify.native_regions import BENT
from PETSynthLib.run.quantify_measure import shown_of_synthetic

HEAD = "synthetic\tregion\tside\tsuvr\tinterval90_low\tinterval90_high\tnote\n"
CUNEUS = "TRUE\tcuneus\tL\t1.5\t1.3\t1.7\tn/a\n"
PRECUNEUS = "TRUE\tprecuneus\tL\tn/a\tn/a\tn/a\tnot informative\n"


def row(region: str) -> ShownRow:
    value = RegionValue(region, "L", 5.0, 1.2, 0.1, 1.2, 1.4)
    return ShownRow(region, "L", 5.0, value, "", "left lower by 9 %", None)


ROWS = (row("cuneus"), row("precuneus"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "fdg_synth_regions.tsv"
    path.write_text(HEAD + CUNEUS + PRECUNEUS, encoding="utf-8")
    return path


def test_the_interval_keeps_its_width_and_the_silence_its_reason(table: Path) -> None:
    cuneus, precuneus = shown_of_synthetic(ROWS, table, BENT)
    assert cuneus.value is not None
    assert cuneus.value.interval == pytest.approx((1.0, 1.4))
    assert (precuneus.value, precuneus.instead) == (None, "not informative")
    assert precuneus.asymmetry == ""


def test_a_parcellation_keeps_the_silence_and_gets_no_interval(table: Path) -> None:
    cuneus, precuneus = shown_of_synthetic(ROWS, table, "parcellation")
    assert cuneus.value is not None
    assert cuneus.value.interval is None
    assert precuneus.value is None


def test_the_regions_that_no_synthesis_measures_need_no_row(table: Path) -> None:
    (pons,) = shown_of_synthetic((row("pons"),), table, BENT)
    assert pons.value is not None


@pytest.mark.parametrize(
    "content",
    [
        HEAD + CUNEUS,  # without the row that is hidden
        HEAD + CUNEUS + PRECUNEUS.replace("TRUE", "FALSE"),
        HEAD + CUNEUS.replace("1.3", "low") + PRECUNEUS,
        "region\tside\ncuneus\tL\n",
        "",
    ],
)
def test_a_table_that_lacks_what_may_be_shown_is_refused(table: Path, content: str) -> None:
    table.write_text(content, encoding="utf-8")
    with pytest.raises(PETSynthError, match="missing or damaged") as caught:
        shown_of_synthetic(ROWS, table, BENT)
    assert caught.value.code is ErrorCode.BAD_DATA


def test_without_its_table_nothing_is_shown() -> None:
    with pytest.raises(PETSynthError, match="missing or damaged"):
        shown_of_synthetic(ROWS, None, BENT)
