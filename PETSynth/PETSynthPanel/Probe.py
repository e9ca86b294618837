"""Asks a worker, in a process of its own, what its Python can compute on."""

import json

from slicer.i18n import tr as _

from PETSynthLib.errors import PETSynthError
from PETSynthLib.run import events

from .Log import Log
from .Signal import Signal

PROBE = {"op": "run", "request": {"version": 1, "kind": "probe"}}
PATIENCE_S = 120.0


class Probe:
    """One question. ``answered(report, sentence)``: the report, or None and why there is none.

    Parameters
    ----------
    makeProcess, later
        As in `Controller.Controller`.
    """

    def __init__(self, makeProcess, later):
        self.answered = Signal()
        self.log = Log()
        self._later = later
        self._process = makeProcess()
        self._open = True
        self._process.lineReceived.connect(self._onLine)
        self._process.logReceived.connect(self.log.add)
        self._process.ended.connect(self._onEnded)
        self._process.startFailed.connect(lambda reason: self._end(None, reason))

    def ask(self, command):
        """Start the worker ``command`` (without ``--job``) and ask it."""
        self._process.start(command)
        self._process.send(json.dumps(PROBE).encode() + b"\n")
        self._later(PATIENCE_S, self.stop)

    def stop(self):
        """Give up."""
        if self._open:
            self._process.kill(None)
            self._end(None, _("it did not answer"))

    def _onEnded(self, code):
        self._end(None, _("it ended with exit {code}").format(code=code))

    def _onLine(self, line):
        try:
            event = events.from_line(line)
        except PETSynthError as problem:
            self._end(None, problem.text)
            return
        if isinstance(event, events.Result):
            self._end(event.report, "")
        elif isinstance(event, events.Failure):
            self._end(None, event.text)

    def _end(self, report, sentence):
        if self._open:
            self._open = False
            self.answered.emit(report, sentence)


def sentenceOf(report):
    """A probe's report in a few words, e.g. ``PyTorch 2.8.0 on cuda:0, cpu``."""
    if report.get("torch") is None:
        return _("no PyTorch")
    devices = ", ".join(report["devices"]) or _("no device")
    works = _("PyTorch {version} on {devices}").format(version=report["torch"], devices=devices)
    fails = _("{device} does not work ({reason})")
    broken = report.get("broken", {}).items()
    return "; ".join([works, *(fails.format(device=name, reason=why) for name, why in broken)])
