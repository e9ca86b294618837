"""From any exception to one sentence, one hint and an exit status; the trace goes to a log."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .. import __version__
from ..errors import ErrorCode, PETSynthError
from ..home import petsynth_home

_KEPT_LOGS = 20
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")


def explain(problem: BaseException) -> PETSynthError:
    """The error a person may see for any exception."""
    if isinstance(problem, PETSynthError):
        return problem
    words = str(problem).lower()
    if isinstance(problem, MemoryError) or any(w in words for w in _MEMORY_WORDS):
        return PETSynthError(
            ErrorCode.OUT_OF_MEMORY,
            "There is not enough memory for this run.",
            "Close other programs, choose fewer samples, or run on the CPU with --device cpu.",
        )
    return PETSynthError(
        ErrorCode.INTERNAL,
        f"PETSynth met a problem it did not expect ({type(problem).__name__}).",
        "Please report it with the log file and the text of: petsynth doctor.",
    )


def trace_of(problem: BaseException, private: Iterable[str] = ()) -> str:
    """The trace of an exception without the folders named by ``private`` input paths.

    Folders of a hospital's images often carry names of patients, and logs get posted.
    """
    text = "".join(traceback.format_exception(problem))
    given = [Path(p) for p in private]
    folders = {path.parent for p in given for path in (p, p.expanduser().absolute())}
    for folder in sorted((str(f) for f in folders if len(f.parts) > 1), key=len, reverse=True):
        text = text.replace(folder, "<folder>")
    return text


def write_trace(problem: BaseException, private: Iterable[str] = ()) -> Path | None:
    """Keep the trace in ``PETSYNTH_HOME/logs``; None when even that is impossible."""
    folder = petsynth_home() / "logs"
    file = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    head = f"PETSynth {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(head + trace_of(problem, private))
        for old in sorted(folder.glob("*.log"))[:-_KEPT_LOGS]:
            with suppress(OSError):
                old.unlink()
    except OSError:
        return None
    return file
