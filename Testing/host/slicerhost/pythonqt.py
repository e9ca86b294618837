"""The module `qt`: PySide6's classes with the manners that PythonQt has inside Slicer.

- A Qt property is an attribute: ``label.text`` is a string and ``label.text()`` fails.
  (`from __feature__ import true_property` is no help: it takes the setters away.)
- ``setText`` and the other setters stay; ``name`` is the object's name; ``delete()`` deletes.
- ``connect("clicked(bool)", f)`` checks the signature (`signals.py`).
- What does not work from Python in Slicer is not there: ``qt.Signal``, ``qt.Slot``,
  ``qt.QThread``.
- The static functions of QFileDialog return a path, not a tuple.

The classes are patched in place, for the whole process, since a module may meet objects that Qt
made.
"""

from __future__ import annotations

import types
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets

from .signals import arm

# Shiboken takes a class attribute of a virtual method's name for an override of that method.
_VIRTUAL = {"sizeHint", "minimumSizeHint"}
_ABSENT = ("Signal", "Slot", "Property", "QThread", "QThreadPool", "QRunnable", "ClassInfo")
_FILE_DIALOGS = ("getOpenFileName", "getOpenFileNames", "getSaveFileName")


class _QtProperty:
    """A Qt property: an attribute of an object; on the class still the method of that name."""

    def __init__(self, owner: type, name: str, writable: bool) -> None:
        self._name = name
        self._writable = writable
        self._getter = getattr(owner, name, None)
        self._setter = getattr(owner, "set" + name[0].upper() + name[1:], None)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self._getter if self._getter is not None else self
        if callable(self._getter) and not isinstance(self._getter, QtCore.Signal):
            try:
                return self._getter(instance)
            except TypeError:  # a method of the same name that takes arguments
                pass
        return QtCore.QObject.property(instance, self._name)

    def __set__(self, instance: Any, value: Any) -> None:
        if not self._writable:
            msg = f"property '{self._name}' of {type(instance).__name__} is read-only"
            raise AttributeError(msg)
        if self._setter is not None:
            self._setter(instance, value)
        else:
            instance.setProperty(self._name, value)


def makeQtModule() -> types.ModuleType:
    """Patch PySide6 and return the module that modules import as `qt`. Call once a process."""
    qt = types.ModuleType("qt", "PySide6 with PythonQt's manners, for tests")
    classes: list[type] = []
    for source in (QtCore, QtGui, QtWidgets, QtUiTools, QtNetwork):
        for name in dir(source):
            if name.startswith("_") or name in _ABSENT:
                continue
            value = getattr(source, name)
            setattr(qt, name, value)
            if isinstance(value, type) and issubclass(value, QtCore.QObject):
                classes.append(value)
    for qtClass in dict.fromkeys(classes):
        _makePropertiesAttributes(qtClass)
    for qtClass in dict.fromkeys(classes):
        _armInConstructor(qtClass)
    QtCore.QObject.delete = lambda self: shiboken6.delete(self)
    QtCore.QObject.className = lambda self: self.metaObject().className()
    QtCore.QObject.name = property(
        lambda self: self.objectName, lambda self, value: self.setObjectName(value)
    )
    for name in _FILE_DIALOGS:
        setattr(QtWidgets.QFileDialog, name, staticmethod(_pathOnly(name)))
    from .uiloader import UiLoader

    qt.QUiLoader = UiLoader
    return qt


def _makePropertiesAttributes(qtClass: type) -> None:
    meta = qtClass.staticMetaObject
    for index in range(meta.propertyOffset(), meta.propertyCount()):
        prop = meta.property(index)
        name = prop.name()
        if name not in _VIRTUAL and not name.startswith("_"):
            setattr(qtClass, name, _QtProperty(qtClass, name, prop.isWritable()))


def _armInConstructor(qtClass: type) -> None:
    original = qtClass.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        arm(self)

    qtClass.__init__ = __init__


def _pathOnly(name: str) -> Any:
    original = getattr(QtWidgets.QFileDialog, name)
    return lambda *args, **kwargs: original(*args, **kwargs)[0]
