"""Everything a bug report needs to say about a computer."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import PETSynthError
from ..generate import list_bundles, verify_bundle
from ..home import petsynth_home
from .events import Result
from .memory import available_memory_mb, free_disk_mb, peak_memory_mb, total_memory_mb

PACKAGES = ("numpy", "scipy", "SimpleITK", "nibabel", "Pillow", "typer", "rich")
OPTIONAL = {
    "torch": "runs trained models",
    "safetensors": "reads their weights",
    "deepbet": "brain mask",
    "picsl-greedy": "alignment",
}
"""Packages that may be absent, with what they are for."""
_VARIABLES = ("PETSYNTH_HOME", "PETSYNTH_LOG", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")


def computer() -> dict[str, str]:
    """Versions, memory, disk and settings; imports nothing heavy."""
    home = petsynth_home()
    facts = {
        "PETSynth": f"{__version__} in {Path(__file__).resolve().parents[1]}",
        "Python": f"{platform.python_version()} ({platform.architecture()[0]}) {sys.executable}",
        "System": f"{platform.platform()}, {platform.machine()}",
        "Processors": str(os.cpu_count()),
        "Memory": f"{total_memory_mb() / 1000:.1f} GB, "
        f"{available_memory_mb() / 1000:.1f} GB available",
        "Disk free": f"{_free_gb(Path.cwd())} here, {_free_gb(home)} in PETSYNTH_HOME",
        "PETSYNTH_HOME": f"{home}{'' if home.is_dir() else ' (not there yet)'}",
        "Encoding": f"{locale.getpreferredencoding(False)}, files {sys.getfilesystemencoding()}",
    }
    if set_ones := [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ]:
        facts["Environment"] = " ".join(set_ones)
    facts["Packages"] = ", ".join(f"{name} {_version(name) or 'MISSING'}" for name in PACKAGES)
    for name, purpose in OPTIONAL.items():
        facts[name] = _version(name) or f"not installed ({purpose})"
    return facts


def bundles() -> dict[str, str]:
    """Every bundle with version and digest, or what is wrong with it."""
    found = {}
    for folder in list_bundles():
        try:
            bundle = verify_bundle(folder)
            found[bundle.name] = f"{bundle.version} sha256 {bundle.sha256}"
        except PETSynthError as problem:
            found[folder.name] = f"DAMAGED: {problem.text}"
    return found


def probe(body: Mapping[str, Any]) -> Result:
    """Answer of a ``probe`` request: on what torch has computed. Runs in a worker.

    ``devices`` are those that gave the right answer to a small convolution; ``broken`` says of the
    others why not.

    Raises
    ------
    ImportError
        Of a torch that is installed but broken.
    """
    started = time.perf_counter()
    report = _torch_report() if _version("torch") else {"torch": None, "devices": ["cpu"]}
    return Result("", "", round(time.perf_counter() - started, 2), peak_memory_mb(), report)


def _torch_report() -> dict[str, Any]:
    # The lazy import keeps this folder free of torch; only generate/ knows it.
    from ..generate.device import available_devices, place, why_not

    problems = {name: why_not(name) for name in available_devices()}
    placements = {name: place(name).as_dict() for name in problems}
    return {
        "torch": placements["cpu"]["torch"],
        "devices": [name for name, problem in problems.items() if not problem],
        "placements": placements,
        "broken": {name: problem for name, problem in problems.items() if problem},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _free_gb(path: Path) -> str:
    free = free_disk_mb(path)
    return f"{free / 1000:.1f} GB" if free else "unknown"
