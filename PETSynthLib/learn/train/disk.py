"""A disk that refuses, in words: nothing is lost, and the run can be continued."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import ErrorCode, PETSynthError


def refused(what: str, problem: Exception) -> PETSynthError:
    """The error for a file of a run that could not be written."""
    # What torch says of a full disk is for programmers.
    words = getattr(problem, "strerror", None) or "is the disk full?"
    return PETSynthError(
        ErrorCode.BAD_OUTPUT,
        f"{what} could not be written ({words}).",
        "Free some space and continue with --resume; what was kept is intact.",
    )


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Inside, every refusal of the disk becomes `refused`.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT``.
    """
    try:
        yield
    except OSError as problem:
        raise refused(what, problem) from problem
