"""The table in the card Quantify: header, rows, and where its buttons lead."""

import html

import qt
import slicer
from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.export.tables import region_words

from .Context import gate
from .SegmentStatistics import registerPlugin

_ROW_PX = 24
_GAP_PX = 14
_WIDEST = {"Side": "Side", "SUVR": "SUVR", "90 %": "0.00-0.00", "Flag": "v high"}
"""What has room in a column; z has room for a number."""
_DOWN, _UP = "\N{BLACK DOWN-POINTING TRIANGLE}", "\N{BLACK UP-POINTING TRIANGLE}"


class QuantifyTable:
    """Shows one measurement; a click on a row leads to its region."""

    def __init__(self, context):
        self._context = context
        self.nodes = None
        """The measurement that is shown (`PETSynthScene.QuantifiedNodes`), or None."""
        ui = context.ui
        self._buttons = (
            ui.chartButton,
            ui.fullTableButton,
            ui.segmentEditorButton,
            ui.statisticsButton,
        )
        self._tips = {button: button.toolTip for button in self._buttons}
        ui.quantTableView.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        ui.quantTableView.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        ui.quantTableView.setWordWrap(False)
        ui.quantTableView.verticalHeader().setVisible(False)
        ui.quantTableView.verticalHeader().setDefaultSectionSize(_ROW_PX)
        ui.quantTableView.connect("clicked(QModelIndex)", lambda index: self.onRow(index.row()))
        ui.quantTableView.connect("activated(QModelIndex)", lambda index: self.onRow(index.row()))
        ui.chartButton.connect("clicked(bool)", lambda: self.showChart())
        ui.fullTableButton.connect("clicked(bool)", lambda: self.showTable())
        ui.segmentEditorButton.connect("clicked(bool)", lambda: self.openSegmentEditor())
        ui.statisticsButton.connect("clicked(bool)", lambda: self.openStatistics())

    def show(self, nodes, said=""):
        """Show a measurement, or nothing and why.

        Parameters
        ----------
        nodes
            `PETSynthScene.QuantifiedNodes` of the PET as it is now, or None.
        said
            Stands in the place of the header where there is none.
        """
        ui, self.nodes = self._context.ui, nodes
        folded = ui.quantifyCard.collapsed
        ui.quantTableView.setVisible(nodes is not None and not folded)
        ui.quantHeaderLabel.setVisible(bool(nodes is not None or said) and not folded)
        short = None
        if nodes is None:
            ui.quantHeaderLabel.setText(html.escape(said))
        else:
            short = Scene.shortTable(self._context.environment, nodes.table, nodes.decrease)
            ui.quantHeaderLabel.setText(headerOf(nodes))
        if ui.quantTableView.mrmlTableNode() is not short:
            ui.quantTableView.setMRMLTableNode(short)
            if short is not None:
                self._fitColumns()
        for button in self._buttons:
            gate(button, nodes is not None, _("Click Quantify first."), self._tips[button])

    def _fitColumns(self):
        """Numbers get what they need, names the rest: nothing has to be scrolled sideways."""
        view = self._context.ui.quantTableView
        header = view.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.Interactive)
        table = view.mrmlTableNode().GetTable()
        for column in range(1, table.GetNumberOfColumns()):
            # Words in the place of a number are cut short; the whole table has them.
            sample = _WIDEST.get(table.GetColumnName(column), "-0.00")
            view.setColumnWidth(column, view.fontMetrics().boundingRect(sample).width() + _GAP_PX)
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)

    def onRow(self, row):
        """Go to the region of a row."""
        short = self._context.ui.quantTableView.mrmlTableNode()
        found = None if short is None else Scene.regionOfRow(short, row)
        if found is not None and self.nodes is not None and self.nodes.regions is not None:
            Scene.showRegion(self._context.environment, self.nodes.regions, *found)

    def showChart(self):
        """The bars in Slicer's plot view."""
        if self.nodes.chart is not None:
            Scene.showChart(self._context.environment, self.nodes.chart)

    def showTable(self):
        """The whole table in Slicer's table view."""
        Scene.showTable(self._context.environment, self.nodes.table)

    def openSegmentEditor(self):
        """The regions in Slicer's Segment Editor."""
        if self.nodes.regions is None:
            return
        Scene.showAllRegions(self.nodes.regions)
        slicer.util.selectModule("SegmentEditor")
        widget = getattr(slicer.modules, "SegmentEditorWidget", None)
        if widget is not None:
            widget.editor.setSegmentationNode(self.nodes.regions)

    def openStatistics(self):
        """The regions in Slicer's Segment Statistics, which also knows SUVR, interval and z."""
        registerPlugin()
        if self.nodes.regions is not None:
            # It leaves out what is hidden, and a click on a row hides all other regions.
            Scene.showAllRegions(self.nodes.regions)
        slicer.util.selectModule("SegmentStatistics")
        widget = getattr(slicer.modules, "SegmentStatisticsWidget", None)
        if widget is not None and self.nodes.regions is not None:
            widget.segmentationSelector.setCurrentNode(self.nodes.regions)
            widget.scalarSelector.setCurrentNode(self.nodes.suvr or self.nodes.pet)


def headerOf(nodes):
    """What the numbers of a measurement rest on, as rich text."""

    def fact(name):
        return nodes.table.GetAttribute(f"PETSynth.Measurement.{name}") or ""

    reference = _("{region} {ml} mL, CV {cv} %").format(
        region=region_words(fact("Reference")),
        ml=fact("ReferenceMl"),
        cv=fact("ReferenceCvPercent"),
    )
    parts = [f"<b>{html.escape(fact('Mark'))}</b>", html.escape(reference)]
    title = fact("DatabaseTitle")
    parts.append(html.escape(title) if title else _("no normals"))
    if fact("Intervals") == "1":
        parts.append(_("calibrated 90 % intervals"))
    if title:
        low = nodes.decrease
        words = _("low") if low else _("high")
        arrow = _DOWN if low else _UP
        parts.append(
            _("z{arrow} is positive where uptake is {words}").format(arrow=arrow, words=words)
        )
    # What the policy puts before every number stands before them here too.
    first = [line for line in Scene.headerOf(nodes.table) if line in _firstLines(nodes)]
    return "<br/>".join([*(html.escape(line) for line in first), " · ".join(parts)])


def _firstLines(nodes):
    record = nodes.record
    return tuple(filter(None, (record.get("Opening"), record.get("Banner"))))
