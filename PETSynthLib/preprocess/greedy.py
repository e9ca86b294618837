"""picsl-greedy, run in a child process that can be stopped at any time."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from ..progress import Progress
from ..volume import Affine, Volume

THREADS = 1
"""Greedy's sums over threads depend on which one comes first, and the same scan must give the
same result."""
TIME_LIMIT_S = 180.0


class GreedyFailed(Exception):
    """Greedy is missing or did not deliver; the message says why in a few words."""


def greedy_affine(fixed: Volume, moving: Volume, options: str, progress: Progress) -> Affine:
    """Affine registration by picsl-greedy.

    Parameters
    ----------
    fixed, moving
        Brain-only images.
    options
        Metric, initialisation and schedule as on greedy's command line.
    progress
        A cancel kills the child.

    Returns
    -------
    4x4, RAS mm of ``fixed`` to RAS mm of ``moving``.

    Raises
    ------
    GreedyFailed
        When the package is missing, the child crashed, or took too long.
    Cancelled
        When the user asked to stop.
    """
    if importlib.util.find_spec("picsl_greedy") is None:
        raise GreedyFailed("picsl-greedy is not installed")
    sent = io.BytesIO()
    np.savez(
        sent,
        fixed=fixed.data,
        fixed_affine=fixed.affine,
        moving=moving.data,
        moving_affine=moving.affine,
        options=np.array(f"{options} -threads {THREADS}"),
    )
    child = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.greedy_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(),
        # No console window flashes up on Windows.
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    forget = progress.on_cancel(child.kill)
    try:
        answer, _ = child.communicate(sent.getvalue(), timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired as problem:
        raise GreedyFailed(f"greedy took more than {TIME_LIMIT_S:.0f} s") from problem
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
        forget()
    progress.check()
    try:
        matrix = np.array(json.loads(answer)["matrix"], dtype=np.float64)
    except (ValueError, KeyError, TypeError) as problem:
        raise GreedyFailed(f"greedy ended with status {child.returncode}") from problem
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise GreedyFailed("greedy returned no affine")
    return matrix


def child_environment() -> dict[str, str]:
    """This process's environment, in which a child finds the same `PETSynthLib`."""
    package_root = Path(__file__).resolve().parents[2]
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(package_root), *([inherited] if inherited else [])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
