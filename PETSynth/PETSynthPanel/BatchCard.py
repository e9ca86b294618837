"""Card Batch: a queue of several T1s."""

from dataclasses import replace

import qt
import slicer
from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import PETSynthError

from . import Messages
from .BatchQueue import BatchQueue, Case, CaseState, readCsv
from .Context import gate, quiet
from .Controller import State
from .Later import later
from .Launcher import Order


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
        buttons = (ui.batchAddButton, ui.batchCsvButton, ui.batchRemoveButton, ui.batchRunButton)
        self._tips = {button: button.toolTip for button in buttons}
        ui.batchT1wSelector.connect("checkedNodesChanged()", lambda: self.refresh())
        ui.batchAddButton.connect("clicked(bool)", lambda: self.add())
        ui.batchCsvButton.connect("clicked(bool)", lambda: self._onCsv())
        ui.batchRemoveButton.connect("clicked(bool)", lambda: self.remove())
        ui.batchRunButton.connect("clicked(bool)", lambda: self.run())
        ui.batchTable.connect("itemSelectionChanged()", lambda: self.refresh())
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
        """Queue the cases of a CSV file."""
        try:
            for case in readCsv(path, self._makeRequest()):
                self.queue.add(case)
        except PETSynthError as problem:
            text = f"{problem.text} {problem.hint}"
            self._context.controller.tell(Messages.Message(Messages.Kind.RED, text))
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
                self._context.launcher.launch(self._order(case))
            except (PETSynthError, RuntimeError, OSError) as problem:
                self.queue.end(CaseState.FAILED, str(problem))
                continue
            break
        self.refresh()

    def _order(self, case):
        ids = [case.t1, case.flair]
        if case.isFile:
            files = [
                slicer.util.loadVolume(path, {"show": False}) if path else None for path in ids
            ]
            ids = [None if node is None else node.GetID() for node in files]
        elif self._context.environment.node(case.t1) is None:
            raise RuntimeError(_("The image was removed from the scene."))
        # A queue neither switches views nor shows previews.
        return Order(ids[0], ids[1], None, case.request, show=False)

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
                    item.setToolTip(tip)
                    table.setItem(number, column, item)

    def _row(self, case):
        node = None if case.isFile else self._context.environment.node(case.flair)
        flair = case.flair or "" if case.isFile else "" if node is None else node.GetName()
        clinical = case.request.clinical
        known = [f"{clinical.age:.0f}" if clinical.age is not None else "", clinical.sex or ""]
        state = _(case.state.value)
        if case.state is CaseState.DONE:
            state = f"{state}, {case.told}"
        elif case.told:
            state = f"{state}: {case.told}"
        return [case.name, flair, " ".join(filter(None, known)) or _("unknown"), state]


def _plausible(age):
    return float(age) if age is not None and 18 <= age <= 110 else None
