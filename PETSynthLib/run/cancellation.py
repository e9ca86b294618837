"""One switch between whoever asks a run to stop and the run itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..errors import Cancelled

Action = Callable[[], object]
PATIENCE_S = 0.5
"""How long a run may take to notice a cancel before its process is ended around it."""


class Cancellation:
    """Asked by one thread, noticed by the other.

    Three moments need care. While a native library holds the run's thread, it cannot notice:
    `stop` then gives up waiting and cleans up in its place. During the final move of the
    results, stopping would leave half of them: `commit` shuts the switch. And a run has exactly
    one end: whoever wins `claim_end` tells about it.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.RLock()
        self._too_late = False
        self._actions: dict[int, Action] = {}
        self._debris: list[Action] = []
        self._next = 0

    @property
    def asked(self) -> bool:
        """Whether somebody asked to stop, in time."""
        return self._asked.is_set()

    def check(self) -> None:
        """Raise `Cancelled` when somebody asked to stop."""
        if self.asked:
            raise Cancelled

    def on_cancel(self, action: Action) -> Callable[[], None]:
        """Run ``action`` when somebody asks to stop; returns a function to forget it.

        An action that comes after the asking runs at once: a child process started in that very
        moment is killed as well.
        """
        with self._lock:
            key, self._next = self._next, self._next + 1
            self._actions[key] = action
            late = self.asked
        if late:
            action()
        return lambda: self._forget(key)

    def _forget(self, key: int) -> None:
        with self._lock:
            self._actions.pop(key, None)

    def on_abandon(self, action: Action) -> None:
        """Run ``action`` when a run that did not notice the cancel has to be abandoned."""
        self._debris.append(action)

    def ask(self) -> bool:
        """Ask to stop. False when the results are already in place and it is too late."""
        with self._lock:
            if self._too_late:
                return False
            self._asked.set()
            actions = list(self._actions.values())
        for action in actions:
            with suppress(Exception):  # one child that is gone must not save the others
                action()
        return True

    @contextmanager
    def commit(self) -> Iterator[None]:
        """The final move of the results: cannot begin after a cancel, nor be cancelled."""
        with self._lock:
            self.check()
            yield
            self._too_late = True

    def claim_end(self) -> bool:
        """True for the first caller: it alone may tell how the run ended."""
        with self._lock:
            first = not self._ended.is_set()
            self._ended.set()
            return first

    def stop(self, patience_s: float = PATIENCE_S) -> bool:
        """Ask to stop and wait; clean up and return True when the run must be abandoned.

        After True the caller has to end the process: the run's thread still hangs in native code.
        """
        if not self.ask() or self._ended.wait(patience_s) or not self.claim_end():
            return False
        for action in self._debris:
            with suppress(Exception):
                action()
        return True
