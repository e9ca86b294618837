"""The mark is made in one place, and every file carries it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import PETSynthLib
from PETSynthLib.export import marks
from PETSynthLib.tracers import all_tracers, tracer

LIBRARY = Path(PETSynthLib.__file__).parent


def strings_of(path: Path) -> list[str]:
    """String constants of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    ]


def test_no_other_file_of_the_library_says_the_word():
    said = {
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        if any(marks.WORD in text for text in strings_of(path))
    }
    assert said == {"export/marks.py"}


def test_no_other_writer_spells_it_in_small_letters_either():
    said = {
        path.name
        for folder in ("export", "restore", "quantify")
        for path in (LIBRARY / folder).rglob("*.py")
        if any(
            "synth" in re.sub("petsynth|synthseg", "", text.lower()) for text in strings_of(path)
        )
    }
    assert said == {"marks.py"}


def test_wording_of_the_release_policy_is_exact():
    assert marks.DEMONSTRATION == (
        "DEMONSTRATION MODEL - learnt from simulated brains. This picture says nothing about this "
        "patient's disease."
    )
    assert marks.COGNITION == (
        "This picture was partly drawn from the cognitive scores entered. It is not independent "
        "evidence for their cause."
    )
    assert marks.AMBIGUOUS == "MRI cannot tell which of these is true"


@pytest.mark.parametrize("key", list(all_tracers()))
def test_every_file_name_and_title_says_so(key):
    assert "synth" in marks.file_name(key, "suvr", ".nii.gz")
    assert "SYNTHETIC" in marks.title(tracer(key))


def test_file_names_of_the_output_folder():
    assert marks.file_name("fdg", "suvr", ".nii.gz") == "fdg_synth_suvr.nii.gz"
    assert marks.file_name("fdg", "sample-01", ".nii.gz") == "fdg_synth_sample-01.nii.gz"
    assert marks.file_name("fdg", "", ".json") == "fdg_synth.json"


def test_header_fields_fit_the_nifti_header():
    assert len(marks.NIFTI_DESCRIPTION.encode()) <= 79
    assert len(marks.NIFTI_INTENT.encode()) <= 15


def test_cognition_names_the_fields():
    assert marks.cognition_used(("mmse", "apoe4")) == "drawn with MMSE, APOE4 alleles"
    assert marks.cognition_used(()) == ""
