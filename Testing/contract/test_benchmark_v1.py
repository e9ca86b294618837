"""The benchmark's driver: which commands it runs, and what it does with the reports."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
yaml = pytest.importorskip("yaml")

from benchmark_case import make_report

v1 = pytest.importorskip("v1")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command instead of its work; evaluations leave a report by hand."""
    asked: list[list[str]] = []

    def instead(*words: object) -> None:
        command = [str(word) for word in words]
        asked.append(command)
        if command[0] == "evaluate":
            report = Path(command[command.index("-o") + 1])
            shutil.rmtree(report, ignore_errors=True)
            cohort = report.name.removeprefix("report-")
            make_report(report, "default" if cohort in "ab" else cohort)

    monkeypatch.setattr(v1, "petsynth", instead)
    return asked


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["v1.py", *map(str, words)])
    v1.main()


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_a_cohort_is_simulated_prepared_trained_calibrated_and_evaluated_as_fixed(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(monkeypatch, tmp_path / "w", "--cohorts", "a", "--methods", "unet")
    names = [command[0] for command in commands]
    assert names == [
        "simulate", "prepare", "train", "calibrate", "train", "calibrate", "evaluate",
    ]  # fmt: skip
    assert (option(commands[0], "--seed"), option(commands[0], "--subjects")) == ("4101", "160")
    assert [option(commands[n], "--set") for n in (2, 4)] == ["train.seed=1", "train.seed=2"]
    assert option(commands[2], "--method") == "unet"
    assert option(commands[2], "--max-minutes") == "30"
    assert Path(option(commands[-1], "--protocol")).name == "v1.yaml"
    assert Path(option(commands[-1], "--entries")).name == "entries.yaml"


def test_the_proof_follows_a_protocol_of_its_own(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proof = v1.PROTOCOL.with_name("proof.yaml")
    words = ("--cohorts", "a", "test", "null", "--methods", "flow", "--protocol", proof)
    run(monkeypatch, tmp_path / "w", *words)
    simulated = [c for c in commands if c[0] == "simulate"]
    assert [option(c, "--seed") for c in simulated] == ["4111", "4121", "4113"]
    assert {option(c, "--tracers") for c in simulated} == {"fdg"}
    trained = [c for c in commands if c[0] == "train"]
    assert {option(c, "--max-minutes") for c in trained} == {"20"}
    judged = [c for c in commands if c[0] == "evaluate"]
    assert [Path(option(c, "--data")).name for c in judged] == ["store-test", "store-null"]
    assert Path(option(judged[0], "--train-data")).name == "store-a"
    assert all(option(c, "--protocol") == str(proof) for c in judged)
    # No seed of the benchmark's: its test people stay unseen.
    ours, theirs = (
        {c["seed"] for c in yaml.safe_load(p.read_text())["cohorts"].values()}
        for p in (proof, v1.PROTOCOL)
    )
    assert not ours & theirs


def test_an_entry_s_settings_reach_the_training_under_its_label(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entries = tmp_path / "entries.yaml"
    row = "{method: unet, track: as_published, inputs: T1 alone, set: [method.base=8]}"
    entries.write_text(f"unet-paper: {row}", encoding="utf-8")
    monkeypatch.setattr(v1, "ENTRIES", entries)
    run(monkeypatch, tmp_path / "w", "--cohorts", "a", "--seeds", 1)
    trained = next(command for command in commands if command[0] == "train")
    assert "method.base=8" in trained
    assert option(trained, "--method") == "unet"
    assert option(commands[-1], "--model").startswith("unet-paper=")


def test_other_settings_under_a_label_are_another_training(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entries = tmp_path / "entries.yaml"
    monkeypatch.setattr(v1, "ENTRIES", entries)
    folders = []
    for row in (
        "{method: unet}",
        "{method: unet, set: [method.base=8]}",
        "{method: unet, set: [method.base=4]}",
        "{method: flow}",
    ):
        entries.write_text(f"unet: {row}", encoding="utf-8")
        run(monkeypatch, tmp_path / "w", "--cohorts", "a", "--seeds", 1)
        folders.append([option(c, "-o") for c in commands if c[0] == "train"][-1])
    assert len(set(folders)) == 4
    assert Path(folders[0]).name == "unet-store-a-30min-seed1"


class TestFinishedReport:
    @staticmethod
    def judged(commands: list[list[str]]) -> int:
        return sum(command[0] == "evaluate" for command in commands)

    def test_is_not_made_again(
        self, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for _ in range(2):
            run(monkeypatch, tmp_path / "w", "--cohorts", "a", "--methods", "unet")
        assert self.judged(commands) == 1

    def test_of_other_models_or_rows_is_made_again(
        self, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        work, entries = tmp_path / "w", tmp_path / "entries.yaml"
        monkeypatch.setattr(v1, "ENTRIES", entries)
        sums = work / "runs" / "unet-store-a-30min-seed1" / "calibrated" / "SHA256SUMS"
        sums.parent.mkdir(parents=True)
        for digest, tuning in (("1", "none"), ("2", "none"), ("2", "one"), ("2", "one")):
            sums.write_text(digest)
            entries.write_text(f"unet: {{method: unet, tuning: {tuning}}}", encoding="utf-8")
            run(monkeypatch, work, "--cohorts", "a", "--seeds", 1)
        assert self.judged(commands) == 3

    def test_that_a_stopped_evaluation_left_is_made_again(
        self, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        words = (tmp_path / "w", "--cohorts", "a", "--methods", "unet")
        run(monkeypatch, *words)
        (tmp_path / "w" / "report-a" / "summary.json").unlink()
        run(monkeypatch, *words)
        assert self.judged(commands) == 2


def test_rows_are_kept_and_the_link_strength_drawn_once_all_three_are_there(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    work, kept = tmp_path / "w", tmp_path / "rows"
    run(monkeypatch, work, "--cohorts", "a", "null", "--methods", "flow", "--rows", kept)
    assert (kept / "flow" / "null-subjects.csv").is_file()
    assert not (work / "link-strength").exists()
    run(monkeypatch, work, "--cohorts", "strong", "--methods", "flow", "--rows", kept)
    assert (work / "link-strength" / "link-strength.png").is_file()
