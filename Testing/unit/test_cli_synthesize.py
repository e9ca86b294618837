"""``petsynth synthesize``, ``run`` and ``demo``: from words to a request, from a run to words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import run_fakes

from PETSynthLib.cli import main, session
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import (
    EXIT_BAD_REQUEST,
    EXIT_CANCELLED,
    EXIT_INTERNAL,
    EXIT_OUT_OF_MEMORY,
    ErrorCode,
    PETSynthError,
)
from PETSynthLib.request import Preset, Regions, SynthesisRequest
from PETSynthLib.run.job import run_synthesis

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PETSYNTH_LOG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def seen(monkeypatch):
    """Requests that reach the library, which runs the walk that takes no time."""
    requests = []

    def run(request, sink, cancellation):
        requests.append(request)
        return run_synthesis(request, sink, cancellation, run_fakes.walk)

    monkeypatch.setattr(session, "run_synthesis", run)
    return requests


@pytest.fixture
def fail(monkeypatch):
    """Lets the library raise a problem of the test's choice."""

    def with_problem(problem):
        def run(request, sink, cancellation):
            raise problem

        monkeypatch.setattr(session, "run_synthesis", run)

    return with_problem


SHORT = ["synthesize", "t1.nii.gz", "--tracer", "fdg", "-o", "out"]


def test_the_shortest_command_leaves_everything_else_to_the_defaults(seen):
    assert main(SHORT) == 0
    assert seen == [SynthesisRequest("t1.nii.gz", "out", "fdg")]


def test_every_option_reaches_the_request(seen):
    words = (
        "synthesize t1.nii --flair f.nii --tracer pib --age 71.5 --sex f --education 12 "
        "--mmse 24 --adas13 20 --apoe4 1 --pet-scanner siemens --mask m.nii --model atlas "
        "--preset best --samples 3 --steps 4 --seed 5 --regions affine --device cuda:1 -o out "
        "--use-anyway coverage --use-anyway contrast_agent"
    )
    assert main(words.split()) == 0
    assert seen == [
        SynthesisRequest(
            t1="t1.nii",
            output="out",
            tracer="pib",
            flair="f.nii",
            mask="m.nii",
            clinical=ClinicalRecord(71.5, "F", 12, 24, 20, 1),
            cognition_shapes_picture=True,
            pet_scanner="siemens",
            model="atlas",
            preset=Preset.BEST,
            samples=3,
            steps=4,
            seed=5,
            regions=Regions.AFFINE,
            device="cuda:1",
            overridden_checks=("contrast_agent", "coverage"),
        )
    ]


@pytest.mark.parametrize("score", [["--mmse", "28"], ["--adas13", "9"], ["--apoe4", "0"]])
def test_typing_a_score_is_the_user_s_word_that_it_shall_count(seen, score):
    main([*SHORT, *score])
    assert seen[0].cognition_shapes_picture


def test_age_and_sex_alone_do_not_let_cognition_in(seen):
    main([*SHORT, "--age", "70", "--sex", "M"])
    assert not seen[0].cognition_shapes_picture


def test_the_end_says_where_the_files_are(seen, capsys):
    main(SHORT)
    printed = capsys.readouterr()
    assert str(Path("out").absolute()) in printed.out
    for name in run_fakes.FILES:
        assert name in printed.out
    assert "DEMONSTRATION" in printed.out
    assert "Note: The slices are 4 mm thick." in printed.err


def test_json_is_all_there_is_on_stdout(seen, capsys):
    main([*SHORT, "--json"])
    body = json.loads(capsys.readouterr().out)
    assert body["kind"] == "synthesize"
    assert sorted(body["files"]) == run_fakes.FILES


def test_quiet_says_nothing(seen, capsys):
    assert main([*SHORT, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_quiet_still_says_errors(capsys):
    assert main([*SHORT, "--quiet"]) == EXIT_BAD_REQUEST
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("petsynth: The T1 file")


def test_a_check_that_cannot_be_overridden_is_refused_with_those_that_can(capsys):
    assert main([*SHORT, "--use-anyway", "sequence"]) == EXIT_BAD_REQUEST
    error = capsys.readouterr().err
    assert "cannot be overridden: sequence" in error
    assert "coverage" in error


def test_a_red_check_that_may_be_overridden_says_how(fail, capsys):
    fail(PETSynthError(ErrorCode.BAD_GEOMETRY, "It is cut.", "Use a whole one.", "coverage"))
    assert main(SHORT) == EXIT_BAD_REQUEST
    assert "--use-anyway coverage" in capsys.readouterr().err


def test_a_request_file_runs_again(seen, tmp_path):
    main(SHORT)
    assert main(["run", "out/request.json", "-q"]) == 0
    assert seen[1] == SynthesisRequest(str(tmp_path / "t1.nii.gz"), str(tmp_path / "out"), "fdg")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        (
            '{"version": 1, "kind": "synthesize", "t1": "a", "output": "b", "x": 1}',
            "unknown fields",
        ),
    ],
)
def test_a_request_file_that_is_none_is_refused(tmp_path, capsys, content, words):
    if content is not None:
        (tmp_path / "r.json").write_text(content, encoding="utf-8")
    assert main(["run", "r.json"]) == EXIT_BAD_REQUEST
    assert words in capsys.readouterr().err


def test_the_demo_runs_the_shipped_sample_of_an_unknown_person(seen, capsys):
    assert main(["demo"]) == 0
    assert Path(seen[0].t1).name == "colin27_T1w.nii.gz"
    assert (seen[0].tracer, seen[0].output) == ("fdg", "demo-output")
    assert seen[0].clinical == ClinicalRecord()
    assert "DEMONSTRATION" in capsys.readouterr().out


def test_the_unexpected_is_one_sentence_and_a_log_file(fail, capsys):
    fail(KeyError("x"))
    assert main(SHORT) == EXIT_INTERNAL
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "petsynth: PETSynth met a problem it did not expect (KeyError)." in error
    log = error.split("Log file: ")[1].strip()
    assert "KeyError" in Path(log).read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_trace_is_printed_for_who_asks(fail, capsys, monkeypatch, way):
    fail(KeyError("x"))
    if way == "environment":
        monkeypatch.setenv("PETSYNTH_LOG", "1")
    main([*SHORT, "--verbose"] if way == "option" else SHORT)
    assert "Traceback" in capsys.readouterr().err


def test_a_lack_of_memory_has_its_own_status(fail, capsys):
    fail(MemoryError())
    assert main(SHORT) == EXIT_OUT_OF_MEMORY
    assert "not enough memory" in capsys.readouterr().err


INTERRUPTED = """
import signal, sys, time
# A shell that starts tests in the background has Ctrl+C ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {here!r})
import PETSynthLib.cli as cli
from PETSynthLib.cli import session
from PETSynthLib.run.job import run_synthesis

def walk(request, folder, progress, space):
    progress.stage("read")
    (folder / "half").write_text("half")
    while True:
        time.sleep({nap})
        progress.check()

session.run_synthesis = lambda r, s, c: run_synthesis(r, s, c, walk)
sys.exit(cli.main(["synthesize", "t1.nii", "--tracer", "fdg", "-o", "out"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("nap", [0.02, 60], ids=["noticed", "busy in native code"])
def test_ctrl_c_stops_within_a_second_and_leaves_nothing(tmp_path, number, nap):
    code = INTERRUPTED.format(here=str(HERE), nap=nap)
    root = str(Path(session.__file__).absolute().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
        text=True,
    )
    while not list(tmp_path.glob(".out.partial-*/half")):
        assert process.poll() is None
        time.sleep(0.02)
    asked = time.monotonic()
    process.send_signal(number)
    _, error = process.communicate(timeout=20)
    assert time.monotonic() - asked < 1.0
    assert process.returncode == EXIT_CANCELLED
    assert "Cancelled, nothing was written." in error
    assert "Traceback" not in error
    assert [p.name for p in tmp_path.iterdir() if p.name != "home"] == []
