"""Images may be listed in a CSV file; its mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from PETSynthLib.errors import PETSynthError
from PETSynthLib.read.table import find_images, find_table


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_file_and_columns_may_be_missing(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "subject,t1,pet_fdg,pet_AV45,age,sex,scanner,anatomy,split\n"
        "b,b/t1.nii,b/fdg.nii,,61,M,Siemens,twin,train\n"
        "a,a/t1.nii,a/fdg.nii,a/av45.nii,60,F,,,test\n",
    )
    first, second = find_images(path).sessions
    assert (first.name, second.name) == ("a", "b")
    assert second.t1 == tmp_path / "b/t1.nii"
    assert sorted(first.pets) == ["fdg", "florbetapir"]
    assert list(second.pets) == ["fdg"]
    assert (first.anatomy, second.anatomy) == ("a", "twin")
    assert second.scanner == "siemens"
    assert second.fact("split") == "train"
    assert second.clinical.sex == "M"
    assert (first.flair, first.mask) == (None, None)


def test_semicolons_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufeffsubject;t1;session\na;a.nii;2\na;a0.nii;1\n")
    sessions = find_table(path).sessions
    assert [s.name for s in sessions] == ["a_ses-1", "a_ses-2"]
    assert {s.anatomy for s in sessions} == {"a"}


def test_a_subject_that_stands_twice_is_left_out(tmp_path: Path) -> None:
    data = find_table(table(tmp_path, "subject,t1\na,1.nii\na,2.nii\nb,3.nii\n"))
    assert [s.name for s in data.sessions] == ["b"]
    assert data.problems[0].name == "a"
    assert "2 rows" in data.problems[0].text


def test_one_t1_of_two_people_is_left_out_but_of_one_anatomy_it_may_be(tmp_path: Path) -> None:
    data = find_table(table(tmp_path, "subject,t1\na,same.nii\nb,same.nii\nc,own.nii\n"))
    assert [s.name for s in data.sessions] == ["c"]
    assert [p.text for p in data.problems] == [
        "Its T1 same.nii is also that of b.",
        "Its T1 same.nii is also that of a.",
    ]
    one = "subject,t1,anatomy\na,same.nii,x\nb,same.nii,x\n"
    assert len(find_table(table(tmp_path, one)).sessions) == 2


def test_a_row_without_its_t1_is_one_sentence(tmp_path: Path) -> None:
    data = find_table(table(tmp_path, "subject,t1\na,\nb,3.nii\n"))
    assert [s.name for s in data.sessions] == ["b"]
    assert "lacks the subject or the T1" in data.problems[0].text


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("subject,mri", "no column t1"),
        ("name,t1", "no column subject"),
        ("subject,t1,pet", "pet of pairs.csv does not name a known tracer"),
        ("subject,t1,pet_dopa", "pet_dopa of pairs.csv does not name a known tracer"),
    ],
)
def test_a_header_that_does_not_fit_is_named(tmp_path: Path, header: str, words: str) -> None:
    path = table(tmp_path, f"{header}\na,b,c\n")
    with pytest.raises(PETSynthError, match=words):
        find_table(path)


def test_nothing_at_the_path_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="neither a folder nor a file"):
        find_images(tmp_path / "missing")


@pytest.mark.parametrize("name", ["../a", "/a", "a/b", ".a"])
def test_a_name_that_would_lead_out_of_the_folder_is_a_problem(tmp_path: Path, name: str) -> None:
    data = find_table(table(tmp_path, f"subject,t1\n{name},1.nii\nb,2.nii\n"))
    assert [s.name for s in data.sessions] == ["b"]
    assert data.problems[0].text == "Its name is no plain name."


def test_an_unknown_anatomy_is_the_subjects_own(tmp_path: Path) -> None:
    data = find_table(table(tmp_path, "subject,t1,anatomy\na,1.nii,n/a\nb,2.nii,n/a\n"))
    assert [s.anatomy for s in data.sessions] == ["a", "b"]


def test_a_manufacturer_is_a_whole_word(tmp_path: Path) -> None:
    rows = "a,1.nii,Philips Gemini\nb,2.nii,GE MEDICAL SYSTEMS\nc,3.nii,Ingenuity\n"
    data = find_table(table(tmp_path, f"subject,t1,scanner\n{rows}"))
    assert [s.scanner for s in data.sessions] == ["philips", "ge", ""]
