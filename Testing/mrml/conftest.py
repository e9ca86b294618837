"""Real MRML for every test, or none of them: `slicer-core` is not made for every Python."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

HERE = Path(__file__).resolve().parent
# As Slicer does with the folder of a scripted module.
for folder in (HERE, HERE.parents[1] / "PETSynth"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from head import Head
from slicer_scene import SlicerScene


@pytest.fixture
def host() -> Iterator[SlicerScene]:
    """An empty scene with its logics."""
    scene = SlicerScene()
    yield scene
    scene.close()


@pytest.fixture
def head() -> Head:
    """A head in canonical orientation."""
    return Head()
