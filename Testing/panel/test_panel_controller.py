"""The run as a state machine: every way a run can go, without Qt and without a scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from panel_fakes import Clock, FakeProcess, resultEvent

from PETSynthLib.run import events


class Stage:
    """A controller with a fake process, a clock moved by hand, and a note of what was imported."""

    def __init__(self, folder: Path) -> None:
        from PETSynthPanel.Controller import Command, Controller, Run, State
        from PETSynthPanel.Messages import Kind, Message

        self.State = State
        self.folder = folder
        self.clock = Clock()
        self.processes: list[FakeProcess] = []
        self.imports: list[dict[str, Any]] = []
        self.importFails = False
        self.states: list[Any] = []

        def make() -> FakeProcess:
            self.processes.append(FakeProcess())
            return self.processes[-1]

        def importResult(_run: Any, body: dict[str, Any]) -> Message:
            if self.importFails:
                raise RuntimeError("no room in the scene")
            self.imports.append(body)
            return Message(Kind.GREEN, "Done.")

        self.controller = Controller(make, self.clock.later, self.clock.now, importResult)
        self.controller.finished.connect(self.states.append)
        self.theRun = Run(Command("python", ()), folder)

    @property
    def process(self) -> FakeProcess:
        return self.processes[-1]

    @property
    def state(self) -> Any:
        return self.controller.state

    def start(self) -> FakeProcess:
        self.controller.start(self.theRun)
        return self.process

    def writeResult(self) -> None:
        (self.folder / "result.json").write_text(json.dumps({"total_seconds": 24}))


@pytest.fixture
def stage(host: Any, tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def stageEvent(index: int = 3) -> events.Stage:
    return events.Stage("generate", "Generating the PET", index, 6)


class TestTheStraightWay:
    def test_a_run_goes_through_the_states_in_order(self, stage: Stage) -> None:
        State = stage.State
        assert stage.state is State.IDLE
        process = stage.start()
        assert stage.state is State.CHECKING
        process.hello()
        assert stage.state is State.RUNNING
        process.say(stageEvent(), events.Step("generate", 1, 4, 11.0))
        assert (stage.controller.stage.index, stage.controller.step.step) == (3, 1)
        stage.writeResult()
        process.say(resultEvent(stage.folder))
        assert stage.state is State.IMPORTING
        assert stage.imports == [], "the panel may first say that it imports"
        stage.clock.advance(0.0)
        assert stage.state is State.DONE
        assert stage.imports == [{"total_seconds": 24}]
        assert stage.states == [State.DONE]

    def test_a_process_that_lingers_after_its_result_is_ended(self, stage: Stage) -> None:
        process = stage.start()
        process.hello(pid=77)
        stage.writeResult()
        process.say(resultEvent(stage.folder))
        stage.clock.advance(0.0)
        stage.clock.advance(3.5)
        assert stage.state is stage.State.DONE
        assert process.terminated
        assert process.killedPid == 77

    def test_a_lost_last_line_is_no_lost_result(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        stage.writeResult()
        process.end(0)
        stage.clock.advance(0.0)
        assert stage.state is stage.State.DONE

    def test_a_second_run_cannot_begin_during_the_first(self, stage: Stage) -> None:
        stage.start()
        with pytest.raises(RuntimeError):
            stage.controller.start(stage.theRun)

    def test_after_a_failure_the_next_run_starts_clean(self, stage: Stage) -> None:
        stage.start().end(1)
        process = stage.start()
        process.hello()
        assert stage.controller.notice is None
        assert stage.state is stage.State.RUNNING


class TestCancel:
    @pytest.mark.parametrize("hello", [False, True])
    def test_cancel_asks_by_a_line_and_adds_nothing(self, stage: Stage, hello: bool) -> None:
        process = stage.start()
        if hello:
            process.hello()
        stage.controller.cancel()
        assert stage.state is stage.State.CANCELLING
        assert json.loads(process.sent[-1]) == {"op": "cancel"}
        process.say(events.Stopped())
        process.end(3)
        assert stage.state is stage.State.IDLE
        assert stage.controller.notice.text == "Cancelled. Nothing was added to the scene."
        stage.clock.advance(10)
        assert not process.terminated

    def test_a_deaf_worker_is_terminated_after_two_and_killed_after_three_seconds(
        self, stage: Stage
    ) -> None:
        process = stage.start()
        process.hello(pid=77)
        stage.controller.cancel()
        stage.clock.advance(1.9)
        assert not process.terminated
        stage.clock.advance(0.2)
        assert process.terminated
        assert not process.killed
        stage.clock.advance(1.0)
        assert process.killedPid == 77, "the real worker, not only its launcher"
        assert stage.state is stage.State.IDLE

    def test_a_result_that_comes_too_late_is_not_imported(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        stage.controller.cancel()
        stage.writeResult()
        process.say(resultEvent(stage.folder))
        stage.clock.advance(5)
        assert stage.state is stage.State.IDLE
        assert stage.imports == []

    def test_cancel_between_result_and_import_adds_nothing(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        stage.writeResult()
        process.say(resultEvent(stage.folder))
        stage.controller.cancel()
        stage.clock.advance(0.0)
        process.end(0)
        assert stage.imports == []
        assert stage.state is stage.State.IDLE

    def test_cancel_outside_a_run_does_nothing(self, stage: Stage) -> None:
        stage.controller.cancel()
        assert stage.state is stage.State.IDLE
        assert stage.states == []

    def test_abort_kills_a_worker_that_does_not_end_in_time(self, stage: Stage) -> None:
        process = stage.start()
        process.hello(pid=77)
        process.endsOnCancel = False
        stage.controller.abort(1.0)
        assert process.killedPid == 77
        assert stage.state is stage.State.IDLE


class TestFailures:
    def test_the_worker_tells_an_error(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        process.say(events.Failure("BAD_MASK", "The mask covers 38 mL.", "Give another."))
        assert stage.state is stage.State.FAILED
        assert stage.controller.notice.text == "The mask covers 38 mL."
        process.end(2)
        assert stage.states == [stage.State.FAILED], "one end only"

    @pytest.mark.parametrize("code", [-9, 1, 70])
    def test_a_crash_says_so_with_its_exit_code(self, stage: Stage, code: int) -> None:
        process = stage.start()
        process.hello()
        process.end(code)
        assert stage.state is stage.State.FAILED
        assert f"exit {code}" in stage.controller.notice.text

    def test_a_python_that_cannot_be_started(self, stage: Stage) -> None:
        stage.start().startFailed.emit("No such file")
        assert stage.state is stage.State.FAILED
        assert "No such file" in stage.controller.notice.text

    def test_a_result_with_another_hash_is_refused(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        stage.writeResult()
        announced = resultEvent(stage.folder)
        (stage.folder / "result.json").write_text('{"total_seconds": 1}')
        process.say(announced)
        stage.clock.advance(0.0)
        assert stage.state is stage.State.FAILED
        assert stage.imports == []

    def test_an_import_that_fails_fails_the_run(self, stage: Stage) -> None:
        stage.importFails = True
        process = stage.start()
        process.hello()
        stage.writeResult()
        process.say(resultEvent(stage.folder))
        stage.clock.advance(0.0)
        assert stage.state is stage.State.FAILED
        assert "no room in the scene" in stage.controller.log.text

    def test_another_protocol_is_refused(self, stage: Stage) -> None:
        process = stage.start()
        process.lineReceived.emit(b'{"v": 9, "type": "hello"}\n')
        assert stage.state is stage.State.FAILED


class TestWhatIsSaid:
    def test_garbage_on_stdout_goes_to_the_log_and_nowhere_else(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        for line in (b"100%|####| 3/3", b"\xff\xfe\x00", b"[1, 2]", b'{"type": "result"}', b"{"):
            process.lineReceived.emit(line)
        assert stage.state is stage.State.RUNNING
        assert "100%|####| 3/3" in stage.controller.log.text

    def test_a_line_of_an_earlier_process_is_ignored(self, stage: Stage) -> None:
        first = stage.start()
        first.hello()
        stage.controller.cancel()
        first.say(events.Stopped())
        second = stage.start()
        second.hello()
        first.say(events.Failure("INTERNAL", "late", "late"))
        first.end(70)
        assert stage.state is stage.State.RUNNING

    def test_silence_of_a_minute_is_said_and_taken_back(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        stage.clock.advance(59)
        stage.controller.tick()
        assert stage.controller.notice is None
        stage.clock.advance(2)
        stage.controller.tick()
        assert "No news from the worker for a minute" in stage.controller.notice.text
        process.say(stageEvent())
        assert stage.controller.notice is None

    def test_the_last_warning_is_shown(self, stage: Stage) -> None:
        process = stage.start()
        process.hello()
        process.say(events.Warn("coverage", "The image ends close to the brain."))
        assert stage.controller.notice.text == "The image ends close to the brain."


class TestForecast:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def forecast(self, host: Any, clock: Clock) -> Any:
        from PETSynthPanel.Forecast import Forecast

        return Forecast(clock.now)

    def test_no_number_in_the_first_two_seconds(self, forecast: Any, clock: Clock) -> None:
        forecast.update(20)
        assert forecast.left is None
        clock.advance(2)
        assert forecast.left == 18

    def test_growth_is_told_in_words(self, forecast: Any, clock: Clock) -> None:
        forecast.update(20)
        clock.advance(5)
        forecast.update(15.5)
        assert not forecast.longer
        forecast.update(18)
        assert forecast.longer

    def test_an_overdue_run_says_so(self, forecast: Any, clock: Clock) -> None:
        forecast.update(5)
        clock.advance(6.5)
        assert (forecast.left, forecast.longer) == (0, True)

    def test_the_share_never_goes_back(self, forecast: Any, clock: Clock) -> None:
        forecast.update(10)
        clock.advance(5)
        assert forecast.fraction == pytest.approx(0.5)
        forecast.update(95)
        assert forecast.fraction == pytest.approx(0.5)


def test_the_log_keeps_its_last_part(host: Any) -> None:
    from PETSynthPanel.Log import LIMIT, Log

    log = Log(clock=lambda: "10:41:02")
    for number in range(40_000):
        log.add(f"line {number}")
    assert len(log.text) <= LIMIT
    assert log.text.endswith("10:41:02 line 39999")
    assert "line 0\n" not in log.text
