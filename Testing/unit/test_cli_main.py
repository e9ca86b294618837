"""The command line as a whole: help, usage errors, and what it must not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import PETSynthLib
from PETSynthLib.cli import main
from PETSynthLib.errors import EXIT_BAD_REQUEST, EXIT_CANCELLED, Cancelled

ROOT = str(Path(PETSynthLib.__file__).absolute().parents[1])


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["-h"],
        ["synthesize", "--help"],
        ["run", "--help"],
        ["models", "--help"],
        ["doctor", "--help"],
        ["demo", "--help"],
    ],
    ids=" ".join,
)
def test_help_is_help(capsys, words):
    assert main(words) == 0
    printed = capsys.readouterr()
    assert "Usage" in printed.out
    assert "completion" not in printed.out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"petsynth {PETSynthLib.__version__}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Missing command"),
        (["dance"], "dance"),
        (["synthesize"], "Missing"),
        (["synthesize", "t1.nii", "--tracer", "fdg"], "--output"),
        (["synthesize", "t1.nii", "--tracer", "fdg", "-o", "x", "--nonsense"], "--nonsense"),
        (["synthesize", "t1.nii", "--tracer", "fdg", "-o", "x", "--age", "old"], "--age"),
        (["synthesize", "t1.nii", "--tracer", "fdg", "-o", "x", "--preset", "turbo"], "turbo"),
        (["models", "dance"], "dance"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_a_usage_error_is_one_plain_sentence_with_a_hint(capsys, words, says):
    assert main(words) == EXIT_BAD_REQUEST
    printed = capsys.readouterr()
    assert printed.out == ""
    sentence, hint = printed.err.splitlines()
    assert sentence.startswith("petsynth: ")
    assert sentence.endswith(".")
    assert says in sentence
    assert hint.startswith("See: petsynth")
    assert "--help" in hint


@pytest.mark.parametrize("problem", [KeyboardInterrupt, Cancelled])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["synthesize", "t1.nii", "--tracer", "fdg", "-o", "x"], "Cancelled, nothing was written."),
        (["calibrate", "--data", "s", "--model", "m", "-o", "x"], "nothing was written."),
        (["simulate", "x", "--subjects", "2", "--seed", "1"], "is kept, run the same command"),
        (["prepare", "b", "x"], "is kept, run the same command"),
        (["evaluate", "--data", "s", "--model", "m", "-o", "x"], "is kept, run the same command"),
        (["batch", "b", "x", "participant", "--tracer", "fdg"], "is kept, run the same command"),
        (["train", "--data", "s", "-o", "x"], "is kept, the same command with --resume"),
    ],
    ids=lambda v: v[0] if isinstance(v, list) else None,
)
def test_a_stopped_command_says_what_is_kept(monkeypatch, capsys, problem, words, says):
    def stopped(*_, **__):
        raise problem

    monkeypatch.setattr("PETSynthLib.cli.app", stopped)
    assert main(words) == EXIT_CANCELLED
    assert says in capsys.readouterr().err


def test_ctrl_c_inside_a_command_says_it_too(monkeypatch, capsys, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("PETSynthLib.learn.cohort.simulate_cohort", stopped)
    words = ["simulate", str(tmp_path / "x"), "--subjects", "2", "--seed", "1"]
    assert main(words) == EXIT_CANCELLED
    assert "is kept, run the same command" in capsys.readouterr().err


@pytest.mark.parametrize(
    "how", ["import PETSynthLib", "from PETSynthLib.cli import main; main(['--help'])"]
)
def test_neither_the_library_s_name_nor_help_imports_torch(how):
    code = (
        f"{how}\nimport sys\nassert 'torch' not in sys.modules and 'SimpleITK' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "PETSynthLib", "--version"],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("petsynth ")


def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    done = subprocess.run(
        f'"{sys.executable}" -m PETSynthLib models info atlas | true',
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
