"""Tasks side by side: results come back, a task that dies takes nobody with it."""

from __future__ import annotations

import os

from PETSynthLib.batch.processes import ProcessDied, run_tasks


def double(value: int) -> int:
    """Fails on 0, kills its process on 13."""
    if value == 13:
        os._exit(1)
    if value == 0:
        msg = "zero"
        raise ValueError(msg)
    return 2 * value


def threads(_: int) -> str:
    """Threads that a worker may use."""
    return os.environ["OMP_NUM_THREADS"]


def test_an_exception_is_returned_with_its_task() -> None:
    found = dict(run_tasks(double, [1, 0, 3], jobs=1))
    assert (found[1], found[3]) == (2, 6)
    assert str(found[0]) == "zero"


def test_a_task_that_kills_its_process_is_found_and_the_rest_is_done() -> None:
    found = dict(run_tasks(double, [1, 13, 2, 0, 4, 5], jobs=2))
    assert {k: v for k, v in found.items() if k not in (0, 13)} == {1: 2, 2: 4, 4: 8, 5: 10}
    assert isinstance(found[13], ProcessDied)
    assert isinstance(found[0], ValueError)


def test_workers_take_one_thread_each_and_this_process_keeps_its_own(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert {result for _, result in run_tasks(threads, [1, 2], jobs=2)} == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"
