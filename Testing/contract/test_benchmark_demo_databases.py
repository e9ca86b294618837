"""The script of the DEMO databases: each of its commands is one that ``petsynth`` understands."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import benchmark_case  # noqa: F401  (the scripts' folder)
import demo_databases as module
import numpy as np
import pytest
import typer

from PETSynthLib.cli.app import app
from PETSynthLib.preprocess.transform import NativeToTemplate

PEOPLE = ("sub-1", "sub-2", "sub-3")


def understood(words: list[str]) -> dict[str, object]:
    """Parameters of a command as the command line reads them; an error where it does not."""
    command = typer.main.get_command(app)
    while (known := getattr(command, "commands", None)) is not None:
        command, words = known[words[0]], words[1:]
    return command.make_context("petsynth", list(words)).params


def make_cohort(folder: Path) -> None:
    for name in PEOPLE:
        pet = folder / name / "pet" / f"{name}_trc-18FFDG_pet.nii.gz"
        pet.parent.mkdir(parents=True)
        pet.touch()
        hidden = folder / "derivatives" / "simulation" / name / f"{name}_latents.json"
        hidden.parent.mkdir(parents=True)
        truth = {"latents": {"aetiology": "none"}, "focal": {"label": 0}}
        hidden.write_text(json.dumps(truth), encoding="utf-8")
    rows = [f"{name}\t70\tF" for name in PEOPLE]
    text = "\n".join(["participant_id\tage\tsex", *rows])
    (folder / "participants.tsv").write_text(text, encoding="utf-8")


def test_every_command_is_understood_and_every_path_is_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def instead(*words: object, keep: Path | None = None) -> str:
        read = understood([str(word) for word in words])
        asked.append(str(words[0]))
        if words[0] == "simulate":
            make_cohort(Path(str(words[1])))
        elif words[0] == "quantify":
            assert (read["tracer"], read["register"]) == ("fdg", True)
            space = Path(str(read["output"])) / "space"
            space.mkdir(parents=True)
            for name in ("native_to_template.tfm", "pet_to_t1.tfm"):
                NativeToTemplate(np.eye(4)).write(space / name)
        return ""

    monkeypatch.setattr(module, "petsynth", instead)
    monkeypatch.chdir(tmp_path)
    words = ["work", "-o", "out", "--people", "2", "--fresh", "1", "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["demo_databases.py", *words])
    module.main()
    assert asked == ["simulate", *(3 * ["synthesize", "quantify"]), *(4 * ["normative"])]
    with (tmp_path / "work" / "acquired.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["subject"] for row in rows] == list(PEOPLE[:2])
    assert all(Path(row[key]).is_absolute() for row in rows for key in ("pet", "transform"))


def test_who_is_ill_or_has_a_focal_lesion_is_no_normal(tmp_path: Path) -> None:
    make_cohort(tmp_path)
    for name, cause, lesion in (("sub-1", "AD", 0), ("sub-3", "none", 68)):
        hidden = tmp_path / "derivatives" / "simulation" / name / f"{name}_latents.json"
        truth = {"latents": {"aetiology": cause}, "focal": {"label": lesion}}
        hidden.write_text(json.dumps(truth), encoding="utf-8")
    assert [row["participant_id"] for row in module.normals(tmp_path)] == ["sub-2"]


def test_what_a_failed_command_printed_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = subprocess.CompletedProcess([], 1, "four of nine claims hold", "sorry")
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SystemExit, match="sorry"):
        module.petsynth("normative", "check", keep=tmp_path / "check.txt")
    assert (tmp_path / "check.txt").read_text(encoding="utf-8") == "four of nine claims hold"


def test_a_database_that_fails_its_check_does_not_keep_the_other_from_being_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checked: list[str] = []

    def instead(*words: object, keep: Path | None = None) -> str:
        if words[0] == "simulate":
            make_cohort(Path(str(words[1])))
        elif words[:2] == ("normative", "check"):
            checked.append(Path(str(words[2])).name)
            raise SystemExit(f"{checked[-1]} fails")
        return ""

    monkeypatch.setattr(module, "petsynth", instead)
    row = {kind: {"subject": "a"} for kind in module.KINDS}
    monkeypatch.setattr(module, "measure", lambda *_: row)
    words = [str(tmp_path / "work"), "-o", str(tmp_path / "out"), "--people", "2", "--fresh", "1"]
    monkeypatch.setattr(sys, "argv", ["demo_databases.py", *words])
    with pytest.raises(SystemExit, match=r"acquired-demo.* fails\n.*synthetic-demo.* fails"):
        module.main()
    assert len(checked) == 2
