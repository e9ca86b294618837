"""pytest fixtures. A `conftest.py` takes them with ``from slicerhost.fixtures import *``."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .host import Host
    from .modules import LoadedModule

__all__ = ["host", "loadModule", "scene", "slicerHost"]

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def slicerHost() -> Host:
    """The host, made once a process; tests use `host`."""
    pytest.importorskip("slicer_core", reason="needs slicer-core: the extra [slicer]")
    pytest.importorskip("PySide6", reason="needs PySide6-Essentials: the extra [slicer]")
    from .host import install

    return install()


@pytest.fixture
def host(slicerHost: Host) -> Iterator[Host]:
    """The host with an empty scene; a Python error in a slot or observer fails the test."""
    slicerHost.reset()
    known = set(slicerHost.strayAttributes())
    before = sys.excepthook

    def note(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        slicerHost.slotErrors.append("".join(traceback.format_exception(kind, error, trace)))

    sys.excepthook = note
    try:
        yield slicerHost
        stray = sorted(set(slicerHost.strayAttributes()) - known)
        slicerHost.application.scene.Clear(0)
    finally:
        sys.excepthook = before
    errors = list(dict.fromkeys(slicerHost.slotErrors))
    assert not errors, "in a slot or observer:\n" + "\n".join(errors)
    assert not stray, f"attributes that Qt's classes do not have: {', '.join(stray)}"


@pytest.fixture
def scene(host: Host) -> Any:
    """The empty scene."""
    return host.application.scene


@pytest.fixture
def loadModule(host: Host) -> Iterator[Callable[..., LoadedModule]]:
    """``loadModule("PETSynth")``: a fresh panel, taken away after the test."""
    from . import modules

    loaded: list[LoadedModule] = []

    def load(name: str, folder: Path | None = None) -> LoadedModule:
        loaded.append(modules.loadModule(name, folder or PROJECT / name))
        return loaded[-1]

    yield load
    for module in reversed(loaded):
        module.unload()
