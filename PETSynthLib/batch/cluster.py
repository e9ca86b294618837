"""Dask: a cluster of this machine's cores, or one that somebody else has started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any

from ..errors import ErrorCode, PETSynthError

CONNECT_S = 20


def map_on_cluster(
    function: Callable[[dict[str, Any]], dict[str, Any]],
    tasks: list[dict[str, Any]],
    jobs: int,
    scheduler: str | None = None,
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | BaseException]]:
    """Call ``function`` on every task; yields each task with its result as they come.

    Parameters
    ----------
    function
        Importable on every worker; PETSynth must be installed there.
    tasks
        JSON-ready.
    jobs
        Processes of the local cluster.
    scheduler
        Address of a Dask scheduler (``tcp://...``) that is used instead.

    Yields
    ------
    task, result
        An exception is returned, not raised: ``KilledWorker`` for a task whose process died twice,
        the second time with nobody beside it.

    Raises
    ------
    PETSynthError
        ``DEPENDENCY`` without Dask, ``BAD_REQUEST`` when no scheduler answers, ``INTERNAL`` when
        it goes away.
    """
    try:
        import dask
        from distributed import Client, KilledWorker, LocalCluster
    except ImportError as problem:
        raise PETSynthError(
            ErrorCode.DEPENDENCY,
            "Working on many subjects needs Dask, which is not installed.",
            "Install it with: pip install petsynth[train].",
        ) from problem
    settings = {
        # Whoever was there when a process died gets a second chance, alone.
        "distributed.scheduler.allowed-failures": 0,
        # Tasks wait with the scheduler, not with a process that may die.
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.comm.timeouts.connect": f"{CONNECT_S}s",
        "logging": {"distributed": "critical"},
    }
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        address: Any = scheduler
        if address is None:
            address = stack.enter_context(
                LocalCluster(
                    n_workers=min(jobs, max(len(tasks), 1)),
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    memory_limit=None,
                )
            )
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_S))
        except (OSError, TimeoutError, ValueError) as problem:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"No Dask scheduler answers at {scheduler}.",
                "Start one with: dask scheduler, or leave --scheduler out.",
            ) from problem
        suspects = []
        for task, result in _results(client, function, tasks):
            if isinstance(result, KilledWorker):
                suspects.append(task)
            else:
                yield task, result
        # Most of them only waited where another killed the process: alone, the guilty is found.
        for task in suspects:
            yield from _results(client, function, [task])


def _results(
    client: Any, function: Callable[[dict[str, Any]], dict[str, Any]], tasks: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | BaseException]]:
    """Every task with its result or exception, as they come."""
    from distributed import as_completed

    futures = {client.submit(function, task, pure=False): task for task in tasks}
    for future in as_completed(list(futures)):
        result: dict[str, Any] | BaseException
        try:
            # Not asked for its exception first: a result may be lost with its process in between.
            result = future.result()
        except CancelledError as problem:
            raise PETSynthError(
                ErrorCode.INTERNAL,
                "The Dask scheduler went away.",
                "What is finished is kept; run the same command again.",
            ) from problem
        except Exception as problem:
            result = problem
        yield futures.pop(future), result
        future.release()
