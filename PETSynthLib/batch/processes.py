"""Many independent tasks on the cores of this machine; one that dies takes nobody with it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


class ProcessDied(RuntimeError):
    """The process that worked on a task ended without an answer."""


def run_tasks(
    function: Callable[[T], R], tasks: Iterable[T], jobs: int
) -> Iterator[tuple[T, R | Exception]]:
    """Call ``function`` on every task; yields each task with its result as they come.

    Parameters
    ----------
    function
        Importable, for it is sent to other processes.
    tasks
        Can be pickled.
    jobs
        Number of processes of one thread each; with 1 everything runs in this process.

    Yields
    ------
    task, result
        An exception of ``function`` is returned, not raised; `ProcessDied` when a task killed its
        process (out of memory, a crash in a native library) twice, the second time alone.
    """
    if jobs <= 1:
        for task in tasks:
            try:
                yield task, function(task)
            except Exception as problem:
                yield task, problem
        return
    rest = list(tasks)
    while rest:
        suspects: list[T] = []
        with _one_thread_each():
            yield from _round(function, rest, jobs, suspects)
            # Several were under way when a process died: alone, the guilty one is found.
            for suspect in suspects:
                again: list[T] = []
                yield from _round(function, [suspect], 1, again)
                if again:
                    yield suspect, ProcessDied("its process ended without an answer")


def _round(
    function: Callable[[T], R], rest: list[T], jobs: int, suspects: list[T]
) -> Iterator[tuple[T, R | Exception]]:
    """Work on ``rest``, emptying it, until it is done or a process dies (fills ``suspects``)."""
    context = multiprocessing.get_context("spawn")
    running: dict[Future[R], T] = {}
    with ProcessPoolExecutor(min(jobs, len(rest)), mp_context=context) as pool:
        try:
            while rest or running:
                while rest and len(running) < jobs:
                    running[pool.submit(function, rest[0])] = rest[0]
                    rest.pop(0)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    problem = future.exception()
                    if isinstance(problem, BrokenProcessPool):
                        raise problem
                    task = running.pop(future)
                    if isinstance(problem, Exception):
                        yield task, problem
                    else:
                        yield task, future.result()
        except BrokenProcessPool:
            suspects += running.values()
        except GeneratorExit:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Children inherit the environment: as many threads as processes, not their product."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
