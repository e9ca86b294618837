"""How the walk tells where it is, and how it learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from .checks import Finding, Verdict, as_overridden, overridable
from .errors import ErrorCode, PETSynthError
from .volume import PetVolume

STAGES: tuple[tuple[str, str], ...] = (
    ("read", "Reading the images"),
    ("preprocess", "Preparing the MRI"),
    ("generate", "Generating the PET"),
    ("restore", "Returning to the scanner's space"),
    ("warp", "Bending the atlas onto the MRI"),
    ("quantify", "Measuring regions"),
    ("export", "Writing the results"),
)
"""Stages of a synthesis in order: key and the words for it."""


QUANTIFY_STAGES: tuple[tuple[str, str], ...] = (
    ("read", "Reading the images"),
    ("preprocess", "Preparing the MRI"),
    ("align", "Laying the PET on the MRI"),
    ("warp", "Bending the atlas onto the MRI"),
    ("quantify", "Measuring regions"),
    ("export", "Writing the results"),
)
"""Stages of a measurement of a PET."""

PROJECT_STAGES: tuple[tuple[str, str], ...] = (
    ("read", "Reading the images"),
    ("project", "Laying the PET on the surface"),
    ("export", "Drawing the pages"),
)
"""Stages of a surface projection."""


EXPORT_STAGES: tuple[tuple[str, str], ...] = (
    ("read", "Reading the result"),
    ("nifti", "Writing NIfTI"),
    ("nrrd", "Writing NRRD"),
    ("bids", "Writing BIDS"),
    ("labelmap", "Writing the regions"),
    ("csv", "Writing the table"),
    ("report", "Writing the report"),
    ("dicom", "Writing DICOM"),
)
"""Stages of an export; of the formats only those that were asked for."""


class Progress(Protocol):
    """Where the library reports to. Implementations: worker, command line, tests."""

    def stage(self, key: str) -> None:
        """A stage of `STAGES` (or of another kind of run) begins."""

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


class CheckList(list[Finding]):
    """Findings that are reported as they are made; a red one ends the run.

    A red one that the user overrode is amber instead, and says so.

    Parameters
    ----------
    progress
        Is told each.
    overridden
        Names of the checks whose red light the user overrode.
    """

    def __init__(self, progress: Progress, overridden: Collection[str]) -> None:
        super().__init__()
        self._progress = progress
        self._overridden = overridden

    def add(self, findings: list[Finding], code: ErrorCode, hint: str) -> None:
        """Report ``findings``; a red one is raised as an error with ``code`` and ``hint``."""
        for made in findings:
            finding = as_overridden(made, self._overridden)
            self.append(finding)
            self._progress.finding(finding)
            if finding.verdict is Verdict.RED:
                check = finding.name if overridable(finding.name) else ""
                raise PETSynthError(code, finding.sentence, hint, check)
