"""Card Advanced: what describes this computer; all of it in the settings, none in a scene."""

import time

from slicer.i18n import tr as _

from . import Dependencies
from .Context import choose, gate, quiet
from .Later import later
from .Probe import Probe, sentenceOf
from .ProcessRunner import ProcessRunner


class AdvancedCard:
    """Device, interpreter, folders, installation.

    Parameters
    ----------
    context
        `Context.Context`.
    onChanged
        Called after a setting changed.
    onRepair, onDiagnose, onModelsFolder
        The card's buttons.
    """

    TITLE = "Advanced"

    def __init__(self, context, onChanged, onRepair, onDiagnose, onModelsFolder):
        self._context = context
        self._onChanged = onChanged
        self.report = None
        self.probe = None
        self.makeProcess = ProcessRunner
        ui, settings = context.ui, context.settings
        self._fillDevices([])
        ui.pythonPathLineEdit.setCurrentPath(settings.python)
        ui.jobFolderLineEdit.setCurrentPath(settings.jobRoot)
        ui.wheelFolderLineEdit.setCurrentPath(settings.wheelFolder)
        ui.keepJobCheckBox.setChecked(settings.keepJob)
        ui.deviceComboBox.connect("currentIndexChanged(int)", lambda _index: self._onDevice())
        ui.pythonPathLineEdit.connect("currentPathChanged(QString)", self._onPython)
        ui.jobFolderLineEdit.connect("currentPathChanged(QString)", self._onJobFolder)
        ui.wheelFolderLineEdit.connect("currentPathChanged(QString)", self._onWheelFolder)
        ui.keepJobCheckBox.connect("toggled(bool)", self._onKeepJob)
        ui.checkPythonButton.connect("clicked(bool)", lambda: self.check())
        ui.repairButton.connect("clicked(bool)", lambda: onRepair())
        ui.diagnoseButton.connect("clicked(bool)", lambda: onDiagnose())
        ui.modelsFolderButton.connect("clicked(bool)", lambda: onModelsFolder())
        names = (
            "deviceComboBox", "pythonPathLineEdit", "jobFolderLineEdit", "wheelFolderLineEdit",
            "keepJobCheckBox", "checkPythonButton", "repairButton",
        )  # fmt: skip
        self._tips = {getattr(ui, name): getattr(ui, name).toolTip for name in names}
        self._showInstallation()

    summary = ""

    def refresh(self):
        """Follow the run."""
        busy = _("Wait for the run or cancel it.")
        ui = self._context.ui
        for widget, tip in self._tips.items():
            reason = busy if self._context.locked else ""
            if not reason and widget is ui.repairButton and not Dependencies.torchIsBroken():
                reason = _("Nothing is to be repaired: PyTorch is whole, or not there at all.")
            gate(widget, not reason, reason, tip)

    def check(self, then=None):
        """Start the worker's Python once and ask it; ``then(report, sentence)`` is told."""
        if self.probe is not None:
            self.probe.stop()
        probe = Probe(self.makeProcess, later)
        self.probe = probe
        probe.answered.connect(lambda report, why: self._onAnswer(probe, report, why, then))
        self._context.ui.installationLabel.setText(_("Checking…"))
        probe.ask(self._context.launcher.command())

    def close(self):
        """Leave no process."""
        if self.probe is not None:
            self.probe.stop()

    def _onAnswer(self, probe, report, why, then):
        if probe is not self.probe:
            return
        self.probe = None
        self.report = report
        clock = time.strftime("%H:%M")
        if report is None:
            text = _("Checked {clock}: does not work ({why}).").format(clock=clock, why=why)
        else:
            text = _("{what}. Checked {clock}: works.").format(what=sentenceOf(report), clock=clock)
            self._fillDevices(report.get("devices", []))
        self._context.ui.installationLabel.setText(text)
        if then is not None:
            then(report, why)

    def _showInstallation(self):
        found = Dependencies.version("torch")
        if self._context.settings.python:
            text = _("A Python of your own; Check asks what it can do.")
        elif Dependencies.torchIsBroken():
            text = _("PyTorch is only partly installed.")
        elif found is None:
            text = _("PyTorch is not installed yet.")
        else:
            text = _("PyTorch {version}, not checked yet.").format(version=found)
        self._context.ui.installationLabel.setText(text)

    def _fillDevices(self, devices):
        combo, chosen = self._context.ui.deviceComboBox, self._context.settings.device
        names = list(dict.fromkeys([*devices, "cpu", *([chosen] if chosen != "auto" else [])]))
        with quiet(combo):
            combo.clear()
            first = _("Automatic") if not devices else _("Automatic: {device}")
            combo.addItem(first.format(device=devices[0] if devices else ""), "auto")
            for name in names:
                combo.addItem(name, name)
        choose(combo, chosen)

    def _onDevice(self):
        self._context.settings.device = self._context.ui.deviceComboBox.currentData or "auto"
        self._onChanged()

    def _onPython(self, path):
        self._context.settings.python = str(path).strip()
        self._showInstallation()
        self._onChanged()
        if self._context.settings.isolated:
            self.check()  # a Python that somebody names is used once it has answered

    def _onJobFolder(self, path):
        self._context.settings.jobRoot = str(path).strip()

    def _onWheelFolder(self, path):
        self._context.settings.wheelFolder = str(path).strip()

    def _onKeepJob(self, on):
        self._context.settings.keepJob = on
