"""A worker process by ``qt.QProcess``: lines in, signals out, and an end that is certain."""

import qt

from .ProcessTree import killTree
from .Signal import Signal

LONGEST_LINE = 1 << 20
"""Bytes; what is longer is no protocol line."""

_alive = set()
"""Runners whose process still runs: nobody else may hold them once a run is cancelled."""


def endAll(seconds=1.0):
    """Leave no process when the panel goes; one that has said its last word may still be ending.

    Parameters
    ----------
    seconds
        What each gets to end by itself before it is killed.
    """
    for runner in list(_alive):
        if not runner.waitForEnd(seconds):
            runner.kill()
            runner.waitForEnd(seconds)


class ProcessRunner:
    """One process. Fulfils `Controller.Process`."""

    def __init__(self):
        self.lineReceived = Signal()
        self.logReceived = Signal()
        self.ended = Signal()
        self.startFailed = Signal()
        self._buffer = b""
        process = qt.QProcess()
        process.setProcessChannelMode(qt.QProcess.SeparateChannels)
        process.connect("readyReadStandardOutput()", self._onOutput)
        process.connect("readyReadStandardError()", self._onError)
        process.connect("finished(int,QProcess::ExitStatus)", self._onFinished)
        process.connect("errorOccurred(QProcess::ProcessError)", self._onProblem)
        self._process = process

    def start(self, command):
        """Start ``command`` (`Controller.Command`)."""
        environment = qt.QProcessEnvironment()
        for name, value in command.environment.items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        _alive.add(self)
        self._process.start(command.program, list(command.arguments))

    def send(self, data):
        """Write to the process; one that has ended is no error."""
        if self._running():
            self._process.write(data)

    def terminate(self):
        """Ask the system to end the process."""
        if self._running():
            self._process.terminate()

    def kill(self, workerPid=None):
        """End the process and all below it; ``workerPid`` is the worker's own, when known."""
        if self._running():
            killTree([workerPid, int(self._process.processId())])
            self._process.kill()

    def waitForEnd(self, seconds):
        """Whether the process ended within ``seconds``."""
        return not self._running() or bool(self._process.waitForFinished(round(seconds * 1000)))

    def _running(self):
        return self._process.state() != qt.QProcess.NotRunning

    def _onOutput(self):
        self._buffer += self._process.readAllStandardOutput().data()
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > LONGEST_LINE:
            lines, self._buffer = [*lines, self._buffer], b""
        for line in lines:
            if line.strip():
                self.lineReceived.emit(line)

    def _onError(self):
        self.logReceived.emit(
            self._process.readAllStandardError().data().decode("utf-8", "replace")
        )

    def _onFinished(self, exitCode, exitStatus):
        self._onOutput()
        self._onError()
        _alive.discard(self)
        self.ended.emit(exitCode)

    def _onProblem(self, problem):
        if problem == qt.QProcess.FailedToStart:
            _alive.discard(self)
            self.startFailed.emit(self._process.errorString())
