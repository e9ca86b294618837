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
def panel(host: Any, loadModule: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A fresh panel, entered, whose runs replay what the test says (`PanelUnderTest`).

    It runs on a computer with room enough, on which everything is installed: no worker runs, so
    PyTorch is needed by none of these tests.
    """
    from panel_fakes import PanelUnderTest

    module = loadModule("PETSynth")
    from PETSynthPanel import Dependencies, Preflight

    installed = Dependencies.version
    monkeypatch.setattr(Dependencies, "version", lambda name: installed(name) or "9.9")
    monkeypatch.setattr(Dependencies, "torchIsBroken", lambda: False)
    monkeypatch.setattr(Preflight, "available_memory_mb", lambda: 8000.0)
    monkeypatch.setattr(Preflight, "free_disk_mb", lambda _folder: 41000.0)
    module.enter()
    return PanelUnderTest(host, module)
