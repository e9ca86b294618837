"""One block of text with everything a bug report needs; no image, no name, no path of an image."""

from pathlib import Path

import slicer

from PETSynthLib.run.diagnosis import computer

from . import Dependencies
from .Models import installedModels
from .Probe import sentenceOf

_REQUIREMENTS = Path(__file__).parents[1] / "Resources" / "requirements.txt"


def diagnosis(settings, report):
    """Facts of this computer and installation.

    Parameters
    ----------
    settings
        `Settings.Settings`.
    report
        Last answer of a `Probe.Probe`, or None.
    """
    app = slicer.app
    facts = {
        "Slicer": f"{app.applicationVersion} revision {app.revision}",
        "Worker's Python": settings.python or "Slicer's own",
        "Device": settings.device,
        "Probe": "not asked" if report is None else sentenceOf(report),
        "PyTorch partly installed": "yes" if Dependencies.torchIsBroken() else "no",
        **computer(),
    }
    if problem := Dependencies.pathProblem():
        facts["Long paths"] = problem
    commands = Dependencies.downloadCommands(_REQUIREMENTS)
    facts["To fill a wheel folder elsewhere"] = " && ".join(commands)
    for model in installedModels():
        facts[f"Model {model.name}"] = f"{model.version}, {model.trainedOn}"
    return "\n".join(f"{name}: {value}" for name, value in facts.items())


def report(settings, probeReport, message, log):
    """The diagnosis with the last message and the worker's log."""
    said = "" if message is None else message.text
    return "\n\n".join(filter(None, [said, diagnosis(settings, probeReport), log]))
