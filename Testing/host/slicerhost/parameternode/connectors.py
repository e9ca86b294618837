"""Which widget can show which type, and how a value goes to it and comes back.

The pairs, and what is refused, are those of Slicer 5.12: an unbounded number on a slider, a text
on a path line, `int | None` on a spin box, a text on a combo box without `Choice`, a FloatRange
without `RangeBounds`. The widget's class must be exactly the one named.
"""

from __future__ import annotations

import enum
import math
import pathlib
import types
import typing
from collections.abc import Callable
from typing import Any

import slicer
from PySide6 import QtWidgets

from ..ctkwidgets import ctk
from ..mrmlwidgets import qmrml
from .annotations import (
    Choice,
    Decimals,
    Default,
    Maximum,
    Minimum,
    RangeBounds,
    SingleStep,
    WithinRange,
    first,
    split,
)
from .pack import FloatRange


class Connector:
    """Binds one widget to one value. Subclasses say which, and how."""

    widgets: tuple[type, ...] = ()
    signal = ""

    def __init__(self, widget: Any, datatype: Any) -> None:
        self.widget = widget
        self.kind, self.annotations = split(datatype)
        self._changed: Callable[[], None] | None = None
        self.prepare()

    @classmethod
    def canRepresent(cls, widget: Any, kind: Any) -> bool:
        return type(widget) in cls.widgets and cls.accepts(kind)

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        raise NotImplementedError

    def prepare(self) -> None:
        """Set the widget up for the type."""

    def read(self) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> None:
        raise NotImplementedError

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        """Call this when the user (or anyone) changes the widget; None ends it."""
        if self._changed is not None:
            getattr(self.widget, self.signal).disconnect(self._emit)
        self._changed = callback
        if callback is not None:
            getattr(self.widget, self.signal).connect(self._emit)

    def _emit(self, *_args: Any) -> None:
        if self._changed is not None:
            self._changed()

    def _bounds(self) -> tuple[float | None, float | None]:
        within = first(self.annotations, WithinRange)
        if within is not None:
            return within.minimum, within.maximum
        lower, upper = first(self.annotations, Minimum), first(self.annotations, Maximum)
        return lower.minimum if lower else None, upper.maximum if upper else None

    def _fail(self, reason: str) -> None:
        name = type(self.widget).__name__
        msg = f"{name} '{self.widget.objectName}' and {self.kind}: {reason}"
        raise RuntimeError(msg)


class _CheckBox(Connector):
    widgets = (QtWidgets.QCheckBox, ctk["ctkCheckBox"])
    signal = "stateChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return kind is bool

    def read(self) -> bool:
        return self.widget.checked

    def write(self, value: bool) -> None:
        self.widget.checked = value


class _CheckableButton(_CheckBox):
    widgets = (QtWidgets.QPushButton, ctk["ctkCheckablePushButton"])
    signal = "toggled"

    def prepare(self) -> None:
        self.widget.checkable = True


class _Whole(Connector):
    widgets = (QtWidgets.QSlider, QtWidgets.QSpinBox)
    signal = "valueChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return kind is int

    def prepare(self) -> None:
        lower, upper = self._bounds()
        if isinstance(self.widget, QtWidgets.QSlider) and None in (lower, upper):
            self._fail("a slider needs a bounded number (WithinRange)")
        self.widget.setMinimum(-(2**31) if lower is None else lower)
        self.widget.setMaximum(2**31 - 1 if upper is None else upper)
        step = first(self.annotations, SingleStep)
        if step is not None:
            self.widget.singleStep = step.value

    def read(self) -> int:
        return self.widget.value

    def write(self, value: int) -> None:
        self.widget.value = value


class _Number(Connector):
    widgets = (
        QtWidgets.QDoubleSpinBox,
        ctk["ctkSliderWidget"],
        ctk["ctkDoubleSlider"],
        ctk["ctkDoubleSpinBox"],
        qmrml["qMRMLSliderWidget"],
        qmrml["qMRMLSpinBox"],
    )
    signal = "valueChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return kind in (int, float)

    def prepare(self) -> None:
        lower, upper = self._bounds()
        sliders = (ctk["ctkSliderWidget"], qmrml["qMRMLSliderWidget"])
        if type(self.widget) in sliders and None in (lower, upper):
            self._fail("a slider needs a bounded number (WithinRange)")
        decimals = Decimals(0) if self.kind is int else first(self.annotations, Decimals)
        if decimals is not None:
            self.widget.decimals = decimals.value
        step = first(self.annotations, SingleStep)
        if step is not None:
            self.widget.singleStep = step.value
        self.widget.minimum = -math.inf if lower is None else lower
        self.widget.maximum = math.inf if upper is None else upper

    def read(self) -> float:
        return self.kind(self.widget.value)

    def write(self, value: float) -> None:
        self.widget.value = value


class _Choices(Connector):
    """A combo box with the choices of an annotation, or the members of an enum."""

    widgets = (QtWidgets.QComboBox, ctk["ctkComboBox"])
    signal = "currentIndexChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return isinstance(kind, type) and (
            kind in (int, float, str, bool) or issubclass(kind, enum.Enum)
        )

    def prepare(self) -> None:
        if issubclass(self.kind, enum.Enum):
            self._values = list(self.kind)
            label = getattr(self.kind, "label", lambda member: member.name)
            texts = [label(member) for member in self._values]
        else:
            choice = first(self.annotations, Choice)
            if choice is None:
                self._fail("a combo box needs Choice, or an Enum")
            self._values = list(choice.choices)
            texts = [str(value) for value in self._values]
        self.widget.clear()
        self.widget.addItems(texts)

    def read(self) -> Any:
        return self._values[self.widget.currentIndex]

    def write(self, value: Any) -> None:
        if value not in self._values:
            self._fail(f"{value!r} is none of its entries")
        self.widget.currentIndex = self._values.index(value)


class _Line(Connector):
    widgets = (QtWidgets.QLineEdit,)
    signal = "textChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return kind is str

    def read(self) -> str:
        return self.widget.text

    def write(self, value: str) -> None:
        if value != self.widget.text:  # else the cursor would jump while the user types
            self.widget.text = value


class _Text(_Line):
    widgets = (QtWidgets.QTextEdit,)

    def read(self) -> str:
        return self.widget.toPlainText()

    def write(self, value: str) -> None:
        self.widget.setPlainText(value)


class _Range(Connector):
    widgets = (ctk["ctkRangeWidget"], ctk["ctkDoubleRangeSlider"], qmrml["qMRMLRangeWidget"])
    signal = "valuesChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return kind is FloatRange

    def prepare(self) -> None:
        bounds = first(self.annotations, RangeBounds)
        if bounds is None:
            self._fail("a range needs RangeBounds")
        # Slicer's own check of the bounds fails without it (AttributeError in validators.py).
        if first(self.annotations, Default) is None:
            self._fail("a range needs a Default among its annotations")
        self.widget.setRange(bounds.minimum, bounds.maximum)

    def read(self) -> FloatRange:
        return FloatRange(self.widget.minimumValue, self.widget.maximumValue)

    def write(self, value: FloatRange) -> None:
        self.widget.setValues(value.minimum, value.maximum)


class _Path(Connector):
    widgets = (ctk["ctkPathLineEdit"], ctk["ctkDirectoryButton"])

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, pathlib.PurePath)

    def prepare(self) -> None:
        line = isinstance(self.widget, ctk["ctkPathLineEdit"])
        self._property = "currentPath" if line else "directory"
        self.signal = f"{self._property}Changed"

    def read(self) -> Any:
        return self.kind(getattr(self.widget, self._property))

    def write(self, value: Any) -> None:
        setattr(self.widget, self._property, str(value))


class _NodeBox(Connector):
    widgets = (qmrml["qMRMLNodeComboBox"],)
    signal = "currentNodeChanged"

    @classmethod
    def accepts(cls, kind: Any) -> bool:
        options = cls._options(kind)
        return all(o is type(None) or _isNode(o) for o in options) and any(map(_isNode, options))

    @staticmethod
    def _options(kind: Any) -> list[Any]:
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            return [split(option)[0] for option in typing.get_args(kind)]
        return [kind]

    def prepare(self) -> None:
        kinds = [o for o in self._options(self.kind) if _isNode(o)]
        self.widget.nodeTypes = [kind.__name__ for kind in kinds]

    def read(self) -> Any:
        return self.widget.currentNode()

    def write(self, value: Any) -> None:
        self.widget.setCurrentNode(value)


def _isNode(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


_CONNECTORS = (
    _CheckBox,
    _CheckableButton,
    _Whole,
    _Number,
    _Choices,
    _Line,
    _Text,
    _Range,
    _Path,
    _NodeBox,
)


def makeConnector(widget: Any, datatype: Any) -> Connector:
    """Connector of a widget and a type; RuntimeError for a pair that Slicer refuses."""
    kind = split(datatype)[0]
    for connector in _CONNECTORS:
        if connector.canRepresent(widget, kind):
            return connector(widget, datatype)
    name = type(widget).__name__
    msg = f"no widget of class {name} ('{widget.objectName}') can show the type {datatype}"
    raise RuntimeError(msg)
