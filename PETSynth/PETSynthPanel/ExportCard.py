"""Card Export: what leaves of the chosen PET, and where to. Writes nothing itself."""

import secrets
import time
from dataclasses import replace
from pathlib import Path

import ctk
import qt
from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export import policy
from PETSynthLib.export.nameless import require_no_names
from PETSynthLib.request import ExportRequest

from . import Dependencies, ExportMessages, Messages, Preflight
from .Context import gate
from .Controller import State
from .ExportOrder import DICOM, ITEMS, ExportOrder
from .Timing import expectedForExport


class ExportCard:
    """Starts exports; what may not leave cannot be ticked, and says why.

    Parameters
    ----------
    context
        `Context.Context`.
    quantify
        `QuantifyCard.QuantifyCard`: the PET, its T1w and its measurement.
    refresh
        Brings the panel up to date.
    """

    TITLE = "Export"

    def __init__(self, context, quantify, refresh):
        self._context = context
        self._quantify = quantify
        self._refresh = refresh
        self._series = (None, False)
        self._waiting = []
        self._said = ()
        self.folder = None
        """The sub-folder of the last export, None before the first."""
        ui = context.ui
        self._boxes = {item: getattr(ui, f"{item.name}CheckBox") for item in ITEMS}
        editable = (
            *self._boxes.values(), ui.exportFolderLineEdit, ui.removeIdentityCheckBox,
            ui.exportButton,
        )  # fmt: skip
        self._tips = {widget: widget.toolTip for widget in editable}
        ui.exportFolderLineEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.exportFolderLineEdit.setCurrentPath(context.settings.exportFolder)
        ui.exportFolderLineEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.exportButton.connect("clicked(bool)", lambda: self.run())
        context.launcher.imported.connect(self._onImported)
        context.controller.finished.connect(self._onFinished)

    @property
    def pet(self):
        """What is exported: the PET that the card Quantify is about; None without."""
        return self._quantify.pet

    @property
    def summary(self):
        """What the folded card says."""
        if self.pet is None:
            return _("after the first result")
        count = len(self._chosen(self._refusals()))
        return _("1 item") if count == 1 else _("{n} items").format(n=count)

    # --- what may leave ------------------------------------------------------------------------

    def _refusals(self, newStudy=False):
        """Item -> why it cannot be exported, in a sentence; empty where it can."""
        pet = self.pet
        if pet is None:
            none = _("There is no PET yet: click Synthesize, or quantify an acquired one.")
            return dict.fromkeys(ITEMS, none)
        own = not newStudy and self._hasSeries()
        return {item: self._forbidden(item, own) or self._absent(item) for item in ITEMS}

    def _forbidden(self, item, ownStudy):
        """What the policy says against it."""
        tracer = self._quantify.tracer
        synthetic = self._quantify.synthetic
        evidence = self.pet.GetAttribute("PETSynth.Evidence") if synthetic else "acquired"
        try:
            release = policy.release(evidence, synthetic and tracer.exploratory)
        except (KeyError, AttributeError):
            return _("Nothing in the scene says what this PET rests on: synthesize it again.")
        try:
            if item.object:
                policy.dicom_objects(release, [item.object], ownStudy)
            elif not item.right:
                policy.require_images(release, True)
            if self._context.parameters.export.removeIdentity:
                require_no_names([item.format])
        except PETSynthError as problem:
            return problem.text
        return ""

    def _absent(self, item):
        """What is missing for it."""
        folderOf = self._context.launcher.jobs.folderOf
        if item.right:
            nodes = self._quantify.table.nodes
            if nodes is None:
                return _("Click Quantify first.")
        if item.measured:
            if folderOf(Scene.resultDigest(nodes.table)) is None:
                return _("This measurement came with a saved scene: click Quantify again.")
            return ""
        if not Scene.belongsTo(self._context.environment, self.pet, self.pet):
            return _("The voxels of this PET were changed since it was made: synthesize it again.")
        folder = folderOf(Scene.resultDigest(self.pet))
        if item.object == "sc" and (folder is None or not any(folder.glob("*.png"))):
            return _("The pages of this PET are not in the scene: synthesize it again.")
        return ""

    def _hasSeries(self):
        """Whether Slicer's database holds the series from which the T1w was loaded."""
        t1 = self._quantify.t1
        key = None if t1 is None else (t1.GetID(), t1.GetAttribute("DICOM.instanceUIDs"))
        if self._series[0] != key:
            files = [] if t1 is None else Scene.dicomFiles(self._context.environment, t1)
            self._series = (key, bool(files))
        return self._series[1]

    def _chosen(self, refusals):
        export = self._context.parameters.export
        return [item for item in ITEMS if getattr(export, item.name) and not refusals[item]]

    # --- following -----------------------------------------------------------------------------

    def refresh(self):
        """Follow the parameter node, the scene and the run."""
        context, ui = self._context, self._context.ui
        if context.parameters is None:
            return
        refusals = self._refusals()
        busy = _("Wait for the run or cancel it.") if context.locked else ""
        for item, box in self._boxes.items():
            reason = refusals[item] or busy
            gate(box, not reason, reason, self._tips[box])
        for widget in (ui.exportFolderLineEdit, ui.removeIdentityCheckBox):
            gate(widget, not busy, busy, self._tips[widget])
        chosen = self._chosen(refusals)
        count = len(chosen)
        one, many = _("Export 1 item"), _("Export {n} items").format(n=count)
        ui.exportButton.setText(one if count == 1 else many)
        reason = busy or self._nothing(refusals, chosen)
        tip = self._tips[ui.exportButton]
        if not reason:
            orders = self._orders(chosen, Path(), newStudy=True)
            seconds = Messages.seconds(sum(expectedForExport(one.request) for one in orders))
            tip = f"{tip} {seconds[:1].upper()}{seconds[1:]}."
        gate(ui.exportButton, not reason, reason, tip)
        self._tell()

    def _nothing(self, refusals, chosen):
        """Why the button does nothing, or an empty string."""
        if self.pet is None:
            return next(iter(refusals.values()))
        if not chosen:
            return _("Tick an item first.")
        return "" if self._context.settings.exportFolder else _("Choose a folder first.")

    def _tell(self):
        ui = self._context.ui
        ui.exportPetLabel.setText(_("none yet") if self.pet is None else self.pet.GetName())
        if self.pet is None or self._quantify.synthetic:
            note = _("Every file is marked synthetic. This cannot be switched off.")
        else:
            note = _(
                "Acquired PET: not marked synthetic; its table, regions and report are written, "
                "its images are not."
            )
        ui.exportNoteLabel.setText(note)

    # --- exporting -----------------------------------------------------------------------------

    def run(self, newStudy=False, **changes):
        """Export what is ticked.

        Parameters
        ----------
        newStudy
            Whether DICOM objects go into a new study although the T1w's own is known.
        changes
            Replace fields of the requests.
        """
        context = self._context
        refusals = self._refusals(newStudy)
        chosen = self._chosen(refusals)
        if context.controller.busy or self._nothing(refusals, chosen):
            return
        message = self._needs(chosen)
        if message is not None:
            context.controller.tell(message)
            return
        self.folder = _newFolder(Path(context.settings.exportFolder), self._quantify.tracer.key)
        orders = self._orders(chosen, self.folder, newStudy)
        changed = [replace(one, request=replace(one.request, **changes)) for one in orders]
        first, *self._waiting = changed
        context.launcher.begin(first)

    def _orders(self, chosen, folder, newStudy):
        """One order for each result folder: that of the PET, and that of its measurement."""
        t1 = self._quantify.t1
        nodes = self._quantify.table.nodes
        # PET and measurement belong into one study, also where it is a new one.
        study = secrets.token_hex(16)
        orders = []
        for node, measured in ((self.pet, False), (nodes and nodes.table, True)):
            items = [item for item in chosen if item.measured is measured]
            if not items:
                continue
            request = ExportRequest(
                result="",
                output=str(folder),
                formats=tuple(item.format for item in items),
                objects=tuple(item.object for item in items if item.object),
                deidentify=self._context.parameters.export.removeIdentity,
                study=study,
            )
            own = DICOM in request.formats and not newStudy and self._hasSeries()
            t1Id = t1.GetID() if own else ""
            place = self._context.settings.exportFolder
            orders.append(ExportOrder(node.GetID(), t1Id, request, place, len(items)))
        return orders

    def _needs(self, chosen):
        """What has to be installed first, as a message; None when nothing is missing."""
        settings = self._context.settings
        if settings.python or not any(item.format == DICOM for item in chosen):
            return None  # a Python of the user's own is its own business; the worker tells
        return Preflight.consentDicom(settings.wheelFolder) if Dependencies.lacksDicom() else None

    def _onImported(self, made, order):
        if isinstance(order, ExportOrder):
            self._said = made

    def _onFinished(self, state):
        order = self._context.launcher.order
        if not isinstance(order, ExportOrder):
            return
        written = order.before + (order.items if state is State.DONE else 0)
        waiting, self._waiting = self._waiting, []
        controller = self._context.controller
        if state is State.DONE and waiting:
            # A measurement has a folder of its own: exported into the same place, it adds to it.
            self._context.launcher.begin(replace(waiting[0], before=written, said=self._said))
        unfinished = state is not State.DONE or bool(waiting)
        if unfinished and written and not controller.busy and controller.message is not None:
            controller.tell(ExportMessages.partly(controller.message, written, self.folder))

    def openFolder(self):
        """Show the last export in the system's file manager."""
        if self.folder is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self.folder)))

    def _onFolder(self, path):
        self._context.settings.exportFolder = str(path).strip()
        self._refresh()


def _newFolder(place, tracer):
    """A folder that is not there yet. Its name says nothing of the person."""
    stamp = time.strftime("%Y-%m-%d %H%M%S")
    name = f"PETSynth {tracer} {stamp}"
    folder, number = place / name, 1
    while folder.exists():
        number += 1
        folder = place / f"{name} {number}"
    return folder
