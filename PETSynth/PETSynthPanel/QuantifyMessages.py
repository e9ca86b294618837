"""Sentences of the message box about measuring a PET."""

from slicer.i18n import tr as _

from . import Messages
from .Messages import Kind, Message
from .Remedies import Remedy


def wrongTable():
    text = _("This table belongs to another image (patient or voxels differ), so it is not shown.")
    return Message(Kind.RED, text, ((Remedy.QUANTIFY, _("Quantify again")),))


def otherPatient():
    text = _("PET and T1w belong to different patients in DICOM.")
    return Message(Kind.RED, text, ((Remedy.CHOOSE_PET, _("Choose another")),))


def normalsFailed(text):
    return Message(Kind.RED, text, ((Remedy.ADD_NORMALS, _("Add folder…")),))


def told(text):
    return Message(Kind.PLAIN, text)


def done(body, noNormals, acquired):
    """The message of a finished measurement, the most serious thing about it first.

    Parameters
    ----------
    body
        Its ``result.json``.
    noNormals
        Label of the tracer for which this computer has no normals, else empty.
    acquired
        Whether another reference may be chosen: a synthetic PET keeps its own.
    """
    text = _("Quantified in {seconds} s.").format(seconds=round(body["total_seconds"]))
    reference = [
        finding["sentence"]
        for finding in body["findings"]
        if finding["verdict"] == "amber" and finding["name"].startswith("reference")
    ]
    if reference:
        buttons = ((Remedy.OTHER_REFERENCE, _("Use another reference")),) if acquired else ()
        more = _("{finding} SUVR is not reliable.").format(finding=reference[0])
        return Message(Kind.AMBER, f"{text} {more}", buttons)
    if noNormals:
        more = _("No normal database for {tracer}. SUVR is shown, z is not.")
        button = (Remedy.ADD_NORMALS, _("Add folder…"))
        return Message(Kind.AMBER, f"{text} {more.format(tracer=noNormals)}", (button,))
    if not acquired and not any(row["interval90_low"] is not None for row in body["headline"]):
        more = _("This model has no calibration for these regions, so no 90 % interval is given.")
        return Message(Kind.AMBER, f"{text} {more}")
    return Message(Kind.GREEN, text, link=(Remedy.SHOW_DATA, _("Show in Data")))


def explain(code, text, hint, facts, check, acquired):
    """The message of a failed measurement; parameters as `Messages.forFailure` and `done`."""
    if code not in _BUTTONS:
        return Messages.forFailure(code, text, hint, facts, check)
    # Hints of the command line name its options.
    said = text if "--" in hint else f"{text} {hint}"
    buttons = _BUTTONS[code](acquired)
    if check:
        buttons = (buttons[0], (Remedy.USE_ANYWAY, _("Use anyway")))
    return Message(Kind.RED, said, buttons)


def _aligning(acquired):
    return (
        (Remedy.ALIGN_COPY, _("Align a copy")),
        (Remedy.CHOOSE_PET, _("Choose another")),
    )


def _choosing(acquired):
    choose = (Remedy.CHOOSE_PET, _("Choose another"))
    other = (Remedy.OTHER_REFERENCE, _("Use another reference"))
    return (choose, other) if acquired else (choose, (Remedy.SHOW_DETAILS, _("Details")))


_BUTTONS = {
    "ALIGNMENT": _aligning,
    "BAD_DATA": _choosing,
    "BAD_REQUEST": _choosing,
    "BAD_IMAGE": _choosing,
    "BAD_GEOMETRY": _choosing,
}
