"""picsl-greedy, run in a child process that can be stopped at any time."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from ..volume import Affine, Volume

THREADS = 1
"""Greedy's sums over threads depend on which one comes first, and the same scan must give the
same result."""
TIME_LIMIT_S = 180.0
DEFORMABLE_LIMIT_S = 1800.0
"""A busy computer must not change the result: the affine takes 4 s, the deformation 15 s."""


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
    matrix = _answer(fixed, moving, options, progress, "matrix")
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise GreedyFailed("greedy returned no affine")
    return np.asarray(matrix, dtype=np.float64)


def greedy_deformation(
    fixed: Volume, moving: Volume, options: str, progress: Progress
) -> NDArray[np.float32]:
    """Deformable registration by picsl-greedy of images that an affine has laid on each other.

    Parameters and errors as `greedy_affine`.

    Returns
    -------
    (3, I, J, K) on the lattice of ``fixed``: what is added to a position of ``fixed`` to come to
    the same place in ``moving``, RAS mm.
    """
    field = _answer(fixed, moving, options, progress, "field")
    if field.shape != (3, *fixed.shape) or not np.isfinite(field).all():
        raise GreedyFailed("greedy returned no deformation")
    return np.asarray(field, dtype=np.float32)


def _answer(
    fixed: Volume, moving: Volume, options: str, progress: Progress, wanted: str
) -> NDArray[np.floating]:
    """What the child finds: ``"matrix"`` or ``"field"``."""
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
        deform=np.array(wanted == "field"),
    )
    limit = DEFORMABLE_LIMIT_S if wanted == "field" else TIME_LIMIT_S
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
        answer, _ = child.communicate(sent.getvalue(), timeout=limit)
    except subprocess.TimeoutExpired as problem:
        raise GreedyFailed(f"greedy took more than {limit:.0f} s") from problem
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
        forget()
    progress.check()
    try:
        with np.load(io.BytesIO(answer), allow_pickle=False) as found:
            return np.asarray(found[wanted])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise GreedyFailed(f"greedy ended with status {child.returncode}") from problem


def child_environment() -> dict[str, str]:
    """This process's environment, in which a child finds the same `PETSynthLib`."""
    package_root = Path(__file__).resolve().parents[2]
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(package_root), *([inherited] if inherited else [])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
