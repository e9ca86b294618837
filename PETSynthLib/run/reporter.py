"""The library's `Progress` of a real run: turns calls into events and cancels into exceptions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..checks import Finding, Verdict
from ..progress import STAGES
from ..volume import PetVolume
from .cancellation import Cancellation
from .events import Event, Preview, Stage, Step, Warn
from .timing import StageClock

Sink = Callable[[Event], None]


class Reporter:
    """Implements `PETSynthLib.progress.Progress`.

    Parameters
    ----------
    sink
        Where events go: a worker's stdout, a progress bar, a test's list.
    cancellation
        The switch that stops the run.
    clock
        Measures the stages and foretells the rest.
    write_preview
        Writes a preview volume to a file, or None when nobody would look at it.
    stages
        Stages of the run in order: key and words.
    """

    def __init__(
        self,
        sink: Sink,
        cancellation: Cancellation,
        clock: StageClock,
        write_preview: Callable[[PetVolume], Path] | None = None,
        stages: tuple[tuple[str, str], ...] = STAGES,
    ) -> None:
        self._sink = sink
        self._cancellation = cancellation
        self._clock = clock
        self._write_preview = write_preview
        self._places = {key: (label, n) for n, (key, label) in enumerate(stages, start=1)}
        self._stage = stages[0][0]
        self.findings: list[Finding] = []

    def stage(self, key: str) -> None:
        """A stage begins."""
        self.check()
        self._stage = key
        self._clock.begin(key)
        label, index = self._places[key]
        self._sink(Stage(key, label, index, len(self._places)))
        self.step(0, 1)

    def step(self, done: int, total: int) -> None:
        """``done`` of ``total`` steps of the stage are finished; may raise `Cancelled`."""
        self.check()
        eta = self._clock.eta(done / total if total > 0 else 0.0)
        self._sink(Step(self._stage, done, total, round(eta, 1)))

    def finding(self, finding: Finding) -> None:
        """A check was made; amber ones are told at once (a red one ends the run by itself)."""
        self.findings.append(finding)
        if finding.verdict is Verdict.AMBER:
            self._sink(Warn(finding.name, finding.sentence, finding.value))

    def preview(self, volume: PetVolume) -> None:
        """A first look at the emerging PET, on the template grid."""
        self.check()
        if self._write_preview is not None:
            self._sink(Preview(str(self._write_preview(volume))))

    def check(self) -> None:
        """Raise `Cancelled` when the user asked to stop."""
        self._cancellation.check()

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        """Run ``action`` on cancel; returns a function to forget it."""
        return self._cancellation.on_cancel(action)
