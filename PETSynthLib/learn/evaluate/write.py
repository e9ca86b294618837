"""Writing a report: room is made sure of before anything is run, and all files change at once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import ErrorCode, PETSynthError
from ...run.staging import output_error
from ..tidy import Row, write_rows

FILES = ("metrics.csv", "summary.json", "report.html", "table.md")
NEEDED_MB = 100
"""Free space below which nothing is begun: the files of a large evaluation take 20 to 50 MB."""


def require_room(out: Path) -> None:
    """Make the folder and try it.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when it cannot be written or the disk is nearly full.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.write_bytes(b"?")
        probe.unlink()
        free = shutil.disk_usage(out).free
    except OSError as problem:
        raise output_error(out, problem) from problem
    if free < NEEDED_MB * 1e6:
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"There is not enough free disk space for the output folder {out}.",
            f"Free at least {NEEDED_MB} MB there, or give another folder with -o.",
        )


def write_files(out: Path, rows: Sequence[Row], texts: Mapping[str, str]) -> None:
    """Write ``metrics.csv`` and ``texts`` (name -> content) into ``out``, all or none.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses; what was there before is untouched.
    """
    staged = out / ".part"
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        write_rows(staged / "metrics.csv", rows)
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8")
        for path in sorted(staged.iterdir()):
            path.replace(out / path.name)
        staged.rmdir()
    except OSError as problem:
        raise output_error(out, problem) from problem
    finally:
        shutil.rmtree(staged, ignore_errors=True)
