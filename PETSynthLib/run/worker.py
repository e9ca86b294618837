"""The worker process: one request in, JSON lines out.

``python -m PETSynthLib.run.worker`` says hello, waits for ``{"op": "run", "request": {...}}`` on
stdin (or takes ``--job request.json``), runs it, ends. ``{"op": "cancel"}`` or the end of stdin
stops it within a second, even while a native library is busy.

stdout carries the protocol and nothing else: whatever a library prints goes to stderr.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import queue
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .. import __version__
from ..errors import EXIT_CANCELLED, Cancelled, ErrorCode, PETSynthError
from .cancellation import Cancellation
from .events import PROTOCOL_VERSION, Event, Failure, Hello, Result, Stopped, to_line
from .failure import explain, trace_of, write_trace
from .reporter import Sink

Kind = Callable[[dict[str, Any], Sink, Cancellation], Result]
"""Runs one kind of request: JSON body, where events go, the switch that stops it."""


def _synthesize(body: dict[str, Any], sink: Sink, cancellation: Cancellation) -> Result:
    from ..request import request_from_dict

    request = request_from_dict(body)  # refused, if need be, before the slow imports
    from .job import run_synthesis

    return run_synthesis(request, sink, cancellation, previews=True).event()


def _quantify(body: dict[str, Any], sink: Sink, cancellation: Cancellation) -> Result:
    from ..request import quantify_request_from_dict

    request = quantify_request_from_dict(body)
    from .quantify_job import run_quantification

    return run_quantification(request, sink, cancellation).event()


def _project(body: dict[str, Any], sink: Sink, cancellation: Cancellation) -> Result:
    from ..request import project_request_from_dict

    request = project_request_from_dict(body)
    from .project_job import run_projection

    return run_projection(request, sink, cancellation).event()


def _export(body: dict[str, Any], sink: Sink, cancellation: Cancellation) -> Result:
    from ..request import export_request_from_dict

    request = export_request_from_dict(body)
    from .export_job import run_export

    return run_export(request, sink, cancellation).event()


def _probe(body: dict[str, Any], sink: Sink, cancellation: Cancellation) -> Result:
    from .diagnosis import probe

    return probe(body)


KINDS: Mapping[str, Kind] = {
    "synthesize": _synthesize,
    "quantify": _quantify,
    "project": _project,
    "export": _export,
    "probe": _probe,
}


_PATHS = (
    "t1",
    "flair",
    "mask",
    "pet",
    "parcellation",
    "space",
    "database",
    "pattern",
    "transform",
    "find_on",
    "result",
    "source_dicom",
)
"""Fields of a request that may hold a person's name."""


class Channel:
    """The protocol's two ends: private copies of stdin and stdout.

    The public ones are closed to the protocol: file descriptor 1 becomes stderr, so that a stray
    print cannot corrupt the stream, and 0 becomes the null device, so that neither a child
    process nor a Windows C run-time that inspects its stdin can block on our pending read.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        self.commands: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb")
        self._lock = threading.Lock()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def send(self, event: Event) -> None:
        """Write one event. A reader that has gone away is noticed on stdin, not here."""
        with self._lock:
            try:
                self._out.write(to_line(event))
                self._out.flush()
            except OSError:
                return


class _Listener(threading.Thread):
    """Reads commands until stdin ends. A thread, for Windows cannot select on pipes."""

    def __init__(self, channel: Channel, cancellation: Cancellation) -> None:
        super().__init__(name="commands", daemon=True)
        self._channel = channel
        self._cancellation = cancellation
        self.requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run(self) -> None:
        for line in self._channel.commands:
            try:
                command = json.loads(line)
                operation = command["op"]
            except (ValueError, TypeError, KeyError):
                operation, command = "unreadable", None
            if operation == "cancel":
                break
            self.requests.put(command)
        self.requests.put({"op": "cancel"})
        if self._cancellation.stop():
            self._channel.send(Stopped())
            os._exit(EXIT_CANCELLED)


def main(argv: Sequence[str] | None = None, kinds: Mapping[str, Kind] = KINDS) -> int:
    """Serve one request; returns the exit status (see `PETSynthLib.errors`)."""
    options = _options(argv)
    channel = Channel()
    channel.send(
        Hello(
            protocol=PROTOCOL_VERSION,
            worker_version=__version__,
            python=platform.python_version(),
            torch=_installed_torch(),
            pid=os.getpid(),
        )
    )
    cancellation = Cancellation()
    listener = _Listener(channel, cancellation)
    listener.start()
    body: Any = None
    try:
        body = _read_job(options.job) if options.job else _wait_for_request(listener)
        end: Event = _kind_of(body, kinds)(body, channel.send, cancellation)
        status = 0
    except Cancelled:
        end, status = Stopped(), EXIT_CANCELLED
    except BaseException as problem:  # the last line of defence: the panel always hears an end
        end, status = _failure(problem, body)
    if not cancellation.claim_end():
        threading.Event().wait()  # the listener is already ending this process
    channel.send(end)
    return status


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="PETSynthLib.run.worker", description=__doc__)
    parser.add_argument("--job", type=Path, help="request file; otherwise one is read on stdin")
    return parser.parse_args(argv)


def _read_job(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            f"The request file {path.name} cannot be read.",
            "Check the path and that it holds JSON.",
        ) from problem


def _wait_for_request(listener: _Listener) -> Any:
    command = listener.requests.get()
    if isinstance(command, dict) and command.get("op") == "cancel":
        raise Cancelled
    if not isinstance(command, dict) or command.get("op") != "run":
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            "The worker received a line that is not a command.",
            'Send {"op": "run", "request": {...}} or {"op": "cancel"}.',
        )
    return command.get("request")


def _kind_of(body: Any, kinds: Mapping[str, Kind]) -> Kind:
    kind = str(body.get("kind")) if isinstance(body, dict) else ""
    if kind not in kinds:
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            f"The request kind {kind!r} is not known.",
            f"Use one of {', '.join(kinds)}.",
        )
    return kinds[kind]


def _failure(problem: BaseException, body: Any) -> tuple[Failure, int]:
    error = explain(problem)
    paths = [body.get(key) for key in _PATHS] if isinstance(body, dict) else []
    private = [path for path in paths if isinstance(path, str)]
    trace_file = None
    if error is not problem:
        trace_file = write_trace(problem, private)
        sys.stderr.write(trace_of(problem, private))
    where = None if trace_file is None else str(trace_file)
    return Failure(error.code.value, error.text, error.hint, where, error.check), error.exit_status


def _installed_torch() -> str | None:
    # By its metadata: importing torch takes seconds, and a broken one may crash the process.
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def end_process(status: int) -> None:
    """Leave at once: threads of native libraries must not keep a finished worker alive."""
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end_process(main())
