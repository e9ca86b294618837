"""Card Batch: a queue of several T1s."""

from dataclasses import replace
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.checks import Verdict, as_overridden
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import PETSynthError
from PETSynthLib.run.queue_file import SUFFIXES, write_queue

from . import Messages
from .BatchQueue import BatchQueue, Case, CaseState, casesOf, rowOf
from .Context import gate, quiet
from .Controller import State
from .Later import later
from .Orders import SynthesisOrder
from .Sentences import sentence

_FLAIR_COLUMN = 1


class BatchCard:
    """Shows the queue and runs it case by case through the launcher.

    Parameters
    ----------
    context
        `Context.Context`.
    makeRequest
        Returns the library's request of this moment.
    seconds
        Returns the expected seconds of one run, or None.
    """

    TITLE = "Batch"

    def __init__(self, context, makeRequest, seconds):
        self._context = context
        self._makeRequest = makeRequest
        self._seconds = seconds
        self.queue = BatchQueue()
        ui = context.ui
        ui.batchTable.setHorizontalHeaderLabels([_("T1w"), _("FLAIR"), _("Patient"), _("State")])
        buttons = (ui.batchSaveButton, ui.batchRemoveButton)
        self._tips = {button: button.toolTip for button in buttons}
        ui.batchT1wSelector.connect("checkedNodesChanged()", lambda: self.refresh())
        ui.batchAddButton.connect("clicked(bool)", lambda: self.add())
        ui.batchCsvButton.connect("clicked(bool)", lambda: self._onCsv())
        ui.batchSaveButton.connect("clicked(bool)", lambda: self._onSave())
        ui.batchRemoveButton.connect("clicked(bool)", lambda: self.remove())
        ui.batchRunButton.connect("clicked(bool)", lambda: self.run())
        ui.batchTable.connect("itemSelectionChanged()", lambda: self.refresh())
        ui.batchTable.connect("cellClicked(int,int)", self._onCell)
        context.controller.finished.connect(self._onFinished)

    @property
    def prefix(self):
        """Words before the stage line while a queue runs."""
        if self.queue.running is None:
            return ""
        number, count = self.queue.place
        return _("Case {number} of {count}, ").format(number=number, count=count)

    @property
    def summary(self):
        """What the folded card says."""
        cases = self.queue.cases
        if self.queue.active:
            done = sum(case.state is CaseState.DONE for case in cases)
            return _("{done} of {count} done").format(done=done, count=len(cases))
        waiting = len(self.queue.waiting)
        return _("{n} waiting").format(n=waiting) if waiting else ""

    def refresh(self):
        """Follow queue, selection and run."""
        ui, busy = self._context.ui, self._context.locked
        ticked = bool(ui.batchT1wSelector.checkedNodes())
        gate(
            ui.batchAddButton,
            ticked,
            _("Tick images in the list first."),
            _("Adds the ticked images to the queue."),
        )
        gate(
            ui.batchRemoveButton,
            bool(self._selectedRows()),
            _("Select rows first."),
            self._tips[ui.batchRemoveButton],
        )
        gate(
            ui.batchSaveButton,
            bool(self.queue.cases),
            _("The queue is empty."),
            self._tips[ui.batchSaveButton],
        )
        waiting = len(self.queue.waiting)
        reason = _("Wait for the run or cancel it.") if busy else _("No case is waiting.")
        each = self._seconds()
        time = Messages.seconds(None if each is None else each * waiting)
        tip = _("Runs all waiting cases, {time}.").format(time=time)
        gate(ui.batchRunButton, bool(waiting) and not busy, reason, tip)
        self._fillTable()

    def add(self):
        """Queue the ticked images with the tracer, quality and model of this moment."""
        ui, environment = self._context.ui, self._context.environment
        request = self._makeRequest()
        for node in list(ui.batchT1wSelector.checkedNodes()):
            facts = Scene.patientFacts(environment, node)
            clinical = ClinicalRecord(age=_plausible(facts.ageYears), sex=facts.sex)
            flairs = Scene.findFlairCandidates(environment, node)
            self.queue.add(
                Case(
                    t1=node.GetID(),
                    flair=flairs[0].GetID() if flairs else None,
                    request=replace(request, clinical=clinical, cognition_shapes_picture=False),
                    name=node.GetName(),
                )
            )
            ui.batchT1wSelector.setCheckState(node, qt.Qt.Unchecked)
        self.refresh()

    def addCsv(self, path):
        """Queue the cases of a CSV file: all of them, or none when a row is wrong."""
        try:
            cases = casesOf(path, self._makeRequest())
        except PETSynthError as problem:
            self._tell(f"{problem.text} {problem.hint}")
            return
        for case in cases:
            self.queue.add(case)
        self.refresh()

    def saveCsv(self, path):
        """Write the queue so that panel and command line can load it."""
        files = [self._files(case) for case in self.queue.cases]
        pairs = list(zip(self.queue.cases, files, strict=True))
        unsaved = [name for case, known in pairs for name in self._unsaved(case, known)]
        if unsaved:
            text = _("Save {names} as NRRD or NIfTI first: the list names files.")
            self._tell(text.format(names=", ".join(unsaved)))
            return
        try:
            write_queue(Path(path), [rowOf(case, known) for case, known in pairs])
        except OSError as problem:
            text = _("The list cannot be written ({reason}).")
            self._tell(text.format(reason=problem.strerror))

    def changeFlair(self, row):
        """Pair a waiting case with the next FLAIR of its patient, or with none."""
        case = self.queue.cases[row]
        if case.isFile or case.state is not CaseState.WAITING:
            return
        choices = [None, *self._flairs(case)]
        present = choices.index(case.flair) if case.flair in choices else 0
        case.flair = choices[(present + 1) % len(choices)]
        self.refresh()

    def remove(self):
        """Remove the selected rows that wait."""
        self.queue.remove(self._selectedRows())
        self.refresh()

    def run(self):
        """Run all that wait, one after the other."""
        if not self._context.locked:
            self._launchNext()

    def _launchNext(self):
        while case := self.queue.next():
            try:
                order = self._order(case)
                if why := self._stopping(order):
                    self.queue.end(CaseState.SKIPPED, why)
                    continue
                self._context.launcher.launch(order)
            except (PETSynthError, RuntimeError, OSError) as problem:
                self.queue.end(CaseState.FAILED, str(problem))
                continue
            break
        self.refresh()

    def _stopping(self, order):
        """What the quick look found that stops a run, or an empty string."""
        environment = self._context.environment
        nodes = [environment.node(nodeId) for nodeId in (order.t1Id, order.flairId)]
        for finding in Scene.quickFindings(environment, *nodes):
            if as_overridden(finding, order.request.overridden_checks).verdict is Verdict.RED:
                return sentence(finding.key, finding.value, finding.sentence)
        return ""

    def _order(self, case):
        ids = [case.t1, case.flair, case.mask]
        if case.isFile:
            kinds = (False, False, True)
            ids = [_load(path, labels) for path, labels in zip(ids, kinds, strict=True)]
        elif self._context.environment.node(case.t1) is None:
            raise RuntimeError(_("The image was removed from the scene."))
        # A queue neither switches views nor shows previews.
        return SynthesisOrder(*ids, case.request, show=False)

    def _onFinished(self, state):
        if self.queue.running is None:
            return
        controller = self._context.controller
        if state is State.DONE:
            seconds = round(controller.forecast.elapsed)
            self.queue.end(CaseState.DONE, _("{n} s").format(n=seconds))
        elif state is State.FAILED:
            self.queue.end(CaseState.FAILED, controller.message.text)
        else:
            self.queue.end(CaseState.CANCELLED)
        if self.queue.active:
            # From the event loop: the controller has first to finish what it is saying.
            later(0, self._launchNextIfActive)
        self.refresh()

    def _launchNextIfActive(self):
        if self.queue.active and not self._context.locked:
            self._launchNext()

    def _onCsv(self):
        title = _("List of cases")
        path = qt.QFileDialog.getOpenFileName(
            self._context.ui.batchCard, title, "", _("Lists (*.csv)")
        )
        if path:
            self.addCsv(path)

    def _onSave(self):
        title = _("List of cases")
        path = qt.QFileDialog.getSaveFileName(
            self._context.ui.batchCard, title, "petsynth-queue.csv", _("Lists (*.csv)")
        )
        if path:
            self.saveCsv(path)

    def _onCell(self, row, column):
        if column == _FLAIR_COLUMN:
            self.changeFlair(row)

    def _tell(self, text):
        self._context.controller.tell(Messages.Message(Messages.Kind.RED, text))

    def _flairs(self, case):
        """Ids of the FLAIR images that may belong to a case of the scene."""
        node = self._context.environment.node(case.t1)
        if node is None:
            return []
        return [n.GetID() for n in Scene.findFlairCandidates(self._context.environment, node)]

    def _files(self, case):
        """Paths of T1w, FLAIR and mask; None for what is not there or not a file."""
        names = (case.t1, case.flair, case.mask)
        return names if case.isFile else tuple(self._fileOf(name) for name in names)

    def _unsaved(self, case, files):
        """Names of the images of a case that are no files."""
        ids = (case.t1, case.flair, case.mask)
        lost = [nodeId for nodeId, file in zip(ids, files, strict=True) if nodeId and not file]
        nodes = [self._context.environment.node(nodeId) for nodeId in lost]
        return [case.name if node is None else node.GetName() for node in nodes]

    def _fileOf(self, nodeId):
        node = self._context.environment.node(nodeId)
        storage = None if node is None else node.GetStorageNode()
        path = "" if storage is None else storage.GetFullNameFromFileName() or ""
        there = path.lower().endswith(SUFFIXES) and Path(path).is_file()
        return path if there else None

    def _selectedRows(self):
        table = self._context.ui.batchTable
        return sorted({item.row() for item in table.selectedItems()})

    def _fillTable(self):
        table = self._context.ui.batchTable
        rows = [self._row(case) for case in self.queue.cases]
        before = [[table.item(r, c).text() for c in range(4)] for r in range(table.rowCount)]
        if rows == before:
            return
        with quiet(table):
            table.setRowCount(len(rows))
            for number, (row, case) in enumerate(zip(rows, self.queue.cases, strict=True)):
                request = case.request
                tip = case.told or f"{request.tracer}, {request.preset.value}, {request.model}"
                for column, text in enumerate(row):
                    item = qt.QTableWidgetItem(text)
                    item.setToolTip(self._flairTip(case) if column == _FLAIR_COLUMN else tip)
                    table.setItem(number, column, item)

    def _flairTip(self, case):
        if case.isFile:
            return _("The FLAIR is the one that the list names.")
        if case.state is not CaseState.WAITING:
            return _("The FLAIR can be changed only while the case waits.")
        count = len(self._flairs(case))
        if not count:
            return _("No image called FLAIR belongs to this patient.")
        return _("Click to change: none, or one of {n} of this patient.").format(n=count)

    def _row(self, case):
        if case.isFile:
            flair = Path(case.flair).name if case.flair else _("none")
        else:
            node = self._context.environment.node(case.flair)
            flair = _("none") if node is None else node.GetName()
        clinical = case.request.clinical
        known = [f"{clinical.age:.0f}" if clinical.age is not None else "", clinical.sex or ""]
        state = _stateWords(case.state)
        if case.state is CaseState.DONE:
            state = f"{state}, {case.told}"
        elif case.told:
            state = f"{state}: {case.told}"
        return [case.name, flair, " ".join(filter(None, known)) or _("unknown"), state]


def _load(path, labels):
    """Id of the node of a file, None for none."""
    if path is None:
        return None
    return slicer.util.loadVolume(path, {"show": False, "labelmap": labels}).GetID()


def _plausible(age):
    return float(age) if age is not None and 18 <= age <= 110 else None


def _stateWords(state):
    return {
        CaseState.WAITING: _("waiting"),
        CaseState.RUNNING: _("running"),
        CaseState.DONE: _("done"),
        CaseState.FAILED: _("failed"),
        CaseState.CANCELLED: _("cancelled"),
        CaseState.SKIPPED: _("skipped"),
    }[state]
