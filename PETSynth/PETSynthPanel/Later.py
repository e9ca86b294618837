"""Calls from the event loop, after the present one has finished."""

import qt

_pending = set()
"""Timers that nobody else holds."""


def later(seconds, function):
    """Call ``function`` once after ``seconds``."""
    timer = qt.QTimer()
    timer.setSingleShot(True)

    def due():
        _pending.discard(timer)
        function()

    timer.connect("timeout()", due)
    _pending.add(timer)
    timer.start(round(seconds * 1000))


def soon(function):
    """Call ``function`` once, as soon as the event loop turns."""
    later(0.0, function)


class Steps:
    """Functions that run one after the other with a breath in between, in which Slicer is usable.

    Without the breath the event loop may take several of them for one turn.
    """

    BREATH_S = 0.02

    def __init__(self):
        self._waiting = []

    def add(self, *steps):
        """Let these run after those that wait already."""
        idle = not self._waiting
        self._waiting.extend(steps)
        if idle and self._waiting:
            later(self.BREATH_S, self._next)

    def clear(self):
        """Forget what has not run yet."""
        self._waiting = []

    def _next(self):
        if not self._waiting:
            return
        step = self._waiting[0]
        try:
            step()
        finally:
            # The step may have cleared the list.
            if self._waiting and self._waiting[0] is step:
                self._waiting.pop(0)
            if self._waiting:
                later(self.BREATH_S, self._next)
