"""Runs a request in this process: progress on the terminal, Ctrl+C stops it cleanly."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..errors import EXIT_CANCELLED, Cancelled
from ..request import EXPORT, PROJECT, QUANTIFY, SYNTHESIZE, Request
from ..run.cancellation import Cancellation
from ..run.export_job import run_export
from ..run.job import run_synthesis
from ..run.project_job import run_projection
from ..run.quantify_job import run_quantification
from ..run.reporter import Sink
from ..run.whole import Finished
from .display import Display

_LOOK_S = 0.1


def run_and_print(request: Request, *, as_json: bool, quiet: bool) -> None:
    """Run ``request`` and say where the results are.

    Parameters
    ----------
    request
        What to do.
    as_json
        Print the result as JSON, and only that, on stdout.
    quiet
        Print nothing but errors.
    """
    with Display(silent=quiet) as display:
        finished = run_until_stopped(
            lambda cancellation: run_request(request, display, cancellation), display.tick
        )
    if as_json:
        # ASCII only: a Windows console may know no other characters.
        print(json.dumps(finished.body, indent=1))
    elif not quiet:
        _print_result(finished)


def run_request(request: Request, sink: Sink, cancellation: Cancellation) -> Finished:
    """Run a request of any kind; parameters and errors as `run.whole.run_work`."""
    runs: dict[str, Callable[[Any, Sink, Cancellation], Finished]] = {
        SYNTHESIZE: run_synthesis,
        QUANTIFY: run_quantification,
        PROJECT: run_projection,
        EXPORT: run_export,
    }
    return runs[request.as_dict()["kind"]](request, sink, cancellation)


def run_until_stopped(
    job: Callable[[Cancellation], Finished], tick: Callable[[], None]
) -> Finished:
    """Run ``job`` in a thread, so that Ctrl+C is heard while a native library is busy.

    Raises
    ------
    Cancelled
        After Ctrl+C (or SIGTERM), when it came in time.
    """
    cancellation = Cancellation()
    results: list[Finished] = []
    problems: list[BaseException] = []

    def work() -> None:
        try:
            results.append(job(cancellation))
        except BaseException as problem:  # raised again in the caller's thread
            problems.append(problem)
        finally:
            cancellation.claim_end()

    thread = threading.Thread(target=work, name="job", daemon=True)
    with _terminate_like_interrupt():
        thread.start()
        try:
            while thread.is_alive():
                thread.join(_LOOK_S)
                tick()
        except KeyboardInterrupt:
            if cancellation.stop():
                print("petsynth: Cancelled, nothing was written.", file=sys.stderr, flush=True)
                os._exit(EXIT_CANCELLED)
            thread.join()
    if problems:
        raise problems[0]
    if not results:
        raise Cancelled
    return results[0]


@contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_result(finished: Finished) -> None:
    body = finished.body
    print()
    for notice in body["notices"]:
        print(notice)
    for line in body["headline_text"]:
        print(line)
    print(f"\nResults in {body['folder']} after {body['total_seconds']:.0f} s:")
    for name in sorted(body["files"]):
        print(f"  {name}")
