"""The report: the page as it is, and the same on paper."""

from __future__ import annotations

from pathlib import Path

from ...errors import ErrorCode, PETSynthError
from .. import marks
from ..finished import Finished
from .report_blocks import blocks_of
from .report_pdf import report_pdf


def write_report_files(finished: Finished, folder: Path) -> list[Path]:
    """Write the report as HTML, byte for byte, and as PDF.

    Parameters
    ----------
    finished
        A synthesis or a measurement.
    folder
        Existing folder.

    Returns
    -------
    The two files.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the report has no banner: none of ours leaves without.
    """
    html = finished.report.read_bytes()
    blocks = blocks_of(html.decode("utf-8"))
    if not blocks.banner:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "The report of this result does not say what the PET is.",
            "Run it again, with this release.",
        )
    page = folder / finished.file_name("report", ".html")
    page.write_bytes(html)
    title = marks.TITLE if finished.synthetic else marks.ACQUIRED_TITLE
    paper = folder / finished.file_name("report", ".pdf")
    paper.write_bytes(report_pdf(blocks, f"{title} - {finished.tracer.label}"))
    return [page, paper]
