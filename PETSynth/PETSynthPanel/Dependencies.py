"""What the worker needs in Slicer's own Python: looked up without importing, installed on consent.

Importing torch to see whether it is there can crash Slicer when it is only partly installed, hence
the look at its metadata. Whether it works is shown by a probe in a process of its own (`Probe`).
"""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass

import slicer

REQUIRED = ("nibabel", "Pillow")
"""Every model needs these."""
FOR_NETWORKS = ("safetensors",)
TORCH_REQUIREMENT = ">=2.6"
WITHOUT_DEPENDENCIES = ("deepbet>=1.0.2",)
"""deepbet asks for a toolkit of windows that only its own program needs; what its library needs
stands in ``requirements.txt``."""
DOWNLOAD_MB = 200
DISK_GB = 1
_LONGEST_PATH = 260
_LONGEST_INSIDE_TORCH = 165


class InstallError(Exception):
    """An installation failed; the text says why."""


@dataclass(frozen=True)
class Missing:
    """What a model needs and is not there.

    Attributes
    ----------
    torch
        Whether PyTorch is missing.
    broken
        Whether PyTorch is there in part only.
    packages
        Names of the other packages.
    """

    torch: bool = False
    broken: bool = False
    packages: tuple = ()

    @property
    def anything(self):
        """Whether a run cannot start."""
        return self.torch or self.broken or bool(self.packages)


def missingFor(model):
    """What Slicer's own Python lacks for ``model`` (`Models.Model`)."""
    names = [*REQUIRED, *(FOR_NETWORKS if model.needsTorch else ())]
    packages = tuple(name for name in names if version(name) is None)
    if not model.needsTorch:
        return Missing(packages=packages)
    return Missing(torch=version("torch") is None, broken=torchIsBroken(), packages=packages)


def version(package):
    """Version of an installed package by its metadata, or None; a damaged one has none."""
    try:
        return importlib.metadata.version(package) or None
    except importlib.metadata.PackageNotFoundError:
        return None


def torchIsBroken():
    """Whether files of PyTorch are there, but not all that belong to it."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ValueError, ImportError):
        return True
    # A folder without __init__.py is found as a namespace, which has no origin.
    found = spec is not None
    whole = found and spec.origin is not None
    return (found and not whole) or whole != (version("torch") is not None)


def freeGb(folder):
    """Free disk space in GB."""
    return shutil.disk_usage(folder).free / 1e9


def install(requirements, torch, wheelFolder=""):
    """Install what is missing; blocks Slicer while pip runs.

    Parameters
    ----------
    requirements
        Path of ``requirements.txt``.
    torch
        Whether PyTorch is to be installed too.
    wheelFolder
        Folder to install from without a network, or empty.

    Raises
    ------
    InstallError
        With the reason.
    """
    problem = pathProblem() if torch else ""
    if problem:
        raise InstallError(problem)
    try:
        if torch:
            _installTorch(wheelFolder)
        _installRequirements(requirements, wheelFolder)
        if torch:
            _pip(["--no-deps", *WITHOUT_DEPENDENCIES], wheelFolder)
    except subprocess.CalledProcessError as failure:
        raise InstallError(_reason(failure)) from failure
    except (OSError, RuntimeError, ValueError) as failure:
        raise InstallError(str(failure)) from failure
    importlib.invalidate_caches()


def _installTorch(wheelFolder):
    if wheelFolder:
        _pip([f"torch{TORCH_REQUIREMENT}"], wheelFolder)
        return
    try:
        import PyTorchUtils
    except ImportError as problem:
        raise InstallError(
            "the extension PyTorch is not there; install it in the Extensions Manager"
        ) from problem
    logic = PyTorchUtils.PyTorchUtilsLogic()
    # Also returns None when it did not install.
    if logic.installTorch(askConfirmation=False, torchVersionRequirement=TORCH_REQUIREMENT) is None:
        raise InstallError("the extension PyTorch did not install it")


def _installRequirements(path, wheelFolder):
    if hasattr(slicer, "packaging") and not wheelFolder:
        wanted = slicer.packaging.load_requirements(path)
        # The consent was given in the panel: no second question.
        slicer.packaging.pip_ensure(
            wanted, prompt_install=False, prompt_restart=False, requester="PETSynth"
        )
        return
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path given as text
        lines = [line.strip() for line in file]
    _pip([line for line in lines if line and not line.startswith("#")], wheelFolder)


def _pip(arguments, wheelFolder):
    offline = ["--no-index", "--find-links", wheelFolder] if wheelFolder else []
    slicer.util.pip_install([*offline, *arguments])


def repair():
    """Remove PyTorch so that it can be installed afresh after a restart."""
    try:
        slicer.util.pip_uninstall("torch")
    except subprocess.CalledProcessError as failure:
        raise InstallError(_reason(failure)) from failure


def _reason(failure):
    """The last line of pip's output that says what went wrong."""
    lines = [line.strip() for line in str(failure.output or "").splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or lines or [str(failure)])[-1].removeprefix("ERROR:").strip()


def pathProblem():
    """Why Windows could not store PyTorch's long file names here, or an empty string."""
    folder = importlib.util.find_spec("pip")
    where = str(folder.origin if folder and folder.origin else sys.prefix)
    site = where.rsplit("pip", 1)[0]
    if sys.platform == "win32" and len(site) + _LONGEST_INSIDE_TORCH > _LONGEST_PATH:
        return (
            f"Windows allows {_LONGEST_PATH} characters in a path and Slicer's folder already has "
            f"{len(site)}: install Slicer into a shorter folder"
        )
    return ""
