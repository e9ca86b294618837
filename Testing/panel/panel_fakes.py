"""Stand-ins for what a run needs: a process that says what a test wants, a clock moved by hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from PETSynthLib.run import events


class FakeProcess:
    """Fulfils `Controller.Process`; the test plays the worker."""

    def __init__(self) -> None:
        from PETSynthPanel.Signal import Signal

        self.lineReceived, self.logReceived = Signal(), Signal()
        self.ended, self.startFailed = Signal(), Signal()
        self.command: Any = None
        self.sent: list[bytes] = []
        self.terminated = self.killed = False
        self.killedPid: int | None = None
        self.alive = False
        self.endsOnCancel = True

    def start(self, command: Any) -> None:
        self.command, self.alive = command, True

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def terminate(self) -> None:
        self.terminated = True

    def kill(self, workerPid: int | None = None) -> None:
        self.killed, self.killedPid = True, workerPid
        self.end(-9)

    def waitForEnd(self, seconds: float) -> bool:
        if self.alive and self.endsOnCancel and self.sent:
            self.say(events.Stopped())
            self.end(3)
        return not self.alive

    # --- what the test makes it do --------------------------------------------------------------
    def say(self, *said: events.Event) -> None:
        """Send protocol lines."""
        for event in said:
            self.lineReceived.emit(events.to_line(event))

    def hello(self, pid: int = 4711) -> None:
        """The first line of a worker."""
        self.say(events.Hello(events.PROTOCOL_VERSION, "0.1.0", "3.12.10", "2.8.0", pid))

    def end(self, code: int) -> None:
        """The process ends."""
        if self.alive:
            self.alive = False
            self.ended.emit(code)


def resultEvent(folder: Path, seconds: float = 24.0) -> events.Result:
    """The event that announces ``result.json`` in ``folder``."""
    content = (folder / "result.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return events.Result(str(folder / "result.json"), digest, seconds, 900.0)


class Clock:
    """Time moved by hand; also calls what was asked for later."""

    def __init__(self) -> None:
        self.time = 100.0
        self._calls: list[tuple[float, Any]] = []

    def now(self) -> float:
        return self.time

    def later(self, seconds: float, function: Any) -> None:
        self._calls.append((self.time + seconds, function))

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due is called in order."""
        self.time += seconds
        while due := sorted((c for c in self._calls if c[0] <= self.time), key=lambda c: c[0]):
            self._calls.remove(due[0])
            due[0][1]()


class PanelUnderTest:
    """A panel whose processes are `FakeProcess`.

    Attributes
    ----------
    ui, widget, panel, controller, parameters
        Of the module.
    processes
        Every process that was made, the last one at the end.
    """

    def __init__(self, host: Any, module: Any) -> None:
        self.host, self.module = host, module
        self.ui, self.widget = module.ui, module.widget
        self.panel = module.widget.panel
        self.controller = self.panel.controller
        self.processes: list[FakeProcess] = []
        self.controller.makeProcess = self._make
        # A click in a test comes at once; `TestClicks` looks at the pause itself.
        self.panel.runArea._now = iter(range(0, 10**9, 10)).__next__

    def _make(self) -> FakeProcess:
        self.processes.append(FakeProcess())
        return self.processes[-1]

    @property
    def parameters(self) -> Any:
        return self.panel.context.parameters

    @property
    def process(self) -> FakeProcess:
        """The last process."""
        return self.processes[-1]

    @property
    def request(self) -> dict[str, Any]:
        """What the last worker was asked for."""
        arguments = self.process.command.arguments
        path = Path(arguments[arguments.index("--job") + 1])
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return body

    def chooseHead(self, name: str = "Head T1w", **place: Any) -> Any:
        """A made-up head becomes the T1w."""
        import slicer
        from head import Head

        self.head = Head(**place)
        node = self.head.node(slicer.mrmlScene, name)
        self.ui.t1wSelector.setCurrentNode(node)
        # A small head of big voxels: what the quick look says of it does not matter here.
        self.parameters.input.overridden = "coverage"
        return node

    def run(self) -> FakeProcess:
        """Click Synthesize; the worker says hello."""
        self.ui.runButton.click()
        self.process.hello()
        return self.process

    def finish(self, key: str = "fdg", **more: Any) -> Any:
        """The worker writes a result and announces it; returns the PET in the scene."""
        folder = Path(self.request["output"])
        self.head.result(folder, key, **more)
        body = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        body["total_seconds"] = 24.0
        (folder / "result.json").write_text(json.dumps(body), encoding="utf-8")
        self.process.say(resultEvent(folder))
        self.process.end(0)
        self.host.waitUntil(lambda: not self.controller.busy, 30, "the import")
        return self.parameters.view.result

    def message(self) -> str:
        """Text of the message box without its tags; empty when it is hidden."""
        if self.controller.notice is None:
            return ""
        return str(self.controller.notice.text)
