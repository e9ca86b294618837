"""What a method computes before its first step, in the run's folder with the time that it took.

A run that was stopped before its first checkpoint finds it there: its preparation is not done
again, and still counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..methods.interface import TrainingMethod
from . import checkpoint

PREPARED = "prepared.pt"
_SECONDS = "seconds_of_preparing"


def prepare_once(run: Path, method: TrainingMethod, tell: Callable[[str, int, int], None]) -> float:
    """Compute and keep what ``method`` prepares, unless it is there.

    Returns
    -------
    Seconds that an earlier process spent on it; 0 when it was done now.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses; what `checkpoint.load` raises.
    """
    path = run / PREPARED
    if path.is_file():
        return float(checkpoint.load(path).get(_SECONDS, 0.0))
    started = time.perf_counter()
    facts = method.prepare(tell)
    checkpoint.save(path, {**facts, _SECONDS: time.perf_counter() - started})
    return 0.0


def read_prepared(run: Path) -> dict[str, Any]:
    """What the method prepared, for `TrainingMethod.use`."""
    facts = checkpoint.load(run / PREPARED)
    facts.pop(_SECONDS, None)
    return facts
