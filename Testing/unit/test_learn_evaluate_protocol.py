"""The protocol that was fixed in advance."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.evaluate.protocol import Entry, read_entries, read_protocol

BENCHMARK = Path(__file__).resolve().parents[1] / "benchmark" / "v1.yaml"


def test_the_committed_benchmark_names_its_primary_family() -> None:
    found = read_protocol(BENCHMARK)
    assert found.primary == ("fdg", "flortaucipir")
    assert found.name == "v1.yaml, version 1"
    assert found.sha256 == hashlib.sha256(BENCHMARK.read_bytes()).hexdigest()


def test_the_committed_benchmark_is_read_whole() -> None:
    found = read_protocol(BENCHMARK)
    assert {c.name: (c.config, c.site, c.seed) for c in found.cohorts} == {
        "a": ("default", "clinic", 4101),
        "b": ("default", "community", 4102),
        "null": ("null", "clinic", 4103),
        "strong": ("strong", "clinic", 4104),
    }
    assert found.cohorts[0].split == {"train": 88, "validation": 12, "calibration": 20, "test": 40}
    assert len(found.tracers) == 5
    assert (found.grid, found.minutes, found.seeds) == ("3mm", 30.0, (1, 2))
    assert (found.checkpoint_mb, found.samples, found.information) == (3.0, 16, "both")
    assert found.tuning.startswith("at most 4 short runs")
    assert found.tuning_runs == 4


def test_the_committed_rows_count_their_tuning_runs() -> None:
    counted = {
        label: row.tuning_runs
        for label, row in read_entries(BENCHMARK.with_name("entries.yaml")).items()
    }
    assert None not in counted.values()
    assert (counted["flow"] or 0) >= 10  # more than the protocol's four: every report says so


def test_a_short_protocol_leaves_the_rest_open(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("version: 7\nprimary: {tracers: [fdg]}", encoding="utf-8")
    found = read_protocol(path)
    assert found.cohorts == ()
    assert found.minutes is None
    assert found.samples is None


class TestEntries:
    def test_a_method_s_row_says_its_track_inputs_and_tuning(self, tmp_path: Path) -> None:
        path = tmp_path / "e.yaml"
        paper = "{track: as_published, inputs: T1 alone, tuning: none, tuning_runs: 0}"
        rows = f"flow: {{}}\npasta-paper: {paper}\n"
        path.write_text(rows, encoding="utf-8")
        found = read_entries(path)
        assert found["flow"] == Entry("equal_inputs", "", "")
        assert found["pasta-paper"] == Entry("as_published", "T1 alone", "none", 0)

    @pytest.mark.parametrize(
        "text",
        ["flow: {track: fast}", "- flow", "{unclosed", "flow: 3", "flow: {tuning_runs: few}"],
    )
    def test_what_is_no_such_file_is_one_sentence(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "e.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PETSynthError, match=r"file of methods e\.yaml cannot be read"):
            read_entries(path)


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
