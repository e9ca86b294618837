"""Every sentence of the message box: what happened, the consequence, and the buttons.

One sentence on what happened (with the number), one on what follows or helps. No codes: those
are in Details. `forFailure` answers every code of the library's `ErrorCode`.
"""

from dataclasses import dataclass, replace
from enum import Enum

from slicer.i18n import tr as _

from .Remedies import Remedy


class Kind(Enum):
    """How serious a message is; the box shows an icon for it, never a colour alone."""

    PLAIN = "plain"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True)
class Message:
    """What the message box shows.

    Attributes
    ----------
    kind
        Picks the icon.
    text
        One or two sentences; plain text.
    buttons
        At most two (remedy, words on its button).
    link
        A remedy shown as a link behind the text, or None.
    """

    kind: Kind
    text: str
    buttons: tuple = ()
    link: tuple | None = None

    def withText(self, more):
        """The same message with another sentence behind it."""
        return replace(self, text=f"{self.text} {more}")


@dataclass(frozen=True)
class RunFacts:
    """What a message may name of the run it is about.

    Attributes
    ----------
    t1w
        Name of the T1w's node.
    device
        Device the user named, or ``auto``.
    cpuSeconds
        Expected seconds on the CPU, or None when not measured.
    tracer, model
        Words for them.
    """

    t1w: str = ""
    device: str = "auto"
    cpuSeconds: int | None = None
    tracer: str = ""
    model: str = ""


BANNER = "Synthetic PET is made by AI from MRI. For research only. Not for diagnosis."  # as in .ui


def seconds(value):
    """Expected duration in words."""
    if value is None:
        return _("time not yet measured")
    if value < 90:
        return _("about {seconds} s").format(seconds=round(value))
    return _("about {minutes} min").format(minutes=round(value / 60))


def cancelled():
    return Message(Kind.PLAIN, _("Cancelled. Nothing was added to the scene."))


def nodeRemoved(name):
    text = _("'{name}' was removed, so the run was stopped. Nothing was added.")
    return Message(Kind.PLAIN, text.format(name=name))


def sceneClosed():
    return Message(Kind.PLAIN, _("The scene was closed, so the run was stopped."))


def done(total, samples):
    text = _("Done in {seconds} s. Shown over the T1w.").format(seconds=round(total))
    message = Message(Kind.GREEN, text, link=(Remedy.SHOW_DATA, _("Show in Data")))
    if samples == 0:
        message = message.withText(noSamples())
    return message


def addingPet():
    return _("Adding the PET to the scene…")


def addingResults():
    return _("Adding the results to the scene…")


def noSamples():
    return _("No samples were made: the uncertainty is the model's own estimate.")


def noNews():
    text = _("No news from the worker for a minute. It may be waiting for memory.")
    return Message(Kind.AMBER, text)


def warning(text):
    return Message(Kind.AMBER, text)


def startFailed(program, reason):
    text = _("The Python of the backend could not be started: {program} ({reason}).")
    return Message(
        Kind.RED,
        text.format(program=program, reason=reason),
        (
            (Remedy.CHOOSE_BACKEND, _("Choose backend…")),
            (Remedy.COPY_REPORT, _("Copy report")),
        ),
    )


def workerDied(exitCode):
    text = _(
        "The worker stopped unexpectedly (exit {code}). Slicer is not affected; nothing was added."
    )
    return Message(
        Kind.RED,
        text.format(code=exitCode),
        (
            (Remedy.RETRY, _("Retry")),
            (Remedy.COPY_REPORT, _("Copy report")),
        ),
    )


def internal():
    text = _(
        "PETSynth met an error of its own. The report has what the developers need. Nothing was "
        "added to the scene."
    )
    return Message(
        Kind.RED,
        text,
        (
            (Remedy.COPY_REPORT, _("Copy report")),
            (Remedy.RETRY, _("Retry")),
        ),
    )


def exportFailed(reason):
    text = _("The images could not be written to the job folder: {reason}.")
    return Message(
        Kind.RED,
        text.format(reason=reason.rstrip(".")),
        ((Remedy.CHOOSE_JOB_FOLDER, _("Choose another folder")),),
    )


def sampleFailed(reason):
    text = _("The sample case cannot be loaded: {reason}.")
    buttons = ((Remedy.COPY_DIAGNOSIS, _("Copy diagnosis")),)
    return Message(Kind.RED, text.format(reason=reason.rstrip(".")), buttons)


def whatIfDone(total, words):
    text = _(
        "Done in {seconds} s: {words}. The change over the T1w is a habit of the model, not a "
        "medical effect."
    )
    message = Message(Kind.GREEN, text.format(seconds=round(total), words=words))
    return replace(message, link=(Remedy.SHOW_DATA, _("Show in Data")))


def scaledToReference(region, mean, window, inUnits):
    """``window`` is in SUVR, ``inUnits`` in multiples of the region's ``mean``."""
    text = _(
        "The {region} has a mean of {mean:.2f} SUVR in this picture. The window is now {low:.2f} "
        "to {high:.2f} SUVR: {first:g} to {last:g} times the {region}."
    )
    ends = {"low": window[0], "high": window[1], "first": inUnits[0], "last": inUnits[1]}
    return Message(Kind.PLAIN, text.format(region=region, mean=mean, **ends))


def acceptAlignment(name):
    text = _(
        "Is '{name}' aligned to the T1w? Look at both before you compare them: PETSynth does not "
        "move an acquired PET."
    )
    return Message(
        Kind.AMBER,
        text.format(name=name),
        (
            (Remedy.ACCEPT_ALIGNMENT, _("Aligned, compare")),
            (Remedy.CHOOSE_ACQUIRED, _("Choose another")),
        ),
    )


def _outOfMemory(text, hint, facts):
    if facts.device == "cpu":
        said = _("The computer ran out of memory. Close other programs, or use the Fast quality.")
        return said, (
            (Remedy.RETRY_FAST, _("Retry with Fast")),
            (Remedy.COPY_REPORT, _("Copy report")),
        )
    said = _("The graphics card or the computer ran out of memory. Nothing was added to the scene.")
    retry = _("Retry on CPU, {time}").format(time=seconds(facts.cpuSeconds))
    return said, ((Remedy.RETRY_ON_CPU, retry), (Remedy.COPY_REPORT, _("Copy report")))


def _device(text, hint, facts):
    said = _(
        "{device} does not work with this PyTorch. The run was not moved to the CPU by itself."
    )
    retry = _("Retry on CPU, {time}").format(time=seconds(facts.cpuSeconds))
    buttons = ((Remedy.RETRY_ON_CPU, retry), (Remedy.COPY_DIAGNOSIS, _("Copy diagnosis")))
    return said.format(device=facts.device), buttons


def _geometry(text, hint, facts):
    return f"{text} {hint}", (
        (Remedy.CHOOSE_T1W, _("Choose another T1w")),
        (Remedy.SHOW_DETAILS, _("Details")),
    )


def _image(text, hint, facts):
    return f"{text} {hint}", (
        (Remedy.CHOOSE_MASK, _("Choose a mask")),
        (Remedy.SHOW_DETAILS, _("Details")),
    )


def _alignment(text, hint, facts):
    return _("{what} A brain mask usually helps.").format(what=text), (
        (Remedy.CHOOSE_MASK, _("Choose a mask")),
        (Remedy.SHOW_DETAILS, _("Details")),
    )


def _mask(text, hint, facts):
    return text, (
        (Remedy.MASK_AUTOMATIC, _("Find it automatically")),
        (Remedy.CHOOSE_MASK, _("Choose another")),
    )


def _flair(text, hint, facts):
    return text, (
        (Remedy.WITHOUT_FLAIR, _("Go on without FLAIR")),
        (Remedy.CHOOSE_FLAIR, _("Choose another")),
    )


def _tracer(text, hint, facts):
    said = _("{model} was not trained for {tracer}.")
    return said.format(model=facts.model, tracer=facts.tracer), (
        (Remedy.CHOOSE_MODEL, _("Choose another model")),
    )


def _bundleMissing(text, hint, facts):
    return _("The model's files are missing."), _MODEL_BUTTONS()


def _bundleDamaged(text, hint, facts):
    return _("The model's files were changed or damaged. It was not used."), _MODEL_BUTTONS()


def _MODEL_BUTTONS():
    return (
        (Remedy.BUILT_IN_MODEL, _("Use a built-in model")),
        (Remedy.OPEN_MODELS, _("Open models folder")),
    )


def _output(text, hint, facts):
    return f"{text}", ((Remedy.CHOOSE_JOB_FOLDER, _("Choose another folder")),)


def _dependency(text, hint, facts):
    return _("{what} PyTorch or one of its companions is missing.").format(what=text), (
        (Remedy.INSTALL, _("Install and synthesize")),
        (Remedy.COPY_DIAGNOSIS, _("Copy diagnosis")),
    )


def _request(text, hint, facts):
    return f"{text} {hint}", (
        (Remedy.COPY_REPORT, _("Copy report")),
        (Remedy.SHOW_DETAILS, _("Details")),
    )


_BY_CODE = {
    "OUT_OF_MEMORY": _outOfMemory,
    "DEVICE": _device,
    "BAD_GEOMETRY": _geometry,
    "BAD_IMAGE": _image,
    "ALIGNMENT": _alignment,
    "BAD_MASK": _mask,
    "BAD_FLAIR": _flair,
    "UNSUPPORTED_TRACER": _tracer,
    "BUNDLE_MISSING": _bundleMissing,
    "BUNDLE_DAMAGED": _bundleDamaged,
    "BAD_OUTPUT": _output,
    "DEPENDENCY": _dependency,
    "BAD_REQUEST": _request,
}


def forFailure(code, text, hint, facts, check=""):
    """The message for a failure that the worker told.

    Parameters
    ----------
    code
        Value of the library's ``ErrorCode``; unknown ones count as internal.
    text, hint
        The worker's sentences; they carry the numbers.
    facts
        `RunFacts`.
    check
        Name of the check that refused where the user may override it, else empty.
    """
    if code not in _BY_CODE:
        return internal()
    said, buttons = _BY_CODE[code](text, hint, facts)
    if check:
        buttons = (buttons[0], (Remedy.USE_ANYWAY, _("Use anyway")))
    return Message(Kind.RED, said, buttons)
