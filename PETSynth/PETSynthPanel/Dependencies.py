"""What the worker needs in Slicer's own Python: looked up without importing, installed on consent.

Importing torch to see whether it is there can crash Slicer when it is only partly installed, hence
the look at its metadata. Whether it works is shown by a probe in a process of its own (`Probe`).
"""

import contextlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import slicer
from slicer.i18n import tr as _

REQUIRED = ("nibabel", "Pillow")
"""Every model needs these."""
FOR_NETWORKS = ("safetensors",)
TORCH_REQUIREMENT = ">=2.6"
WITHOUT_DEPENDENCIES = ("deepbet>=1.0.2",)
"""deepbet asks for a toolkit of windows that only its own program needs; what its library needs
stands in ``requirements.txt``."""
DICOM = ("pydicom>=3.0.1", "highdicom>=0.28")
"""The library's extra of that name; only an export to DICOM needs it."""
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
    if spec is None or spec.origin is None:
        # A folder without __init__.py is found as a namespace, which has no origin.
        return spec is not None or version("torch") is not None
    if version("torch") is None:
        return True
    # The list of its files is the last thing pip writes.
    return importlib.metadata.distribution("torch").read_text("RECORD") is None


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


def lacksDicom():
    """Whether Slicer's own Python lacks what writes DICOM."""
    return any(version(wanted.partition(">=")[0]) is None for wanted in DICOM)


def installDicom(wheelFolder=""):
    """Install what writes DICOM; parameters and errors as `install`."""
    try:
        _pip(DICOM, wheelFolder)
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
            _("the extension PyTorch is not there; install it in the Extensions Manager")
        ) from problem
    logic = PyTorchUtils.PyTorchUtilsLogic()
    # Also returns None when it did not install.
    if logic.installTorch(askConfirmation=False, torchVersionRequirement=TORCH_REQUIREMENT) is None:
        raise InstallError(_("the extension PyTorch did not install it"))


def _installRequirements(path, wheelFolder):
    if hasattr(slicer, "packaging") and not wheelFolder:
        wanted = slicer.packaging.load_requirements(path)
        # The consent was given in the panel: no second question.
        slicer.packaging.pip_ensure(
            wanted, prompt_install=False, prompt_restart=False, requester="PETSynth"
        )
        return
    _pip(_requirements(path), wheelFolder)


def _requirements(path):
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def downloadCommands(requirements):
    """Commands that fill a wheel folder, for a computer of the same system that has a network.

    Parameters
    ----------
    requirements
        Path of ``requirements.txt``.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pip = f"pip download --only-binary :all: --python-version {version} -d wheels"
    wanted = [f"torch{TORCH_REQUIREMENT}", *_requirements(requirements), *DICOM]
    kinds = (("", wanted), ("--no-deps ", WITHOUT_DEPENDENCIES))
    # Double quotes mean the same to the shells of every system.
    return [f"{pip} {flag}" + " ".join(f'"{name}"' for name in names) for flag, names in kinds]


def _pip(arguments, wheelFolder):
    offline = ["--no-index", "--find-links", wheelFolder] if wheelFolder else []
    slicer.util.pip_install([*offline, *arguments])


def repair():
    """Remove PyTorch so that it can be installed afresh after a restart.

    Raises
    ------
    InstallError
        When files of it cannot be removed.
    """
    # pip removes only what it has a list of; the rest of a broken installation is ours to remove.
    with contextlib.suppress(subprocess.CalledProcessError):
        slicer.util.pip_uninstall("torch")
    site = Path(siteFolder())
    for folder in (site / "torch", *site.glob("torch-*.dist-info")):
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
        except OSError as problem:
            text = _("{folder} cannot be removed ({reason})")
            raise InstallError(text.format(folder=folder, reason=problem.strerror)) from problem
    importlib.invalidate_caches()
    if torchIsBroken():
        text = _("a part of PyTorch lies outside {folder}; remove it by hand")
        raise InstallError(text.format(folder=site))


def siteFolder():
    """Where pip puts the packages of this Python."""
    return sysconfig.get_path("purelib")


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
        text = _(
            "Windows allows {most} characters in a path and Slicer's folder already has {present}: "
            "install Slicer into a shorter folder"
        )
        return text.format(most=_LONGEST_PATH, present=len(site))
    return ""
