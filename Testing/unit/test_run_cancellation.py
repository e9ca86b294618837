"""The switch between whoever asks a run to stop and the run."""

from __future__ import annotations

import threading
import time

import pytest

from PETSynthLib.errors import Cancelled
from PETSynthLib.run.cancellation import Cancellation


def test_nothing_happens_before_somebody_asks():
    switch = Cancellation()
    switch.check()
    assert not switch.asked


def test_asking_runs_the_actions_and_makes_the_next_check_raise():
    switch, called = Cancellation(), []
    switch.on_cancel(lambda: called.append("kill"))
    assert switch.ask()
    assert called == ["kill"]
    with pytest.raises(Cancelled):
        switch.check()


def test_a_forgotten_action_does_not_run():
    switch, called = Cancellation(), []
    forget = switch.on_cancel(lambda: called.append("kill"))
    forget()
    switch.ask()
    assert called == []


def test_an_action_that_comes_after_the_asking_runs_at_once():
    switch, called = Cancellation(), []
    switch.ask()
    switch.on_cancel(lambda: called.append("kill"))
    assert called == ["kill"]


def test_a_failing_action_does_not_keep_the_others_from_running():
    switch, called = Cancellation(), []
    switch.on_cancel(lambda: 1 / 0)
    switch.on_cancel(lambda: called.append("kill"))
    switch.ask()
    assert called == ["kill"]


def test_the_final_move_cannot_begin_after_a_cancel():
    switch = Cancellation()
    switch.ask()
    with pytest.raises(Cancelled), switch.commit():
        pytest.fail("moved")


def test_a_cancel_waits_for_the_final_move_and_then_comes_too_late():
    switch, inside, answers = Cancellation(), threading.Event(), []

    def ask():
        inside.wait()
        answers.append(switch.ask())

    thread = threading.Thread(target=ask)
    thread.start()
    with switch.commit():
        inside.set()
        time.sleep(0.1)
        assert answers == []
    thread.join()
    assert answers == [False]
    switch.check()


def test_a_failed_move_can_still_be_cancelled():
    switch = Cancellation()
    with pytest.raises(OSError, match="full"), switch.commit():
        raise OSError("full")
    assert switch.ask()


def test_only_one_tells_the_end():
    switch = Cancellation()
    assert [switch.claim_end(), switch.claim_end()] == [True, False]


def test_stop_leaves_the_cleaning_to_a_run_that_notices():
    switch, cleaned = Cancellation(), []
    switch.on_abandon(lambda: cleaned.append("partial"))
    switch.on_cancel(switch.claim_end)
    assert not switch.stop(patience_s=5.0)
    assert cleaned == []


def test_stop_cleans_up_after_a_run_that_does_not_notice():
    switch, cleaned = Cancellation(), []
    switch.on_abandon(lambda: 1 / 0)
    switch.on_abandon(lambda: cleaned.append("partial"))
    started = time.monotonic()
    assert switch.stop(patience_s=0.1)
    assert time.monotonic() - started < 1.0
    assert cleaned == ["partial"]
    assert not switch.claim_end()
