"""The run as a state machine, without Qt: what the panel shows follows from what is in here.

``IDLE → CHECKING → RUNNING → IMPORTING → DONE``, with ``CANCELLING → IDLE`` and ``FAILED`` from any
of the three working states. A run is done when its ``result.json`` is there and is the one the
worker announced, not when a process ends.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from PETSynthLib.errors import PETSynthError
from PETSynthLib.run import events

from . import Messages
from .Forecast import Forecast
from .Log import Log
from .Signal import Signal

CANCEL_LINE = b'{"op": "cancel"}\n'
TERMINATE_AFTER_S = 2.0
KILL_AFTER_S = 3.0
SILENCE_S = 60.0


class State(Enum):
    """Where a run is."""

    IDLE = "idle"
    CHECKING = "checking"
    RUNNING = "running"
    IMPORTING = "importing"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"


WORKING = (State.CHECKING, State.RUNNING, State.IMPORTING)
BUSY = (*WORKING, State.CANCELLING)


@dataclass(frozen=True)
class Command:
    """How the worker is started."""

    program: str
    arguments: tuple
    environment: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    command
        The worker's.
    resultFolder
        Folder in which ``result.json`` will appear.
    facts
        What messages may name.
    context
        Whatever the importer needs; the controller does not look at it.
    explain
        Makes the message of a failure; called as `Messages.forFailure`.
    """

    command: Command
    resultFolder: Path
    facts: Messages.RunFacts = field(default_factory=Messages.RunFacts)
    context: Any = None
    explain: Callable[..., Messages.Message] = Messages.forFailure


class Process(Protocol):
    """A worker process. ``lineReceived(bytes)``, ``logReceived(str)``, ``ended(exitCode)`` and
    ``startFailed(reason)`` are `Signal`."""

    lineReceived: Signal
    logReceived: Signal
    ended: Signal
    startFailed: Signal

    def start(self, command: Command) -> None: ...

    def send(self, data: bytes) -> None: ...

    def terminate(self) -> None: ...

    def kill(self, workerPid: int | None) -> None: ...

    def waitForEnd(self, seconds: float) -> bool: ...


class Controller:
    """Runs one worker at a time.

    Parameters
    ----------
    makeProcess
        Makes a `Process`.
    later
        ``later(seconds, function)`` calls the function once, from the event loop.
    now
        Monotonic clock in seconds.
    importResult
        ``importResult(run, body)`` adds the results to the scene and returns the message to show;
        whatever it raises fails the run.
    """

    def __init__(
        self,
        makeProcess: Callable[[], Process],
        later: Callable[[float, Callable[[], None]], None],
        now: Callable[[], float],
        importResult: Callable[[Run, dict], Messages.Message],
    ):
        self.makeProcess = makeProcess
        self._later = later
        self._now = now
        self._import = importResult
        self._process = None
        self._lastNews = 0.0
        self._workerPid = None
        self._cancelMessage = None
        self._stalled = False
        self.changed = Signal()
        """The state, the stage, the message or the forecast changed."""
        self.previewed = Signal()
        """A preview lies at this path."""
        self.found = Signal()
        """The worker warned: name of the check, sentence, and the value in it."""
        self.finished = Signal()
        """The run ended in this state (``DONE``, ``FAILED`` or ``IDLE``)."""
        self.state = State.IDLE
        self.run = None
        self.stage = None
        self.step = None
        self.warnings = []
        self.message = None
        self.hello = None
        self.refusedBy = ""
        """Name of the check that ended the last run where the user may override it."""
        self.log = Log()
        self.forecast = None

    @property
    def busy(self):
        """Whether a worker is at work or being stopped."""
        return self.state in BUSY

    def start(self, run):
        """Start ``run``.

        Raises
        ------
        RuntimeError
            While another run is busy.
        """
        if self.busy:
            raise RuntimeError("a run is busy")
        self.run, self.stage, self.step, self.hello = run, None, None, None
        self.warnings, self.message = [], None
        self._workerPid, self._cancelMessage, self._stalled = None, None, False
        self.forecast = Forecast(self._now)
        self._lastNews = self._now()
        self.log.clear()
        process = self.makeProcess()
        self._process = process
        process.lineReceived.connect(lambda line: self._onLine(process, line))
        process.logReceived.connect(lambda text: self._onLog(process, text))
        process.ended.connect(lambda code: self._onEnded(process, code))
        process.startFailed.connect(lambda reason: self._onStartFailed(process, reason))
        self._become(State.CHECKING)
        process.start(run.command)

    def cancel(self, message=None):
        """Stop the run; nothing is added. Outside a run nothing happens."""
        if self.state not in WORKING:
            return
        self._cancelMessage = message or Messages.cancelled()
        process = self._process
        self._become(State.CANCELLING)
        if process is None:
            self._stop()
            return
        process.send(CANCEL_LINE)
        self._escalate(process)

    def abort(self, seconds=1.0, message=None):
        """Stop now and leave no process: wait ``seconds``, then kill. For scene close and quit."""
        self.cancel(message)
        process = self._process
        if process is not None and not process.waitForEnd(seconds):
            process.kill(self._workerPid)
            process.waitForEnd(seconds)
        if self.state is State.CANCELLING:
            self._stop()

    def wait(self, seconds):
        """Let at most ``seconds`` pass unless the process ends before; for scripts that block."""
        if self._process is not None:
            self._process.waitForEnd(seconds)

    def dismiss(self):
        """Forget the message of the last run."""
        if not self.busy:
            self.message = None
            self.changed.emit()

    def tell(self, message):
        """Show ``message`` while nothing runs."""
        if not self.busy:
            self.message = message
            self.changed.emit()

    def tick(self):
        """To be called about once a second: the countdown, and whether the worker is silent."""
        if self.state in (State.CHECKING, State.RUNNING):
            self._stalled = self._now() - self._lastNews > SILENCE_S
        if self.busy:
            self.changed.emit()

    @property
    def notice(self):
        """What the message box shows: the last message, or what is amber about a running run."""
        if self.state in (State.CHECKING, State.RUNNING):
            if self._stalled:
                return Messages.noNews()
            if self.warnings:
                return Messages.warning(self.warnings[-1][1])
            return None
        return None if self.busy else self.message

    # --- what the process says --------------------------------------------------------------

    def _onLine(self, process, line):
        if process is not self._process:
            return
        self._lastNews, self._stalled = self._now(), False
        try:
            event = events.from_line(line)
        except PETSynthError as problem:
            self.log.add(str(problem))
            self._fail(Messages.internal())
            return
        if event is None:
            self.log.add(line.decode("utf-8", "replace").rstrip())
            return
        if self.state is State.CANCELLING:
            self._onEventWhileCancelling(event)
        elif self.state in (State.CHECKING, State.RUNNING):
            self._onEvent(event)

    def _onEventWhileCancelling(self, event):
        # Too late to stop it: the result exists, but the user did not want it in the scene.
        if isinstance(event, events.LAST):
            self._stop()

    def _onEvent(self, event):
        if isinstance(event, events.Hello):
            self.hello, self._workerPid = event, event.pid
            self.log.add(f"worker {event.worker_version}, Python {event.python}, {event.torch}")
            self._become(State.RUNNING)
        elif isinstance(event, events.Stage):
            self.stage, self.step = event, None
            self.log.add(f"stage {event.index} of {event.count}: {event.id}")
        elif isinstance(event, events.Step):
            self.step = event
            self.forecast.update(event.eta_s)
        elif isinstance(event, events.Warn):
            self.warnings.append((event.code, event.text))
            self.log.add(f"warning {event.code}: {event.text}")
            self.found.emit(event.code, event.text, event.value)
        elif isinstance(event, events.Preview):
            self.previewed.emit(event.path)
        elif isinstance(event, events.Result):
            self._onResult(event.sha256)
            return
        elif isinstance(event, events.Failure):
            self.log.add(f"error {event.code}: {event.text} {event.hint}")
            if event.trace_file:
                self.log.add(f"trace in {event.trace_file}")
            self.refusedBy = event.check
            told = (event.code, event.text, event.hint, self.run.facts, event.check)
            self._fail(self.run.explain(*told))
            return
        elif isinstance(event, events.Stopped):
            self._cancelMessage = Messages.cancelled()
            self._stop()
            return
        self.changed.emit()

    def _onLog(self, process, text):
        if process is self._process:
            self.log.add(text)

    def _onStartFailed(self, process, reason):
        if process is not self._process:
            return
        self._process = None
        self._fail(Messages.startFailed(self.run.command.program, reason))

    def _onEnded(self, process, exitCode):
        if process is not self._process:
            return
        self._process = None
        self.log.add(f"worker ended, exit {exitCode}")
        if self.state is State.CANCELLING:
            self._stop()
        elif self.state in (State.CHECKING, State.RUNNING):
            # A lost last line is no lost result.
            if (self.run.resultFolder / "result.json").is_file():
                self._onResult(None)
            else:
                self._fail(Messages.workerDied(exitCode))

    # --- ends -------------------------------------------------------------------------------

    def _onResult(self, sha256):
        try:
            content = (self.run.resultFolder / "result.json").read_bytes()
            if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError("result.json is not the file that the worker announced")
            body = json.loads(content)
        except (OSError, ValueError) as problem:
            self.log.add(f"result: {problem}")
            self._fail(Messages.internal())
            return
        self._become(State.IMPORTING)
        run = self.run
        # From the event loop: the panel can say "Importing" before the scene changes.
        self._later(0.0, lambda: self._importNow(run, body))

    def _importNow(self, run, body):
        if self.state is not State.IMPORTING or run is not self.run:
            return
        try:
            message = self._import(run, body)
        except PETSynthError as problem:
            self.log.add(f"import: {problem.text}")
            self._fail(run.explain(problem.code.value, problem.text, problem.hint, run.facts))
            return
        except Exception as problem:
            logging.exception("PETSynth could not add the result to the scene")
            self.log.add(f"import: {type(problem).__name__}: {problem}")
            self._fail(Messages.internal())
            return
        if self.state is not State.IMPORTING:
            return  # the scene was closed during the import
        self._release()
        self.message = message
        self._become(State.DONE)
        self.finished.emit(State.DONE)

    def _fail(self, message):
        self._release()
        self.message = message
        self._become(State.FAILED)
        self.finished.emit(State.FAILED)

    def _stop(self):
        self._release()
        self.message = self._cancelMessage
        self._become(State.IDLE)
        self.finished.emit(State.IDLE)

    def _release(self):
        """Let go of a worker that may still be ending, and see that it does end."""
        process, self._process = self._process, None
        if process is not None:
            process.send(CANCEL_LINE)  # ignored by a worker that has finished
            self._escalate(process)

    def _escalate(self, process):
        pid = self._workerPid
        ended = []
        process.ended.connect(lambda code: ended.append(code))
        self._later(TERMINATE_AFTER_S, lambda: None if ended else process.terminate())
        self._later(KILL_AFTER_S, lambda: None if ended else process.kill(pid))

    def _become(self, state):
        self.state = state
        self.changed.emit()
