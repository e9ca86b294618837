"""The worker's log as the panel keeps it: the last 256 kB, each line with its time."""

import time

LIMIT = 256 * 1024


class Log:
    """Lines of text; the oldest go first."""

    def __init__(self, clock=lambda: time.strftime("%H:%M:%S")):
        self._clock = clock
        self._lines = []
        self._size = 0

    def add(self, text):
        """Add a text of one or more lines."""
        stamp = self._clock()
        for line in str(text).splitlines():
            if line.strip():
                self._lines.append(f"{stamp} {line[:2000]}")
                self._size += len(self._lines[-1]) + 1
        while self._size > LIMIT:
            self._size -= len(self._lines.pop(0)) + 1

    def clear(self):
        """Forget everything."""
        self._lines, self._size = [], 0

    @property
    def text(self):
        """All lines."""
        return "\n".join(self._lines)
