"""The wall around the scene adapters: MRML yes, Qt and the application's globals no."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

SCENE = Path(__file__).resolve().parents[2] / "PETSynth" / "PETSynthScene"
FILES = sorted(SCENE.glob("*.py"))
ALLOWED = {"slicer", "vtk", "numpy", "scipy", "PETSynthLib", *sys.stdlib_module_names}
GLOBALS = {"app", "modules", "mrmlScene", "util", "cli", "packaging"}
"""Of ``slicer``: what only the desktop application has."""


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of all absolute imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def globals_used(tree: ast.AST) -> set[str]:
    """Globals of the application that are reached through ``slicer``."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "slicer"
        and node.attr in GLOBALS
    }


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_stays_behind_the_wall(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert imported(tree) <= ALLOWED
    assert not globals_used(tree)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_word_that_marks_stands_in_the_library_alone(path: Path) -> None:
    strings = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert not [text for text in strings if re.search(r"\bSYNTHETIC\b", text)]


@pytest.mark.parametrize(
    "source", ["import qt", "from ctk import x", "def f():\n    import nibabel", "import torch"]
)
def test_the_check_sees_a_breach(source: str) -> None:
    assert not imported(ast.parse(source)) <= ALLOWED


def test_the_check_sees_a_global() -> None:
    assert globals_used(ast.parse("slicer.mrmlScene.Clear(0)")) == {"mrmlScene"}
