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
