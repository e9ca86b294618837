"""Whether disk and memory will do, asked before anything is installed or run."""

from dataclasses import dataclass

from PETSynthLib.run.memory import available_memory_mb, free_disk_mb

from . import ExportMessages, InstallMessages
from .Dependencies import siteFolder


@dataclass(frozen=True)
class Need:
    """What an installation takes, in MB."""

    downloadMb: int
    diskMb: int

    def __add__(self, other):
        return Need(self.downloadMb + other.downloadMb, self.diskMb + other.diskMb)


PYTORCH = Need(200, 1000)
"""PyTorch 2.13 for the processor with sympy and networkx: 850 MB on disk (Linux, measured)."""
PACKAGES = Need(60, 230)
"""``requirements.txt`` and deepbet: 59 MB of wheels, 228 MB on disk (Linux, measured)."""
DICOM = Need(7, 50)
"""pydicom, highdicom and pyjpegls: 6.2 MB of wheels, 42 MB unpacked (Linux, measured)."""
RUN_DISK_MB = 400
"""The 1 mm sample leaves 30 MB and is exported as 28 MB; finer voxels and samples take more."""
RUN_MEMORY_MB = 1500
"""Peak of a run with the built-in networks (``make bench``)."""


def consent(torch, wheelFolder):
    """The message that asks whether to install; says size, source, licence and free space."""
    free = free_disk_mb(siteFolder()) / 1000
    if torch:
        return InstallMessages.needsPyTorch(PYTORCH, PACKAGES, free, wheelFolder)
    return InstallMessages.needsPackages(PACKAGES, free, wheelFolder)


def consentDicom(wheelFolder):
    """The message that asks whether to install what writes DICOM."""
    free = free_disk_mb(siteFolder()) / 1000
    return ExportMessages.needsDicom(DICOM, free, wheelFolder)


def beforeInstall(torch):
    """Why an installation would not fit, as a message; None when it does or nobody knows."""
    need = PYTORCH + PACKAGES if torch else PACKAGES
    # Wheels and what is unpacked from them are there at the same time.
    needed = need.downloadMb + need.diskMb
    free = free_disk_mb(siteFolder())
    if 0 < free < needed:
        return InstallMessages.noRoomToInstall(siteFolder(), free, needed)
    return None


def beforeRun(jobRoot):
    """Why a run would fail or crawl, as a message; None when nothing is known against it."""
    free = free_disk_mb(jobRoot)
    if 0 < free < RUN_DISK_MB:
        return InstallMessages.noRoomToRun(jobRoot, free, RUN_DISK_MB)
    available = available_memory_mb()
    if 0 < available < RUN_MEMORY_MB:
        return InstallMessages.littleMemory(available, RUN_MEMORY_MB)
    return None
