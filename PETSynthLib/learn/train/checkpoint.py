"""Checkpoints: written whole or not at all, read as numbers only, never as code."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from ...errors import ErrorCode, PETSynthError
from .disk import refused

LAST = "last.pt"
PREVIOUS = "previous.pt"
"""The checkpoint before the last: what is left when the last is lost with its disk block."""


def save(path: Path, state: dict[str, Any], before: Path | None = None) -> None:
    """Write ``state`` (nested tables of tensors, numbers, text) so that no half file is seen.

    Parameters
    ----------
    before
        What becomes of the file that was at ``path``; None: it is replaced.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses; the file at ``path`` stays.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        if before is not None and path.exists():
            path.replace(before)
        part.replace(path)
    except (OSError, RuntimeError) as problem:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise refused(f"The checkpoint {path.name}", problem) from problem


def save_last(run: Path, state: dict[str, Any]) -> None:
    """Write the checkpoint to resume from and keep the one before it."""
    save(run / LAST, state, before=run / PREVIOUS)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote.

    Raises
    ------
    PETSynthError
        ``TRAINING`` when the file is damaged, no checkpoint, or holds anything but numbers.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError("no table of tensors")
    except Exception as problem:  # a damaged file may raise anything
        raise PETSynthError(
            ErrorCode.TRAINING, f"The checkpoint {path.name} is damaged.", _hint(path)
        ) from problem
    return state


def resume_point(run: Path) -> dict[str, Any] | None:
    """The state to resume from, or None when there is none yet.

    After a loss of power between two renames only the checkpoint before the last is there.
    """
    for name in (LAST, PREVIOUS):
        if (run / name).is_file():
            return load(run / name)
    return None


def _hint(path: Path) -> str:
    if path.name == LAST and (path.parent / PREVIOUS).is_file():
        return f"Delete it and run again with --resume: {PREVIOUS} is then taken."
    return "Start a new run in another folder."
