"""Fixtures of the panel's tests: the test host, made-up heads, and a process that replays lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (Path(__file__).resolve().parent, ROOT / "Testing" / "mrml", ROOT / "PETSynth"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from slicerhost.fixtures import *  # noqa: F403 - fixtures are found by name


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the user's own models and timings."""
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))


@pytest.fixture
def panel(host: Any, loadModule: Any) -> Any:
    """A fresh panel, entered, whose runs replay what the test says (`PanelUnderTest`)."""
    from panel_fakes import PanelUnderTest

    module = loadModule("PETSynth")
    module.enter()
    return PanelUnderTest(host, module)
