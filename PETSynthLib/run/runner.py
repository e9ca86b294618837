"""Starts a worker, sends it a request, yields what it says, and can stop it for good."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import EXIT_CANCELLED, ErrorCode
from .events import LAST, Event, Failure, Result, Stopped, from_line

SOFT_S = 2.0
"""Time for a worker to obey a cancel before it is terminated."""
TERMINATE_S = 3.0
"""Time for it to obey that before its whole process tree is killed."""
LOG_LIMIT = 256 * 1024

_MODULE = "PETSynthLib.run.worker"
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH")


def worker_command(python: str = sys.executable) -> list[str]:
    """The command that starts a worker with ``python``."""
    return [python, "-X", "utf8", "-u", "-m", _MODULE]


def worker_environment(
    base: Mapping[str, str] | None = None, *, own_python: bool = True
) -> dict[str, str]:
    """The environment of a worker.

    Parameters
    ----------
    base
        Environment to start from, default: this process's.
    own_python
        False when the worker runs under another interpreter: then this one's paths would make it
        load foreign libraries, and are left out.
    """
    environment = dict(os.environ if base is None else base)
    here = str(Path(__file__).absolute().parents[2])
    if own_python:
        rest = environment.get("PYTHONPATH")
        paths = here if not rest else os.pathsep.join((here, rest))
    else:
        for name in _FOREIGN:
            environment.pop(name, None)
        environment["PYTHONNOUSERSITE"] = "1"
        paths = here
    environment.update(
        PYTHONPATH=paths,
        PYTHONUTF8="1",
        PYTHONUNBUFFERED="1",
        PYTORCH_CUDA_ALLOC_CONF=environment.get(
            "PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True"
        ),
    )
    return environment


class PopenRunner:
    """One run in a worker process, by the standard library only.

    Parameters
    ----------
    command
        Command line of the worker, default: this interpreter's.
    environment
        Its environment, default: `worker_environment`.

    Examples
    --------
    >>> runner = PopenRunner()                            # doctest: +SKIP
    >>> for event in runner.run(request.as_dict()):       # doctest: +SKIP
    ...     print(event)
    """

    def __init__(
        self, command: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = list(command or worker_command())
        self._environment = dict(environment or worker_environment())
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = threading.Event()
        self._log = bytearray()
        self._log_lock = threading.Lock()
        self._send_lock = threading.Lock()

    @property
    def log(self) -> str:
        """What the worker wrote for people (stderr and stray lines), the last 256 kB."""
        with self._log_lock:
            return self._log.decode("utf-8", "replace")

    @property
    def status(self) -> int | None:
        """Exit status of the worker, None before its end."""
        return None if self._process is None else self._process.poll()

    def run(self, request: Mapping[str, Any]) -> Iterator[Event]:
        """Run ``request``; yields events, the last of them one of `events.LAST`.

        Leaving the iteration early ends the worker.
        """
        process = self._start()
        pump = threading.Thread(target=self._pump, args=(process,), daemon=True)
        pump.start()
        self._send({"op": "run", "request": dict(request)})
        ended = False
        try:
            assert process.stdout is not None
            for line in process.stdout:
                event = from_line(line)
                if event is None:
                    self._keep(line)
                    continue
                ended = isinstance(event, LAST)
                yield self._checked(event)
                if ended:
                    break
            if not ended:
                process.wait()
                pump.join(1.0)
                yield self._silent_end(process.returncode)
        finally:
            self._close(process)
            pump.join(1.0)

    def cancel(self) -> None:
        """Stop the run: ask, then terminate, then kill the process tree. Returns at once."""
        if self._asked.is_set():
            return
        self._asked.set()
        self._send({"op": "cancel"})
        if self._process is not None:
            threading.Thread(target=_escalate, args=(self._process,), daemon=True).start()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            msg = "a runner runs one request; make another one"
            raise RuntimeError(msg)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            # Its own group: a Ctrl+C in the terminal is ours, and the whole tree can be killed.
            start_new_session=True,
        )
        return self._process

    def _send(self, command: Mapping[str, Any]) -> None:
        with self._send_lock, suppress(OSError, ValueError):
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(json.dumps(command).encode("ascii") + b"\n")
                self._process.stdin.flush()

    def _pump(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with suppress(ValueError, OSError):
            for line in process.stderr:
                self._keep(line)

    def _keep(self, line: bytes) -> None:
        with self._log_lock:
            self._log += line
            del self._log[: max(len(self._log) - LOG_LIMIT, 0)]

    def _checked(self, event: Event) -> Event:
        """A result counts only when its file is there as announced."""
        if not isinstance(event, Result) or not event.path:
            return event
        try:
            digest = hashlib.sha256(Path(event.path).read_bytes()).hexdigest()
        except OSError:
            digest = ""
        if digest == event.sha256:
            return event
        return Failure(
            ErrorCode.INTERNAL.value,
            "The worker announced a result that is not there.",
            "Run it again; do not change the output folder meanwhile.",
        )

    def _silent_end(self, status: int) -> Event:
        if self._asked.is_set() or status == EXIT_CANCELLED:
            return Stopped()
        return Failure(
            ErrorCode.INTERNAL.value,
            f"The worker ended without a word (exit status {status}).",
            "Look at its log; a status of -9 or 137 usually means that memory ran out.",
        )

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        with self._send_lock, suppress(OSError, ValueError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            process.wait(SOFT_S)
        except subprocess.TimeoutExpired:
            kill_tree(process)
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.close()


def _escalate(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(SOFT_S)
    except subprocess.TimeoutExpired:
        process.terminate()
    try:
        process.wait(TERMINATE_S)
    except subprocess.TimeoutExpired:
        kill_tree(process)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and everything it has started (a launcher has a real child)."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False
        )
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
