"""Dask: a cluster of this machine's cores, or one that somebody else has started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any

from ..errors import ErrorCode, PETSynthError

CONNECT_S = 20
DEATHS_ALLOWED = 1
"""How many processes may die under a task before it is given up. One: a task that only waited
where another killed its process gets a second chance."""


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
        An exception is returned, not raised; a task that kills its process twice is given up.

    Raises
    ------
    PETSynthError
        ``DEPENDENCY`` without Dask, ``BAD_REQUEST`` when no scheduler answers, ``INTERNAL`` when
        it goes away.
    """
    try:
        import dask
        from distributed import Client, LocalCluster, as_completed
    except ImportError as problem:
        raise PETSynthError(
            ErrorCode.DEPENDENCY,
            "Working on many subjects needs Dask, which is not installed.",
            "Install it with: pip install petsynth[train].",
        ) from problem
    settings = {
        "distributed.scheduler.allowed-failures": DEATHS_ALLOWED,
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
        futures = {client.submit(function, task, pure=False): task for task in tasks}
        for future in as_completed(list(futures)):
            try:
                failure = future.exception()
            except CancelledError as problem:
                raise PETSynthError(
                    ErrorCode.INTERNAL,
                    "The Dask scheduler went away.",
                    "What is finished is kept; run the same command again.",
                ) from problem
            yield futures.pop(future), future.result() if failure is None else failure
            future.release()
