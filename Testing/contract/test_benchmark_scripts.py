"""Every script of the benchmark finds what it imports: most of them run for hours, and rarely."""

from __future__ import annotations

import importlib

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
pytest.importorskip("matplotlib")
from benchmark_case import SCRIPTS

pytestmark = pytest.mark.torch
PANEL = "panel"
"""Needs the test host; ``make screenshots`` and ``make bench`` run it."""


@pytest.mark.parametrize("name", sorted(p.stem for p in SCRIPTS.glob("*.py") if p.stem != PANEL))
def test_a_script_can_be_loaded(name: str) -> None:
    assert importlib.import_module(name).__doc__
