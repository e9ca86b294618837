"""A finished result in the formats of other programs: one writer a format, one folder each.

Every writer takes its marks from `export.marks`, reads the result through `export.finished` alone
and asks `export.policy` what may leave. DICOM has a folder of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...progress import Progress
from ..finished import Finished
from .bids import write_bids
from .csv_table import write_csv
from .labelmap import write_labelmap
from .nifti import write_nifti
from .nrrd import write_nrrd_volumes
from .report import write_report_files

__all__ = ["WRITERS", "Destination"]


@dataclass(frozen=True)
class Destination:
    """Where a format's files go.

    Attributes
    ----------
    folder
        New, empty folder to write into.
    final
        Where that folder will lie when the run is over.
    subject
        BIDS label of the person that the user gave; empty for the T1's own.
    deidentified
        Whether nothing that leaves may tell who the person is.
    """

    folder: Path
    final: Path
    subject: str = ""
    deidentified: bool = False


Writer = Callable[[Finished, Destination, Progress], list[Path]]
"""Writes one format; returns the files."""

WRITERS: Mapping[str, Writer] = {
    "nifti": lambda finished, to, progress: write_nifti(finished, to.folder, progress),
    "nrrd": lambda finished, to, progress: write_nrrd_volumes(finished, to.folder, progress),
    "bids": lambda finished, to, progress: write_bids(
        finished, to.folder, to.final, to.subject, to.deidentified, progress
    ),
    "labelmap": lambda finished, to, progress: write_labelmap(finished, to.folder),
    "csv": lambda finished, to, progress: write_csv(finished, to.folder),
    "report": lambda finished, to, progress: write_report_files(finished, to.folder),
}
"""Format -> writer."""
