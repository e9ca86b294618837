"""How the walk tells where it is, and how it learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .checks import Finding
from .volume import PetVolume

STAGES: tuple[tuple[str, str], ...] = (
    ("read", "Reading the images"),
    ("preprocess", "Preparing the MRI"),
    ("generate", "Generating the PET"),
    ("restore", "Returning to the scanner's space"),
    ("quantify", "Measuring regions"),
    ("export", "Writing the results"),
)
"""Stages of a synthesis in order: key and the words for it."""


class Progress(Protocol):
    """Where the library reports to. Implementations: worker, command line, tests."""

    def stage(self, key: str) -> None:
        """A stage of `STAGES` begins."""

    def step(self, done: int, total: int) -> None:
        """``done`` of ``total`` steps of the current stage are finished; may raise `Cancelled`."""

    def finding(self, finding: Finding) -> None:
        """A check was made."""

    def preview(self, volume: PetVolume) -> None:
        """A first look at the emerging PET, on the template grid."""

    def check(self) -> None:
        """Raise `Cancelled` when the user asked to stop."""

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        """Run ``action`` (e.g. kill a child process) on cancel; returns a function to forget it."""


class Silent:
    """A `Progress` that tells nobody and never stops; collects the findings."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def stage(self, key: str) -> None:
        """Ignore."""

    def step(self, done: int, total: int) -> None:
        """Ignore."""

    def finding(self, finding: Finding) -> None:
        """Collect."""
        self.findings.append(finding)

    def preview(self, volume: PetVolume) -> None:
        """Ignore."""

    def check(self) -> None:
        """Never stop."""

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        """Nothing to forget."""
        return lambda: None
