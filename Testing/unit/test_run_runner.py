"""Starting a worker: its environment, and stopping one that does not listen."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from PETSynthLib.run import runner as module
from PETSynthLib.run.events import Failure, Result, Stopped, to_line
from PETSynthLib.run.runner import PopenRunner, worker_environment

BASE = {
    "PATH": "/bin",
    "PYTHONPATH": "/slicer/python",
    "PYTHONHOME": "/slicer",
    "LD_LIBRARY_PATH": "/slicer/lib",
}


def test_our_own_python_keeps_its_paths_and_finds_the_library():
    environment = worker_environment(BASE)
    first, *rest = environment["PYTHONPATH"].split(os.pathsep)
    assert (Path(first) / "PETSynthLib" / "__init__.py").is_file()
    assert rest == ["/slicer/python"]
    assert environment["LD_LIBRARY_PATH"] == "/slicer/lib"
    assert environment["PYTHONUTF8"] == "1"


def test_another_python_sees_none_of_our_libraries():
    environment = worker_environment(BASE, own_python=False)
    assert "PYTHONHOME" not in environment
    assert "LD_LIBRARY_PATH" not in environment
    assert "/slicer" not in environment["PYTHONPATH"]
    assert environment["PYTHONNOUSERSITE"] == "1"
    assert environment["PATH"] == "/bin"


def test_the_user_s_choice_of_gpu_memory_handling_wins():
    chosen = worker_environment({"PYTORCH_CUDA_ALLOC_CONF": "backend:native"})
    assert chosen["PYTORCH_CUDA_ALLOC_CONF"] == "backend:native"


def script(text: str) -> PopenRunner:
    return PopenRunner([sys.executable, "-u", "-c", text])


def test_a_worker_that_ignores_everything_is_killed_with_its_children(monkeypatch):
    monkeypatch.setattr(module, "SOFT_S", 0.2)
    monkeypatch.setattr(module, "TERMINATE_S", 0.2)
    runner = script(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        'print(\'{"v": 1, "type": "stage", "id": "read", "label": "", '
        '"index": 1, "count": 6}\')\n'
        "time.sleep(60)\n"
    )
    stream = runner.run({})
    next(stream)
    asked = time.monotonic()
    runner.cancel()
    # The child holds the same stdout: the stream ends only when it is dead as well.
    assert list(stream) == [Stopped()]
    assert time.monotonic() - asked < 5.0


def test_a_result_that_is_not_there_is_a_failure():
    line = to_line(Result("/nowhere/result.json", "0" * 64, 1.0, 1.0)).decode()
    *_, last = script(f"print({line!r})").run({})
    assert isinstance(last, Failure)


def test_the_log_keeps_the_end_of_a_long_story():
    runner = script(
        "import sys\n"
        "for i in range(40000): sys.stderr.write(f'line {i}\\n')\n"
        "sys.stderr.write('the end\\n')\n"
    )
    list(runner.run({}))
    assert len(runner.log) <= module.LOG_LIMIT
    assert runner.log.endswith("the end\n")


def test_a_runner_runs_once():
    runner = script("pass")
    list(runner.run({}))
    with pytest.raises(RuntimeError, match="one request"):
        next(runner.run({}))
