"""A signal without Qt: plain Python objects cannot carry ``qt.Signal`` in Slicer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Slot = Callable[..., Any]


class Signal:
    """Calls its slots in the order in which they were connected."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []

    def connect(self, slot: Slot) -> None:
        """Call ``slot`` at each `emit`."""
        self._slots.append(slot)

    def disconnect(self, slot: Slot) -> None:
        """Forget ``slot``; one that is not connected is no error."""
        if slot in self._slots:
            self._slots.remove(slot)

    def emit(self, *values: Any) -> None:
        """Call every slot; a slot may disconnect itself."""
        for slot in list(self._slots):
            slot(*values)
