"""Which Python runs the worker, and in which environment."""

import os
import shutil
import sys
from pathlib import Path

import PETSynthLib

from .Controller import Command

_OF_SLICER = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables with which Slicer's own packages would get into a foreign Python."""


def libraryFolder():
    """The folder that holds the package ``PETSynthLib``."""
    return Path(PETSynthLib.__file__).resolve().parents[1]


def slicerPython():
    """The Python that comes with Slicer: its launcher, which sets the libraries' paths."""
    return shutil.which("PythonSlicer") or sys.executable


def workerCommand(python, arguments, startupEnvironment):
    """How to start the worker.

    Parameters
    ----------
    python
        A Python of the user's own, or empty for Slicer's.
    arguments
        Of the worker, e.g. ``("--job", "request.json")``.
    startupEnvironment
        The environment Slicer itself was started in; used for a Python of the user's own.
    """
    if python:
        environment = {k: v for k, v in startupEnvironment.items() if k not in _OF_SLICER}
        environment["PYTHONNOUSERSITE"] = "1"
    else:
        environment = dict(os.environ)
    # Behind what is there: nothing of ours may hide a package of the interpreter's.
    paths = [environment.get("PYTHONPATH"), str(libraryFolder())]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    environment.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    flags = ("-X", "utf8", "-u", "-m", "PETSynthLib.run.worker")
    return Command(python or slicerPython(), (*flags, *arguments), environment)
