"""`object.connect("signal(types)", callable)` as PythonQt offers it, with the signature checked.

PySide6 finds `connect` and `disconnect` of a QObject before it looks at the class, so a patched
class would be ignored; an entry in the instance's own `__dict__` wins. `arm` makes that entry,
and every object that comes from a constructor or from the `.ui` loader is armed. Objects that Qt
hands out by itself (a table's header, its selection model) are not: use
`header.sectionClicked.connect(f)` there, which works in Slicer too.

A stand-in class may name, in `slicerSignals`, the C++ signatures of signals whose Python type is
`object`: ``{"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged"}``.
"""

from __future__ import annotations

import inspect
import re
import weakref
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

_SIGNATURE = re.compile(r"(\w+)\((.*)\)$")
_armed: weakref.WeakSet[QtCore.QObject] = weakref.WeakSet()
# What the host itself keeps in an object's __dict__.
_OWN_ENTRIES = {"connect", "disconnect", "_connections", "_sceneReceivers", "_loadedChildren"}


def arm(qobject: QtCore.QObject) -> QtCore.QObject:
    """Give one object PythonQt's `connect` and `disconnect`; returns the object."""
    if "connect" not in qobject.__dict__:
        reference = weakref.ref(qobject)  # no cycle: the object's life stays as PySide made it
        qobject.__dict__["connect"] = lambda *args: _connect(reference(), *args)
        qobject.__dict__["disconnect"] = lambda *args: _disconnect(reference(), *args)
        _armed.add(qobject)
    return qobject


def strayAttributes() -> list[str]:
    """List attributes that a module set on Qt's own objects and that Qt does not have.

    PythonQt refuses them (`button.tooltip = ...`); PySide6 takes them in silence, so that they have
    to be looked for afterwards.
    """
    stray = []
    for qobject in list(_armed):
        if not type(qobject).__module__.startswith("PySide6"):
            continue
        for name, value in list(qobject.__dict__.items()):
            if name not in _OWN_ENTRIES and not isinstance(value, QtCore.SignalInstance):
                stray.append(f"{type(qobject).__name__} '{qobject.objectName}' .{name}")
    return sorted(stray)


def _signatures(qobject: QtCore.QObject) -> list[str]:
    meta = qobject.metaObject()
    methods = (meta.method(i) for i in range(meta.methodCount()))
    signals = [
        bytes(m.methodSignature().data()).decode()
        for m in methods
        if m.methodType() == QtCore.QMetaMethod.MethodType.Signal
    ]
    return [*signals, *getattr(type(qobject), "slicerSignals", {})]


def _resolve(qobject: QtCore.QObject, signature: str) -> tuple[str, QtCore.SignalInstance, int]:
    """Return the normalized signature, the bound signal and the number of its arguments."""
    known = getattr(type(qobject), "slicerSignals", {})
    normalized = bytes(QtCore.QMetaObject.normalizedSignature(signature).data()).decode()
    match = _SIGNATURE.match(normalized)
    if match is None:
        msg = f"{type(qobject).__name__}.connect: {signature!r} is no signature, e.g. clicked(bool)"
        raise ValueError(msg)
    name, arguments = match.groups()
    if normalized in known:
        signal = getattr(qobject, known[normalized])
    elif qobject.metaObject().indexOfSignal(normalized) >= 0:
        signal = _overload(getattr(qobject, name), normalized)
    else:
        alike = [s for s in _signatures(qobject) if s.lower().startswith(name.lower() + "(")]
        msg = (
            f"{type(qobject).__name__} '{qobject.objectName}' has no signal {normalized}; "
            f"signals of that name: {', '.join(alike) or 'none'}"
        )
        raise ValueError(msg)
    return normalized, signal, arguments.count(",") + 1 if arguments else 0


def _overload(signal: QtCore.SignalInstance, normalized: str) -> QtCore.SignalInstance:
    """Of a signal with several signatures, the one that was asked for."""
    try:
        return signal[normalized]
    except (IndexError, KeyError, TypeError):
        return signal


def _positional(function: Callable[..., Any]) -> int:
    """How many positional arguments the callable takes; a large number for any."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 99
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 99
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _connect(qobject: QtCore.QObject, signature: str, *receiver: Any) -> bool:
    """`connect(signature, callable)` or `connect(signature, receiver, slotSignature)`."""
    normalized, signal, arity = _resolve(qobject, signature)
    function = _receiver(receiver)
    used = min(arity, _positional(function))
    slot = _withArguments(function, used)
    signal.connect(slot)
    connections = qobject.__dict__.setdefault("_connections", [])
    connections.append((normalized, function, signal, slot))
    return True


def _withArguments(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A slot of exactly `count` arguments; PySide counts them to choose what it passes."""
    if count == 0:
        return lambda: function()
    if count == 1:
        return lambda a: function(a)
    if count == 2:
        return lambda a, b: function(a, b)
    return lambda *args: function(*args[:count])


def _disconnect(qobject: QtCore.QObject, signature: str, *receiver: Any) -> bool:
    """Undo connections made by `connect`; without a receiver, all of that signal."""
    normalized, _, _ = _resolve(qobject, signature)
    function = _receiver(receiver) if receiver else None
    connections = qobject.__dict__.get("_connections", [])
    matching = [c for c in connections if c[0] == normalized and function in (None, c[1])]
    for connection in matching:
        connections.remove(connection)
        connection[2].disconnect(connection[3])
    return bool(matching)


def _receiver(receiver: tuple[Any, ...]) -> Callable[..., Any]:
    if len(receiver) == 1:
        if not callable(receiver[0]):
            msg = f"connect: {receiver[0]!r} cannot be called"
            raise TypeError(msg)
        return receiver[0]
    target, slot = receiver
    return getattr(target, slot.split("(")[0])
