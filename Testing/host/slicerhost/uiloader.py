"""QUiLoader as Slicer has it: it knows the ctk and qMRML classes and passes the scene on as wired.

A `.ui` file that names a class nobody provides, or gives two widgets one name, is refused here,
where Slicer would show an empty place or take either of the two. Scene connections
(``mrmlSceneChanged(vtkMRMLScene*)`` to ``setMRMLScene(vtkMRMLScene*)``) are replayed exactly as
the file wires them: a selector that was forgotten stays empty, as in Slicer.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from PySide6 import QtCore, QtUiTools

from .signals import arm

standIns: dict[str, type] = {}  # class name in the .ui -> stand-in; filled by the widget modules


def standIn(namespace: dict[str, Any]) -> Any:
    """Class decorator: offer a stand-in to `.ui` files and in a module (`ctk` or `slicer`)."""

    def register(widgetClass: type) -> type:
        standIns[widgetClass.__name__] = widgetClass
        namespace[widgetClass.__name__] = widgetClass
        return widgetClass

    return register


class UiLoader(QtUiTools.QUiLoader):
    """Loads one `.ui` file."""

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._unknown: list[str] = []

    def createWidget(self, className: str, parent: Any = None, name: str = "") -> Any:
        if className in standIns:
            widget = standIns[className](parent)
            widget.setObjectName(name)
            return arm(widget)
        # Qt makes a plain QWidget of a class it does not know, and says so on stderr only.
        if className not in self.availableWidgets() and className not in ("Line", "QWidget"):
            self._unknown.append(f"{className} '{name}'")
        widget = super().createWidget(className, parent, name)
        return widget if widget is None else arm(widget)

    def load(self, device: QtCore.QIODevice, parent: Any = None) -> Any:
        root = ET.fromstring(bytes(device.readAll().data()))
        names = [w.get("name") for w in root.iter("widget")]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            msg = f"the .ui file gives several widgets one name: {', '.join(map(str, twice))}"
            raise RuntimeError(msg)
        wiring = _takeSceneConnections(root)
        buffer = QtCore.QBuffer()
        buffer.setData(QtCore.QByteArray(ET.tostring(root)))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        self._unknown.clear()
        widget = super().load(buffer, parent)
        if self._unknown:
            msg = (
                "the .ui file uses classes that the test host does not provide (a typing mistake, "
                f"or a stand-in to be written): {', '.join(self._unknown)}"
            )
            raise RuntimeError(msg)
        children = [arm(child) for child in widget.findChildren(QtCore.QObject)]
        # Wrappers that nobody holds would be collected, and made anew without what they were told.
        widget.__dict__["_loadedChildren"] = children
        byName = {child.objectName: child for child in [*children, widget]}
        for sender, receiver, slot in wiring:
            if sender not in byName or receiver not in byName:
                msg = f"the .ui file connects {sender} with {receiver}; one of them is not there"
                raise RuntimeError(msg)
            receivers = byName[sender].__dict__.setdefault("_sceneReceivers", [])
            receivers.append((byName[receiver], slot))
        return widget


def _takeSceneConnections(root: ET.Element) -> list[tuple[str, str, str]]:
    """Remove the connections with MRML types, unknown to Qt here; return sender, receiver, slot."""
    wiring = []
    for connections in root.findall("connections"):
        for connection in list(connections):
            if "vtkMRML" not in (connection.findtext("signal") or ""):
                continue
            connections.remove(connection)
            slot = (connection.findtext("slot") or "").split("(")[0]
            sender = connection.findtext("sender") or ""
            wiring.append((sender, connection.findtext("receiver") or "", slot))
    return wiring
