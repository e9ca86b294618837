"""Sentences about what has to be installed and whether there is room for it; as in `Messages`."""

from slicer.i18n import tr as _

from .Messages import Kind, Message
from .Remedies import Remedy


def needsPyTorch(need, packages, freeGb, source):
    """Consent to an installation.

    Parameters
    ----------
    need, packages
        `Preflight.Need` of PyTorch, and of the smaller packages.
    freeGb
        Free disk space where they go.
    source
        Folder of wheels, or empty for the network.
    """
    text = _(
        "PETSynth needs PyTorch once: about {download} MB to download, {disk:.0f} GB on disk "
        "({free:.0f} GB free), from {torch}, BSD-3 licence; several GB more for a graphics card. "
        "Smaller packages for NIfTI, brain mask and alignment ({small} MB, {smallDisk} MB on disk; "
        "MIT, BSD, Apache-2.0, MPL-2.0 and LGPL-3.0 licences) come from {pypi}. Slicer pauses "
        "while it installs (a few minutes)."
    ).format(
        download=need.downloadMb,
        disk=need.diskMb / 1000,
        free=freeGb,
        torch=source or "download.pytorch.org",
        small=packages.downloadMb,
        smallDisk=packages.diskMb,
        pypi=source or "pypi.org",
    )
    return Message(
        Kind.AMBER,
        text,
        (
            (Remedy.INSTALL, _("Install and synthesize")),
            (Remedy.CHOOSE_PYTORCH, _("Choose backend…")),
        ),
    )


def needsPackages(need, freeGb, source):
    """The same without PyTorch."""
    text = _(
        "PETSynth needs Python packages for NIfTI, brain mask and alignment once: about {download} "
        "MB to download, {disk} MB on disk ({free:.0f} GB free), from {source}; MIT, BSD, "
        "Apache-2.0, MPL-2.0 and LGPL-3.0 licences. Slicer pauses while it installs."
    ).format(download=need.downloadMb, disk=need.diskMb, free=freeGb, source=source or "pypi.org")
    return Message(
        Kind.AMBER,
        text,
        (
            (Remedy.INSTALL, _("Install and synthesize")),
            (Remedy.CHOOSE_BACKEND, _("Choose backend…")),
        ),
    )


def installFailed(reason):
    text = _("The installation did not succeed: {reason}. Nothing was added to the scene.")
    return Message(
        Kind.RED,
        text.format(reason=reason.rstrip(".")),
        (
            (Remedy.WHEEL_FOLDER, _("Use wheel folder…")),
            (Remedy.COPY_REPORT, _("Copy report")),
        ),
    )


def diskTooSmall(folder, freeMb, neededMb, button):
    text = _("'{folder}' has {free:.0f} MB free; {needed:.0f} MB are needed.")
    said = text.format(folder=folder, free=freeMb, needed=neededMb)
    return Message(Kind.RED, said, (button, (Remedy.COPY_DIAGNOSIS, _("Copy diagnosis"))))


def noRoomToInstall(folder, freeMb, neededMb):
    """The disk of Slicer is too full; another Python may lie on another one."""
    button = (Remedy.CHOOSE_BACKEND, _("Choose backend…"))
    return diskTooSmall(folder, freeMb, neededMb, button)


def noRoomToRun(folder, freeMb, neededMb):
    """The disk of the job folder is too full."""
    button = (Remedy.CHOOSE_JOB_FOLDER, _("Choose another folder"))
    return diskTooSmall(folder, freeMb, neededMb, button)


def littleMemory(freeMb, neededMb):
    text = _(
        "The run needs about {needed:.1f} GB of memory; {free:.1f} GB are available. Close other "
        "programs, or it may be slow or fail."
    ).format(needed=neededMb / 1000, free=freeMb / 1000)
    return Message(
        Kind.AMBER,
        text,
        (
            (Remedy.RETRY, _("Check again")),
            (Remedy.RUN_ALL_THE_SAME, _("Synthesize all the same")),
        ),
    )


def installing():
    return Message(Kind.PLAIN, _("Installing. Slicer does not answer until this has finished."))


def torchBroken():
    text = _(
        "PyTorch is only partly installed. Repair removes it; it is installed again after a "
        "restart of Slicer."
    )
    return Message(
        Kind.RED,
        text,
        (
            (Remedy.REPAIR, _("Repair")),
            (Remedy.COPY_DIAGNOSIS, _("Copy diagnosis")),
        ),
    )


def repaired():
    text = _("PyTorch was removed. Restart Slicer, then click Synthesize to install it again.")
    return Message(Kind.PLAIN, text)
