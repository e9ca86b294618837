"""The list of cases: what is read, what is refused and in which words, what is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.run.queue_file import COLUMNS, QueueRow, read_queue, write_queue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with empty image files."""
    place = tmp_path / "Fälle 1"
    (place / "sub").mkdir(parents=True)
    for name in ("a.nii.gz", "b.nrrd", "sub/f.nii", "m.nii.gz"):
        (place / name).touch()
    return place


def read(folder: Path, text: str, encoding: str = "utf-8") -> list[QueueRow]:
    (folder / "list.csv").write_text(text, encoding=encoding)
    return read_queue(folder / "list.csv")


def test_an_empty_cell_is_missing_and_a_0_is_known(folder: Path) -> None:
    first, second = read(folder, "t1,age,sex,mmse,tracer\na.nii.gz,71,f,,\nb.nrrd,,,0,PiB\n")
    assert first == QueueRow(folder / "a.nii.gz", clinical=ClinicalRecord(age=71.0, sex="F"))
    assert second.clinical == ClinicalRecord(mmse=0.0)
    assert second.tracer == "pib"


def test_relative_paths_start_at_the_list_and_absolute_ones_stay(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (row,) = read(folder, f"mask,flair,t1\n{folder / 'm.nii.gz'},sub/f.nii,a.nii.gz\n")
    assert (row.t1, row.flair, row.mask) == (
        folder / "a.nii.gz",
        folder / "sub/f.nii",
        folder / "m.nii.gz",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_spreadsheet_s_semicolons_mark_and_empty_lines_are_read(
    folder: Path, encoding: str
) -> None:
    rows = read(folder, "T1; Age\r\na.nii.gz;71.5\r\n;\r\n\r\nb.nrrd;\r\n", encoding)
    assert [row.clinical.age for row in rows] == [71.5, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t1,agee\na.nii.gz,7\n", "unknown columns: agee"),
        ("age\n71\n", "no column t1"),
        ("t1,age,age\na.nii.gz,7,7\n", "names a column twice"),
        ("t1\n", "holds no case"),
        ("", "no column t1"),
        ("t1,age\na.nii.gz,71,5\n", "Line 2 of list.csv has more cells"),
        ("t1,age\n,71\n", "Line 2: it names no t1."),
        ("t1\nc.nii.gz\n", "Line 2: its t1 c.nii.gz does not exist."),
        ("t1\na.dcm\n", "Line 2: its t1 a.dcm is neither NIfTI nor NRRD."),
        ("t1,flair\na.nii.gz,none.nii\n", "Line 2: its flair none.nii does not exist."),
        ("t1,age\na.nii.gz,old\n", "Line 2: its age 'old' is not a number."),
        ("t1,age\na.nii.gz,nan\n", "Line 2: The age nan is outside 18 to 110"),
        ("t1,apoe4\na.nii.gz,1.5\n", "Line 2: its apoe4 '1.5' is not a number."),
        ("t1,sex\na.nii.gz,woman\n", "Line 2: Sex 'WOMAN' is not known."),
        ("t1,tracer\na.nii.gz,water\n", "Line 2: The tracer 'water' is not known."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(folder: Path, text: str, said: str) -> None:
    with pytest.raises(PETSynthError) as caught:
        read(folder, text)
    assert said in caught.value.text
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_every_bad_row_has_its_sentence_and_no_row_counts(folder: Path) -> None:
    with pytest.raises(PETSynthError) as caught:
        read(folder, "t1,age\na.nii.gz,7\nb.nrrd,71\nc.nii,70\n")
    assert caught.value.text == (
        "Line 2: The age 7 is outside 18 to 110 years. Line 4: its t1 c.nii does not exist."
    )
    assert "nothing of it was taken" in caught.value.hint


def test_of_many_bad_rows_five_are_told_and_the_rest_counted(folder: Path) -> None:
    with pytest.raises(PETSynthError) as caught:
        read(folder, "t1\n" + "x.nii\n" * 8)
    assert caught.value.text.count("does not exist") == 5
    assert caught.value.text.endswith("3 more lines are wrong.")


def test_another_encoding_is_named(folder: Path) -> None:
    with pytest.raises(PETSynthError, match="not written in UTF-8"):
        read(folder, "t1\nKöln.nii\n", "latin-1")


def test_what_is_written_is_read_again_and_moves_with_its_folder(
    folder: Path, tmp_path: Path
) -> None:
    person = ClinicalRecord(71.5, "F", 12.0, 24.0, None, 0)
    rows = [
        QueueRow(folder / "a.nii.gz", folder / "sub/f.nii", folder / "m.nii.gz", "pib", person),
        QueueRow(folder / "b.nrrd"),
    ]
    write_queue(folder / "list.csv", rows)
    text = (folder / "list.csv").read_text(encoding="utf-8").splitlines()
    assert text[0].split(",") == list(COLUMNS)
    assert text[1] == "a.nii.gz,sub/f.nii,m.nii.gz,pib,71.5,F,12,24,,0"
    assert read_queue(folder / "list.csv") == rows
    moved = folder.rename(tmp_path / "elsewhere")
    assert read_queue(moved / "list.csv")[1].t1 == moved / "b.nrrd"


def test_a_file_outside_the_folder_is_written_with_its_whole_path(
    folder: Path, tmp_path: Path
) -> None:
    write_queue(tmp_path / "sub.csv", [QueueRow(folder / "a.nii.gz")])
    assert read_queue(tmp_path / "sub.csv")[0].t1 == folder / "a.nii.gz"
    (tmp_path / "lists").mkdir()
    write_queue(tmp_path / "lists" / "l.csv", [QueueRow(folder / "a.nii.gz")])
    assert str(folder) in (tmp_path / "lists" / "l.csv").read_text(encoding="utf-8")


def test_reading_needs_nothing_heavy() -> None:
    code = "import sys, PETSynthLib.run.queue_file\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in ("'torch'", "'SimpleITK'", "'scipy'", "'nibabel'"):
        assert heavy not in done.stdout
