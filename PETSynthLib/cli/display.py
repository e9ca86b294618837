"""Progress on the terminal: a bar with the time left, or plain lines where there is none."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from ..run.events import Event, Stage, Step, Warn


class _TimeLeft(ProgressColumn):
    """Seconds left, counted down between two reports of the run."""

    def render(self, task: Task) -> Text:
        """Words for the time left of ``task``."""
        end = task.fields["end"]
        if end is None:
            return Text("")
        left = max(end - time.monotonic(), 0.0)
        return Text(f"{left:.0f} s left" if left >= 1.0 else "almost done")


class Display:
    """A sink of events that shows them on stderr (stdout belongs to the result).

    Parameters
    ----------
    silent
        Show nothing at all.
    console
        Where to draw, default: stderr.
    """

    def __init__(self, *, silent: bool, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, quiet=silent, highlight=False)
        self._bar = Progress(
            TextColumn("{task.fields[place]} {task.description}"),
            BarColumn(),
            _TimeLeft(),
            console=self._console,
            transient=True,
        )
        self._live = self._console.is_terminal and not silent
        self._started = time.monotonic()
        self._task = self._bar.add_task("Starting", total=1.0, place="", end=None)

    def __enter__(self) -> Display:
        self._started = time.monotonic()
        if self._live:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Stage):
            place = f"{event.index}/{event.count}"
            self._bar.update(self._task, description=event.label, place=place)
            if not self._live:
                self._print(f"{place} {event.label}")
        elif isinstance(event, Step):
            self._bar.update(self._task, end=time.monotonic() + event.eta_s)
        elif isinstance(event, Warn):
            self._print(f"Note: {event.text}")

    def tick(self) -> None:
        """Move the bar with the clock."""
        end = self._bar.tasks[0].fields["end"]
        if end is not None:
            now = time.monotonic()
            done = (now - self._started) / max(end - self._started, now - self._started, 1e-3)
            self._bar.update(self._task, completed=min(done, 0.99))

    def _print(self, text: str) -> None:
        # Square brackets in a file name are no markup; long sentences are not broken.
        self._console.print(text, markup=False, soft_wrap=True)
