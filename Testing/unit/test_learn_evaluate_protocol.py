"""The protocol that was fixed in advance."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.evaluate.protocol import read_protocol

BENCHMARK = Path(__file__).resolve().parents[1] / "benchmark" / "v1.yaml"


def test_the_committed_benchmark_names_its_primary_family() -> None:
    found = read_protocol(BENCHMARK)
    assert found.primary == ("fdg", "flortaucipir")
    assert found.name == "v1.yaml, version 1"
    assert found.sha256 == hashlib.sha256(BENCHMARK.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "version: 1",
        "version: 1\nprimary: {tracers: []}",
        "version: 1\nprimary: {tracers: [fgd]}",
        "{unclosed",
        "- a list",
    ],
)
def test_a_file_that_is_no_protocol_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PETSynthError, match=r"The protocol p\.yaml cannot be read"):
        read_protocol(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="cannot be read"):
        read_protocol(tmp_path / "p.yaml")
