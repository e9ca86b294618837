"""Memory and disk: plausible here, and worked out by hand from what macOS prints."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from PETSynthLib.run import memory

VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            500000.
Pages inactive:                           20000.
Pages speculative:                         3000.
Pages throttled:                              0.
Pages wired down:                         90000.
Pages purgeable:                           4000.
"Translation faults":                 123456789.
"""


def test_available_memory_is_part_of_all_memory() -> None:
    assert 0 < memory.available_memory_mb() <= memory.total_memory_mb()


def test_macos_counts_what_it_gives_up_at_once() -> None:
    assert memory.mac_available(VM_STAT) == (10000 + 20000 + 3000 + 4000) * 16384


def test_macos_without_an_answer_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    said = SimpleNamespace(stdout="no such thing")
    monkeypatch.setattr(memory.subprocess, "run", lambda *_, **__: said)
    assert memory.available_memory_mb() == 0.0
    said.stdout = VM_STAT
    assert memory.available_memory_mb() == pytest.approx(606.208)


def test_free_space_is_that_of_the_disk_a_folder_will_lie_on(tmp_path: Path) -> None:
    here = memory.free_disk_mb(tmp_path)
    assert here > 0
    assert memory.free_disk_mb(tmp_path / "not" / "yet") == pytest.approx(here, rel=0.05)
