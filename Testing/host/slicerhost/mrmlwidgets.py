"""Stand-ins for Slicer's widgets that show parts of the MRML scene, over the real scene.

As in Slicer, a widget knows no scene until it is given one: by `setMRMLScene`, or by a connection
in the `.ui` file from the panel's ``mrmlSceneChanged``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import shiboken6
import slicer
import vtk
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Qt, Signal

from .ctkwidgets import ctkRangeWidget, ctkSliderWidget, row, stored
from .uiloader import standIn

qmrml: dict[str, Any] = {}  # what is added to the module `slicer`


class _Observing:
    """Observes VTK objects without keeping the widget alive, or calling it when it is gone.

    Nothing of a widget that is gone stays with what it observed: the scene lasts as long as the
    process, and would tell every panel there ever was of every node.
    """

    def _observe(self, subject: Any, events: tuple[Any, ...], method: Callable[[], None]) -> None:
        reference = weakref.WeakMethod(method)

        def callback(caller: Any, _event: str) -> None:
            bound = reference()
            if bound is not None and shiboken6.isValid(bound.__self__):
                bound()
                return
            for tag in tags:
                caller.RemoveObserver(tag)

        tags = [subject.AddObserver(event, callback) for event in events]
        self.__dict__.setdefault("_observations", []).extend((subject, tag) for tag in tags)

    def _stopObserving(self) -> None:
        for subject, tag in self.__dict__.pop("_observations", []):
            subject.RemoveObserver(tag)


@standIn(qmrml)
class qMRMLWidget(QtWidgets.QWidget):
    """The outermost widget of a panel; hands its scene to the widgets wired to it."""

    mrmlSceneChanged = Signal(object)
    slicerSignals: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        for widget, slot in self.__dict__.get("_sceneReceivers", []):
            getattr(widget, slot)(scene)
        self.mrmlSceneChanged.emit(scene)


@standIn(qmrml)
class qSlicerWidget(qMRMLWidget):
    pass


class NodeFilter(QtCore.QObject):
    """The property of `qMRMLSortFilterProxyModel` that hides single nodes."""

    def __init__(self, selector: qMRMLNodeComboBox) -> None:
        super().__init__(selector)
        self._selector = selector
        self._hidden: list[str] = []

    def _hide(self, nodeIDs: list[str]) -> None:
        self._hidden = list(nodeIDs)
        self._selector._refresh()

    hiddenNodeIDs = Property("QStringList", lambda self: self._hidden, _hide)


@standIn(qmrml)
class qMRMLNodeComboBox(QtWidgets.QWidget, _Observing):
    """Chooses one node of given types."""

    currentNodeChanged = Signal(object)
    currentNodeValid = Signal(bool)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAddedByUser = Signal(object)
    slicerSignals: ClassVar = {
        "currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
        "currentNodeChanged(bool)": "currentNodeValid",
        "nodeActivated(vtkMRMLNode*)": "nodeActivated",
        "nodeAddedByUser(vtkMRMLNode*)": "nodeAddedByUser",
    }

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._combo = QtWidgets.QComboBox()
        row(self, self._combo)
        self._scene = None
        self._nodeID = ""
        self._attributes: list[tuple[str, str, Any]] = []
        self._settings: dict[str, Any] = {}
        self._filter = NodeFilter(self)
        self._combo.activated.connect(self._onActivated)

    def _setting(kind: Any, name: str, default: Any) -> Property:
        def put(self: Any, value: Any) -> None:
            self._settings[name] = list(value) if kind == "QStringList" else value
            self._refresh()

        return Property(kind, lambda self: self._settings.get(name, default), put)

    nodeTypes = _setting("QStringList", "nodeTypes", [])
    hideChildNodeTypes = _setting("QStringList", "hideChildNodeTypes", [])
    showChildNodeTypes = _setting(bool, "showChildNodeTypes", True)
    showHidden = _setting(bool, "showHidden", False)
    noneEnabled = _setting(bool, "noneEnabled", False)
    noneDisplay = _setting(str, "noneDisplay", "None")
    addEnabled = _setting(bool, "addEnabled", True)
    removeEnabled = _setting(bool, "removeEnabled", True)
    editEnabled = _setting(bool, "editEnabled", False)
    renameEnabled = _setting(bool, "renameEnabled", False)
    baseName = _setting(str, "baseName", "")
    selectNodeUponCreation = _setting(bool, "selectNodeUponCreation", True)
    interactionNodeSingletonTag = _setting(str, "interactionNodeSingletonTag", "")
    del _setting

    def addAttribute(self, nodeType: str, name: str, value: Any = None) -> None:
        """Show only nodes with the attribute (of the value, when one is given)."""
        self._attributes.append((nodeType, name, value))
        self._refresh()

    def sortFilterProxyModel(self) -> NodeFilter:
        """What is left out of the list."""
        return self._filter

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._stopObserving()
        self._scene = scene
        if scene is not None:
            events = slicer.vtkMRMLScene
            changes = (
                events.NodeAddedEvent,
                events.NodeRemovedEvent,
                events.EndImportEvent,
                events.EndRestoreEvent,
                events.EndCloseEvent,
            )
            self._observe(scene, changes, self._refresh)
        self._refresh()

    def _shows(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        if node.GetID() in self._filter.hiddenNodeIDs:
            return False
        if self.showChildNodeTypes:
            wanted = any(node.IsA(name) for name in self.nodeTypes)
        else:
            wanted = node.GetClassName() in self.nodeTypes
        if not wanted or any(node.IsA(name) for name in self.hideChildNodeTypes):
            return False
        for nodeType, name, value in self._attributes:
            if node.IsA(nodeType):
                has = node.GetAttribute(name)
                if has is None or (value is not None and has != str(value)):
                    return False
        return True

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        count = self._scene.GetNumberOfNodes()
        return [n for n in map(self._scene.GetNthNode, range(count)) if self._shows(n)]

    def _refresh(self) -> None:
        # As Slicer's model: nothing is shown anew while a scene is loaded or closed. A parameter
        # that a loaded scene brings is therefore set before its selector can show it: a panel has
        # to write its widgets again at EndImportEvent.
        if self._scene is not None and (self._scene.IsImporting() or self._scene.IsClosing()):
            return
        nodes = self._nodes()
        self._combo.blockSignals(True)
        self._combo.clear()
        if self.noneEnabled or not nodes:
            self._combo.addItem(self.noneDisplay, "")
        for node in nodes:
            self._combo.addItem(node.GetName() or "", node.GetID())
        self._combo.blockSignals(False)
        ids = [node.GetID() for node in nodes]
        first = ids[0] if ids and not self.noneEnabled else ""
        self._choose(self._nodeID if self._nodeID in ids else first)

    def _choose(self, nodeID: str) -> None:
        self._combo.setCurrentIndex(max(0, self._combo.findData(nodeID)))
        if nodeID == self._nodeID:
            return
        self._nodeID = nodeID
        node = self.currentNode()
        self.currentNodeChanged.emit(node)
        self.currentNodeValid.emit(node is not None)
        self.currentNodeIDChanged.emit(nodeID)

    def _onActivated(self, index: int) -> None:
        self._choose(self._combo.itemData(index) or "")
        self.nodeActivated.emit(self.currentNode())

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._nodeID) if self._scene and self._nodeID else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node else "")

    def setCurrentNodeID(self, nodeID: str | None) -> None:
        """Choose a node; one that the widget does not show means none, as in Slicer."""
        self._refresh()
        known = bool(nodeID) and self._combo.findData(nodeID) >= 0
        self._choose(nodeID if known else "")

    currentNodeID = Property(
        str, lambda self: self._nodeID, setCurrentNodeID, notify=currentNodeIDChanged
    )

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self._nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def addNode(self, nodeType: str | None = None) -> Any:
        """Add a node as the menu entry "Create new" does."""
        kind = nodeType or self.nodeTypes[0]
        name = self.baseName or kind.removeprefix("vtkMRML").removesuffix("Node")
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(name))
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node


@standIn(qmrml)
class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Ticks several nodes; the ticks are kept by node ID."""

    checkedNodesChanged = Signal()

    def checkState(self, node: Any) -> Any:
        ticked = node.GetID() in self.__dict__.get("_ticked", set())
        return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked

    def setCheckState(self, node: Any, state: Any) -> None:
        ticked = self.__dict__.setdefault("_ticked", set())
        change = ticked.add if state == Qt.CheckState.Checked else ticked.discard
        change(node.GetID())
        self.checkedNodesChanged.emit()

    def checkedNodes(self) -> list[Any]:
        ticked = self.__dict__.get("_ticked", set())
        return [node for node in self._nodes() if node.GetID() in ticked]


@standIn(qmrml)
class qMRMLSegmentSelectorWidget(QtWidgets.QWidget):
    """Chooses a segmentation and one of its segments."""

    currentNodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)
    slicerSignals: ClassVar = {"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged"}

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._nodes = qMRMLNodeComboBox()
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.noneEnabled = True
        self._segments = QtWidgets.QComboBox()
        row(self, self._nodes, self._segments)
        self._nodes.currentNodeChanged.connect(self._fill)
        self._segments.currentIndexChanged.connect(
            lambda _index: self.currentSegmentChanged.emit(self.currentSegmentID())
        )

    def setMRMLScene(self, scene: Any) -> None:
        self._nodes.setMRMLScene(scene)

    def _fill(self, node: Any) -> None:
        self._segments.clear()
        if node is not None:
            segmentation = node.GetSegmentation()
            for index in range(segmentation.GetNumberOfSegments()):
                name = segmentation.GetNthSegment(index).GetName()
                self._segments.addItem(name, segmentation.GetNthSegmentID(index))
        self.currentNodeChanged.emit(node)

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def currentSegmentID(self) -> str:
        return self._segments.currentData or ""


@standIn(qmrml)
class qMRMLTableView(QtWidgets.QTableWidget, _Observing):
    """Shows a table node."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node = None

    def setMRMLScene(self, scene: Any) -> None:
        pass

    def mrmlTableNode(self) -> Any:
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        self._stopObserving()
        self._node = node
        if node is not None:
            self._observe(node, (vtk.vtkCommand.ModifiedEvent,), self._fill)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        table = self._node.GetTable() if self._node is not None else None
        columns = table.GetNumberOfColumns() if table else 0
        self.setColumnCount(columns)
        self.setRowCount(table.GetNumberOfRows() if table else 0)
        if table is None:
            return
        self.setHorizontalHeaderLabels([table.GetColumnName(c) or "" for c in range(columns)])
        for r in range(table.GetNumberOfRows()):
            for c in range(columns):
                item = QtWidgets.QTableWidgetItem(table.GetValue(r, c).ToString())
                self.setItem(r, c, item)


@standIn(qmrml)
class qMRMLSliderWidget(ctkSliderWidget):
    quantity = stored(str, "")

    def setMRMLScene(self, scene: Any) -> None:
        pass


@standIn(qmrml)
class qMRMLSpinBox(QtWidgets.QDoubleSpinBox):
    quantity = stored(str, "")

    def setMRMLScene(self, scene: Any) -> None:
        pass


@standIn(qmrml)
class qMRMLRangeWidget(ctkRangeWidget):
    quantity = stored(str, "")

    def setMRMLScene(self, scene: Any) -> None:
        pass
