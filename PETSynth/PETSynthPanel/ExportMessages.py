"""Sentences of the message box about exporting a result."""

from slicer.i18n import tr as _

from . import Messages
from .Messages import Kind, Message
from .Remedies import Remedy


def done(count, said):
    """The message of a finished export.

    Parameters
    ----------
    count
        Items written.
    said
        Warnings of the export, in sentences.
    """
    text = _("1 item written.") if count == 1 else _("{n} items written.").format(n=count)
    button = (Remedy.OPEN_EXPORT, _("Open folder"))
    return Message(Kind.AMBER if said else Kind.GREEN, " ".join([text, *said]), (button,))


def partly(message, count, folder):
    """``message`` of a run that did not end well, after ``count`` items were written."""
    if count == 1:
        return message.withText(_("1 item is there, in '{folder}'.").format(folder=folder))
    text = _("{n} items are there, in '{folder}'.")
    return message.withText(text.format(n=count, folder=folder))


def ending():
    return _("Ending the export…")


def outputFailed(text, readOnly):
    """``readOnly`` is the folder that cannot be written to; empty for other reasons (``text``)."""
    if readOnly:
        text = _("'{folder}' cannot be written to.").format(folder=readOnly)
    button = (Remedy.CHOOSE_EXPORT_FOLDER, _("Choose another folder"))
    return Message(Kind.RED, text, (button,))


def needsDicom(need, freeGb, source):
    """Consent to the packages for DICOM; parameters as `InstallMessages.needsPackages`."""
    text = _(
        "PETSynth needs pydicom and highdicom once to write DICOM: about {download} MB to "
        "download, {disk} MB on disk ({free:.0f} GB free), from {source}; MIT licence. Slicer "
        "pauses while it installs."
    ).format(download=need.downloadMb, disk=need.diskMb, free=freeGb, source=source or "pypi.org")
    return Message(
        Kind.AMBER,
        text,
        (
            (Remedy.INSTALL_DICOM, _("Install and export")),
            (Remedy.CHOOSE_BACKEND, _("Choose backend…")),
        ),
    )


def explain(code, text, hint, facts, ownStudy):
    """The message of a failed export.

    Parameters
    ----------
    code, text, hint, facts
        As `Messages.forFailure`.
    ownStudy
        Whether DICOM objects were to go into the study of the T1w.
    """
    details = (Remedy.SHOW_DETAILS, _("Details"))
    if code == "OUT_OF_MEMORY":
        said = _("The computer ran out of memory. Close other programs.")
        return Message(Kind.RED, said, ((Remedy.RETRY, _("Retry")), details))
    if code == "DEPENDENCY":
        choose = (Remedy.CHOOSE_BACKEND, _("Choose backend…"))
        return Message(Kind.RED, f"{text} {hint}", (choose, details))
    if code not in _TOLD:
        return Messages.forFailure(code, text, hint, facts)
    # Hints of the command line name its options.
    said = text if "--" in hint else f"{text} {hint}"
    anew = ((Remedy.NEW_STUDY, _("Begin a new study")),) if ownStudy else ()
    return Message(Kind.RED, said, (*anew, details))


_TOLD = ("BAD_REQUEST", "BAD_DATA", "BAD_IMAGE", "BAD_GEOMETRY")
"""What is wrong with the result or its DICOM series; the library's sentence says it."""
