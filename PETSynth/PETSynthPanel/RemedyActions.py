"""What the buttons of messages do: install, repair, try again another way, go to a control."""

import qt
import slicer

from . import Dependencies, InstallMessages
from .Diagnosis import diagnosis, report
from .Parameters import Preset
from .Remedies import Remedy


class RemedyActions:
    """Does what a remedy promises, for one panel.

    Parameters
    ----------
    panel
        `Panel.Panel`.
    requirements
        Path of ``requirements.txt``.
    """

    def __init__(self, panel, requirements):
        self._panel = panel
        self._requirements = requirements

    def do(self, remedy):
        """Do what the button of a message says."""
        actions = {
            Remedy.INSTALL: self.onInstall,
            Remedy.CHOOSE_BACKEND: lambda: self._goTo("advancedCard", "pythonPathLineEdit"),
            Remedy.CHOOSE_PYTORCH: lambda: slicer.util.selectModule("PyTorchUtils"),
            Remedy.WHEEL_FOLDER: lambda: self._goTo("advancedCard", "wheelFolderLineEdit"),
            Remedy.REPAIR: self.onRepair,
            Remedy.COPY_REPORT: self.onReport,
            Remedy.COPY_DIAGNOSIS: self.onDiagnose,
            Remedy.RETRY: self._panel.again,
            Remedy.RETRY_ON_CPU: lambda: self._panel.again(device="cpu"),
            Remedy.RETRY_FAST: self._retryFast,
            Remedy.CHOOSE_MASK: lambda: self._goTo("inputCard", "maskSelector"),
            Remedy.MASK_AUTOMATIC: lambda: self._retryWithout("mask"),
            Remedy.CHOOSE_T1W: lambda: self._goTo("inputCard", "t1wSelector"),
            Remedy.CHOOSE_FLAIR: lambda: self._goTo("inputCard", "flairSelector"),
            Remedy.WITHOUT_FLAIR: lambda: self._retryWithout("flair"),
            Remedy.CHOOSE_MODEL: lambda: self._goTo("tracerCard", "modelComboBox"),
            Remedy.BUILT_IN_MODEL: self._builtInModel,
            Remedy.OPEN_MODELS: self._panel.tracer.openModelsFolder,
            Remedy.CHOOSE_JOB_FOLDER: lambda: self._goTo("advancedCard", "jobFolderLineEdit"),
            Remedy.CHOOSE_TRACER: lambda: self._goTo("tracerCard", "tracerComboBox"),
            Remedy.RUN_ALL_THE_SAME: lambda: self._panel.onRun(True, **self._panel.changes),
            Remedy.USE_ANYWAY: self._useAnyway,
            Remedy.SHOW_DETAILS: lambda: self._panel.context.ui.detailsGroup.setProperty(
                "collapsed", False
            ),
            Remedy.SHOW_DATA: lambda: slicer.util.selectModule("Data"),
            Remedy.ACCEPT_ALIGNMENT: self._panel.view.acceptAlignment,
            Remedy.CHOOSE_ACQUIRED: lambda: self._goTo("viewCard", "acquiredPetSelector"),
            Remedy.QUANTIFY: self._panel.quantify.run,
            Remedy.CHOOSE_PET: lambda: self._goTo("quantifyCard", "quantPetSelector"),
            Remedy.ALIGN_COPY: self._panel.quantify.alignCopy,
            Remedy.OTHER_REFERENCE: self._panel.quantify.otherReference,
            Remedy.ADD_NORMALS: self._panel.quantify.normals.ask,
            Remedy.OPEN_EXPORT: self._panel.export.openFolder,
            Remedy.CHOOSE_EXPORT_FOLDER: lambda: self._goTo("exportCard", "exportFolderLineEdit"),
            Remedy.NEW_STUDY: lambda: self._panel.export.run(newStudy=True),
            Remedy.INSTALL_DICOM: self.onInstallDicom,
        }
        actions[remedy]()

    def onInstall(self):
        """Install what is missing, prove that it works, then run."""
        self._panel.controller.tell(InstallMessages.installing())
        slicer.app.processEvents()
        missing = Dependencies.missingFor(self._panel.tracer.model)
        try:
            Dependencies.install(
                self._requirements, missing.torch, self._panel.context.settings.wheelFolder
            )
        except Dependencies.InstallError as problem:
            self._panel.controller.tell(InstallMessages.installFailed(str(problem)))
            return
        self._panel.advanced.check(then=self._onInstalled)

    def _onInstalled(self, answer, why):
        if answer is None:
            self._panel.controller.tell(InstallMessages.installFailed(why))
        else:
            self._panel.controller.dismiss()
            self._panel.onRun()

    def onInstallDicom(self):
        """Install what writes DICOM, then export."""
        self._panel.controller.tell(InstallMessages.installing())
        slicer.app.processEvents()
        try:
            Dependencies.installDicom(self._panel.context.settings.wheelFolder)
        except Dependencies.InstallError as problem:
            self._panel.controller.tell(InstallMessages.installFailed(str(problem)))
        else:
            self._panel.controller.dismiss()
            self._panel.export.run()

    def onRepair(self):
        """Remove a partly installed PyTorch."""
        try:
            Dependencies.repair()
        except Dependencies.InstallError as problem:
            self._panel.controller.tell(InstallMessages.installFailed(str(problem)))
        else:
            self._panel.controller.tell(InstallMessages.repaired())

    def onDiagnose(self):
        """Put the diagnosis on the clipboard."""
        _copy(diagnosis(self._panel.context.settings, self._panel.advanced.report))

    def onReport(self):
        """Put message, diagnosis and log on the clipboard."""
        controller = self._panel.controller
        text = report(
            self._panel.context.settings,
            self._panel.advanced.report,
            controller.notice,
            controller.log.text,
        )
        _copy(text)

    def _retryFast(self):
        self._panel.context.parameters.run.preset = Preset.FAST
        self._panel.onRun()

    def _useAnyway(self):
        check = self._panel.controller.refusedBy
        if self._panel.launcher.kind == "synthesize":
            self._panel.input.override(check)
            self._panel.onRun()
        else:
            before = self._panel.launcher.order.request.overridden_checks
            self._panel.again(overridden_checks=(*before, check))

    def _retryWithout(self, name):
        setattr(self._panel.context.parameters.input, name, None)
        self._panel.onRun()

    def _builtInModel(self):
        builtIn = [model for model in self._panel.tracer.models if model.builtIn]
        if builtIn:
            self._panel.context.parameters.run.modelId = builtIn[-1].name

    def _goTo(self, card, control):
        """Open a card and put the keyboard into one of its controls."""
        getattr(self._panel.context.ui, card).setCollapsed(False)
        getattr(self._panel.context.ui, control).setFocus()


def _copy(text):
    qt.QApplication.clipboard().setText(text)
