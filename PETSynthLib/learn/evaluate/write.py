"""Writing a report: room is made sure of before anything is run, and no file is changed alone."""

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
    """Write ``metrics.csv`` and ``texts`` (name -> content) into ``out``.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses, or a program holds a file open that is replaced; what
        was there before is then there again. Only a process that is killed between two renames
        leaves a mixture of both reports.
    """
    staged = out / ".part"
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        write_rows(staged / "metrics.csv", rows)
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8")
        _replace(out, sorted(staged.iterdir()), staged / "before")
    except OSError as problem:
        raise output_error(out, problem) from problem
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _replace(out: Path, files: Sequence[Path], before: Path) -> None:
    """Move ``files`` into ``out``; when one cannot be moved, the old ones come back."""
    before.mkdir()
    try:
        for path in files:
            if (out / path.name).exists():
                (out / path.name).replace(before / path.name)
            path.replace(out / path.name)
    except OSError:
        for path in files:
            if (before / path.name).exists():
                (before / path.name).replace(out / path.name)
            elif not path.exists():  # it was moved, and there was none before
                (out / path.name).unlink()
        raise
