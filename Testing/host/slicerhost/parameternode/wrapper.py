"""`parameterNodeWrapper`: typed members over a vtkMRMLScriptedModuleNode, and their widgets."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtWidgets

from .connectors import Connector, makeConnector
from .pack import Member, membersOf, memberType

SlicerParameterNamePropertyName = "SlicerParameterName"


class _Wrapper:
    """The methods that the decorator gives a class."""

    allParameters: dict[str, Member]

    def _start(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._prefix = prefix or ""
        self._guis: dict[int, tuple[dict[str, Connector], int]] = {}
        self._nextTag = 0
        self._updatingWidgets = False
        for name, member in self.allParameters.items():
            if not member.storage.isIn(parameterNode, self._prefix + name):
                member.storage.write(parameterNode, self._prefix + name, member.default)

    def getValue(self, dotted: str) -> Any:
        memberType(self.allParameters, dotted)
        top, _, rest = dotted.partition(".")
        value = getattr(self, top)
        return value.getValue(rest) if rest else value

    def setValue(self, dotted: str, value: Any) -> None:
        memberType(self.allParameters, dotted)
        top, _, rest = dotted.partition(".")
        if rest:
            getattr(self, top).setValue(rest, value)
        else:
            setattr(self, top, value)

    def default(self, name: str) -> Any:
        memberType(self.allParameters, name)
        return self.allParameters[name].default

    def connectGui(self, gui: Any) -> int:
        """Bind each widget with a SlicerParameterName, of a widget tree or a namespace."""
        if isinstance(gui, QtWidgets.QWidget):
            widgets = gui.findChildren(QtWidgets.QWidget)
        else:
            widgets = list(gui.__dict__.values())
        named = {w.property(SlicerParameterNamePropertyName): w for w in widgets}
        named.pop(None, None)
        return self.connectParametersToGui({name: w for name, w in named.items() if name})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        datatypes = {name: memberType(self.allParameters, name) for name in mapping}
        connectors = {
            name: widget
            if isinstance(widget, Connector)
            else makeConnector(widget, datatypes[name])
            for name, widget in mapping.items()
        }
        tag, self._nextTag = self._nextTag, self._nextTag + 1
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(lambda n=name, c=connector: self._fromWidget(n, c))
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._toWidgets())
        self._guis[tag] = (connectors, observer)
        return tag

    def disconnectGui(self, tag: int) -> None:
        connectors, observer = self._guis.pop(tag, ({}, None))
        for connector in connectors.values():
            connector.onChanged(None)
        if observer is not None:
            self.RemoveObserver(observer)

    def _fromWidget(self, name: str, connector: Connector) -> None:
        if not self._updatingWidgets:
            with slicer.util.NodeModify(self):
                self.setValue(name, connector.read())

    def _toWidgets(self) -> None:
        if self._updatingWidgets:
            return
        self._updatingWidgets = True
        try:
            for connectors, _ in self._guis.values():
                for name, connector in connectors.items():
                    connector.write(self.getValue(name))
        finally:
            self._updatingWidgets = False

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModifying: int) -> None:
        self.parameterNode.EndModify(wasModifying)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def _makeProperty(member: Member) -> property:
    def get(self: Any) -> Any:
        name = self._prefix + member.name
        if not member.storage.isIn(self.parameterNode, name):
            member.storage.write(self.parameterNode, name, member.default)
        return member.storage.read(self.parameterNode, name)

    def put(self: Any, value: Any) -> None:
        member.storage.write(self.parameterNode, self._prefix + member.name, value)

    return property(get, put)


def parameterNodeWrapper(wrapped: type | None = None) -> Any:
    """Class decorator."""
    if wrapped is None:
        return parameterNodeWrapper
    members = membersOf(wrapped)
    reserved = [n for n in members if hasattr(_Wrapper, n)]
    if reserved:
        msg = f"reserved names in {wrapped.__name__}: {', '.join(reserved)}"
        raise ValueError(msg)
    for member in members.values():
        setattr(wrapped, member.name, _makeProperty(member))
    for name, method in vars(_Wrapper).items():
        if not name.startswith("__"):
            setattr(wrapped, name, method)
    wrapped.__init__ = _Wrapper._start
    wrapped.allParameters = members
    wrapped.dataType = staticmethod(lambda dotted: memberType(members, dotted))
    wrapped._is_parameter_node_wrapper = True
    return wrapped


def isParameterNodeWrapper(candidate: Any) -> bool:
    return getattr(candidate, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """The widget in a tree that is bound to a parameter, or None."""
    for child in widget.findChildren(QtWidgets.QWidget):
        if child.property(SlicerParameterNamePropertyName) == parameter:
            return child
    return None
