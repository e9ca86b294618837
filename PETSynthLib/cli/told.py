"""Progress of a long command that says what it is doing: ``told(words, done, total)``."""

from __future__ import annotations


class Told:
    """Progress on stderr: a bar on a terminal, a line a step elsewhere."""

    def __init__(self, *, silent: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._console = Console(stderr=True, quiet=silent, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("Starting", total=1)
        self._live = self._console.is_terminal and not silent
        self._said = ""

    def __enter__(self) -> Told:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._live:
            self._bar.stop()

    def __call__(self, words: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=words, completed=done, total=total)
        if not self._live and words != self._said:
            self._console.print(words, markup=False, soft_wrap=True)
        self._said = words
