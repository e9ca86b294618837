"""The worker as a process: what it says, how it stops, what it survives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from PETSynthLib.errors import (
    EXIT_BAD_REQUEST,
    EXIT_CANCELLED,
    EXIT_INTERNAL,
    EXIT_OUT_OF_MEMORY,
    ErrorCode,
)
from PETSynthLib.request import SynthesisRequest
from PETSynthLib.run.events import (
    LAST,
    Failure,
    Hello,
    Preview,
    Result,
    Stage,
    Step,
    Stopped,
    Warn,
    from_line,
)
from PETSynthLib.run.runner import PopenRunner, worker_command, worker_environment

HERE = Path(__file__).parent


@pytest.fixture
def environment(tmp_path):
    base = worker_environment()
    base["PETSYNTH_HOME"] = str(tmp_path / "home")
    base["PYTHONPATH"] = os.pathsep.join((base["PYTHONPATH"], str(HERE)))
    return base


@pytest.fixture
def request_(tmp_path):
    place = tmp_path / "Jürgen Müller ☃"
    place.mkdir()
    return SynthesisRequest(str(place / "T1 größer.nii.gz"), str(place / "out"), model="atlas")


@pytest.fixture
def fake(environment):
    def start(behaviour):
        command = [sys.executable, "-X", "utf8", "-u", str(HERE / "fake_worker.py"), behaviour]
        return PopenRunner(command, environment)

    return start


def left_behind(request):
    return [p.name for p in Path(request.output).parent.iterdir()]


def converse(command, environment, line=b""):
    """Events and exit status of a worker that is told ``line`` while its stdin stays open."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        process.stdin.write(line)
        process.stdin.flush()
        events = [from_line(answer) for answer in process.stdout]
    return events, process.returncode


def run_until(runner, request, kind):
    """Start and return the stream and the seconds after its first event of ``kind``."""
    stream = runner.run(request.as_dict())
    for event in stream:
        if isinstance(event, kind):
            break
    return stream


def test_a_run_says_hello_stages_progress_warnings_and_one_result(fake, request_):
    runner = fake("fine")
    events = list(runner.run(request_.as_dict()))
    assert isinstance(events[0], Hello)
    assert events[0].pid != os.getpid()
    assert next(e.id for e in events if isinstance(e, Stage)) == "read"
    assert any(isinstance(e, Step) for e in events)
    assert any(isinstance(e, Warn) for e in events)
    assert [isinstance(e, LAST) for e in events] == [False] * (len(events) - 1) + [True]
    assert isinstance(events[-1], Result)
    assert runner.status == 0


def test_spaces_umlauts_and_a_snowman_in_a_path_just_work(fake, request_):
    *_, last = fake("fine").run(request_.as_dict())
    assert isinstance(last, Result)
    assert Path(last.path) == Path(request_.output) / "result.json"
    assert "T1 größer" in (Path(request_.output) / "report.html").read_text(encoding="utf-8")


def test_whatever_a_library_prints_never_reaches_the_protocol(fake, request_):
    runner = fake("chatter")
    events = list(runner.run(request_.as_dict()))
    assert isinstance(events[-1], Result)
    assert not any(isinstance(e, Stopped) for e in events)
    for text in ("stray print", '"type": "cancelled"', "child"):
        assert text in runner.log


def test_a_preview_can_be_opened_while_the_run_goes_on(fake, request_):
    stream = fake("looks").run(request_.as_dict())
    shown = next(e for e in stream if isinstance(e, Preview))
    assert Path(shown.path).is_file()
    assert isinstance(list(stream)[-1], Result)
    assert not Path(shown.path).exists()


@pytest.mark.parametrize("behaviour", ["polite", "busy", "parent"])
def test_a_cancel_acts_within_a_second_and_leaves_nothing(fake, request_, behaviour):
    runner = fake(behaviour)
    stream = run_until(runner, request_, Step)
    asked = time.monotonic()
    runner.cancel()
    rest = list(stream)
    took = time.monotonic() - asked
    assert rest[-1] == Stopped()
    assert sum(isinstance(e, LAST) for e in rest) == 1
    assert took < 1.0
    assert runner.status == EXIT_CANCELLED
    assert set(left_behind(request_)) <= {"child.pid"}


@pytest.mark.skipif(os.name == "nt", reason="process ids are asked for the POSIX way")
def test_a_cancel_kills_the_children(fake, request_):
    runner = fake("parent")
    stream = run_until(runner, request_, Step)
    child = int(Path(request_.t1).with_name("child.pid").read_text(encoding="ascii"))
    os.kill(child, 0)
    runner.cancel()
    list(stream)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.parametrize("behaviour", ["polite", "busy"])
def test_the_end_of_stdin_ends_the_worker(fake, request_, behaviour):
    runner = fake(behaviour)
    run_until(runner, request_, Step).close()  # closes the pipes
    assert runner.status == EXIT_CANCELLED
    assert left_behind(request_) == []


def test_a_worker_that_never_gets_a_request_ends_with_its_stdin(environment):
    done = subprocess.run(
        worker_command(), stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=20
    )
    assert done.returncode == EXIT_CANCELLED
    assert [type(from_line(line)) for line in done.stdout.splitlines()] == [Hello, Stopped]


def test_the_unexpected_is_one_sentence_and_the_trace_names_no_folder(fake, request_):
    runner = fake("broken")
    *_, last = runner.run(request_.as_dict())
    assert isinstance(last, Failure)
    assert last.code == ErrorCode.INTERNAL.value
    assert "Traceback" not in last.text + last.hint
    assert runner.status == EXIT_INTERNAL
    assert last.trace_file is not None
    for trace in (Path(last.trace_file).read_text(encoding="utf-8"), runner.log):
        assert "KeyError" in trace
        assert "Müller" not in trace
    assert left_behind(request_) == []


def test_a_lack_of_memory_has_its_own_code_and_status(fake, request_):
    runner = fake("greedy")
    *_, last = runner.run(request_.as_dict())
    assert isinstance(last, Failure)
    assert last.code == ErrorCode.OUT_OF_MEMORY.value
    assert runner.status == EXIT_OUT_OF_MEMORY


def test_a_worker_that_dies_without_a_word_is_still_an_end(fake, request_):
    *_, last = fake("dying").run(request_.as_dict())
    assert isinstance(last, Failure)
    assert "exit status 9" in last.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"garbage\n", "not a command"),
        (b'{"op": "dance"}\n', "not a command"),
        (b'{"op": "run"}\n', "kind"),
        (b'{"op": "run", "request": {"kind": "divine"}}\n', "divine"),
        (b'{"op": "run", "request": {"version": 9, "kind": "synthesize"}}\n', "version 9"),
    ],
)
def test_a_command_that_cannot_be_understood_is_refused(environment, line, words):
    events, status = converse(worker_command(), environment, line)
    assert [type(event) for event in events] == [Hello, Failure]
    assert words in events[-1].text
    assert events[-1].code == ErrorCode.PROTOCOL.value
    assert status == EXIT_BAD_REQUEST


def test_a_request_file_can_be_given_instead(environment, request_, tmp_path):
    job = tmp_path / "request.json"
    job.write_text(json.dumps(request_.as_dict()), encoding="utf-8")
    events, status = converse([*worker_command(), "--job", str(job)], environment)
    assert isinstance(events[-1], Failure)  # there is no such T1
    assert events[-1].code == ErrorCode.BAD_IMAGE.value
    assert status == EXIT_BAD_REQUEST


def test_hello_comes_before_torch_is_imported(environment, request_, tmp_path):
    # A stand-in for torch that leaves a trace when it is imported.
    fakes = tmp_path / "fakes"
    (fakes / "torch").mkdir(parents=True)
    mark = tmp_path / "imported"
    (fakes / "torch" / "__init__.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nraise ImportError('stand-in')\n", encoding="utf-8"
    )
    (fakes / "torch-9.9.dist-info").mkdir()
    (fakes / "torch-9.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n", encoding="utf-8"
    )
    environment["PYTHONPATH"] = os.pathsep.join((str(fakes), environment["PYTHONPATH"]))
    stream = PopenRunner(environment=environment).run({"version": 1, "kind": "probe"})
    hello = next(stream)
    assert isinstance(hello, Hello)
    assert hello.torch == "9.9"
    imported_before_hello = mark.exists()
    rest = list(stream)
    assert not imported_before_hello
    assert mark.exists()  # the probe did import it: the trace works
    assert isinstance(rest[-1], Failure)


def test_hello_comes_fast_and_without_heavy_imports(environment):
    code = "import sys, PETSynthLib.run.worker\nprint(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True, text=True
    )
    for heavy in ("'torch'", "'SimpleITK'", "'scipy'", "'nibabel'"):
        assert heavy not in done.stdout
