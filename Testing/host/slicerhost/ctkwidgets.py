"""Stand-ins for the CTK widgets: the properties, signals and methods a panel uses, not their looks.

A property that the C++ class does not have must not be added here: the host would let pass what
Slicer refuses. Names and defaults are those of the CTK headers.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .uiloader import standIn

ctk: dict[str, Any] = {}  # what becomes the module `ctk`
_FOLDED_HEIGHT = 28  # pixels of a folded group: its title and a line
_ANY_HEIGHT = (1 << 24) - 1  # QWIDGETSIZE_MAX


def row(widget: QtWidgets.QWidget, *children: QtWidgets.QWidget) -> None:
    """Lay children out in one row without margins."""
    layout = QtWidgets.QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    for child in children:
        layout.addWidget(child)


def stored(kind: Any, default: Any) -> Property:
    """A property that is kept and changes nothing else."""

    def key(self: Any) -> dict[str, Any]:
        return self.__dict__.setdefault("_storedProperties", {})

    def get(self: Any) -> Any:
        return key(self).get(prop, default)

    def put(self: Any, value: Any) -> None:
        key(self)[prop] = list(value) if kind == "QStringList" else value

    prop = Property(kind, get, put)
    return prop


def _hideNewChild(event: QtCore.QChildEvent, collapsed: bool) -> None:
    """A `.ui` file may fold a card before it puts anything into it."""
    if collapsed and event.added() and event.child().isWidgetType():
        event.child().setVisible(False)


@standIn(ctk)
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A card: a header that folds what is inside."""

    contentsCollapsed = Signal(bool)
    _HEADER = 24  # pixels

    def __init__(self, *args: Any) -> None:
        parents = [a for a in args if isinstance(a, QtWidgets.QWidget)]
        super().__init__(*parents)
        if args and isinstance(args[0], str):
            self.setText(args[0])
        self._collapsed = False
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(6, self._HEADER + 2, 6, 4)
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Preferred)
        self.toggled.connect(lambda on: self.setCollapsed(not on))

    def _getCollapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        collapsed = bool(collapsed)
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(not collapsed)
        self.setChecked(not collapsed)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    collapsed = Property(bool, _getCollapsed, setCollapsed)
    collapsedHeight = stored(int, 0)

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        _hideNewChild(event, self._collapsed)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() < self._HEADER

    def sizeHint(self) -> QtCore.QSize:
        layout = self.layout()
        width = layout.sizeHint().width() if layout else 100
        unfolded = layout is not None and not self._collapsed
        return QtCore.QSize(width, layout.sizeHint().height() if unfolded else self._HEADER + 4)

    def minimumSizeHint(self) -> QtCore.QSize:
        if self._collapsed or not self.layout():
            return QtCore.QSize(60, self._HEADER + 4)
        return self.layout().minimumSize()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, self._HEADER)
        option.state |= QtWidgets.QStyle.StateFlag.State_Raised
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        arrow = "\u25b8" if self._collapsed else "\u25be"
        text = QtCore.QRect(8, 0, self.width - 8, self._HEADER)
        aligned = int(QtCore.Qt.AlignmentFlag.AlignVCenter.value)
        painter.drawText(text, aligned, f"{arrow}  {self.text}")
        if not self._collapsed:
            painter.setPen(self.palette.color(QtGui.QPalette.ColorRole.Mid))
            painter.drawRect(0, self._HEADER, self.width - 1, self.height - self._HEADER - 1)


@standIn(ctk)
class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group whose check box folds it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._showContents)

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        _hideNewChild(event, not self.isChecked())

    def _showContents(self, on: bool) -> None:
        self.setMaximumHeight(_ANY_HEIGHT if on else _FOLDED_HEIGHT)
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(on)

    def setCollapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, lambda self: not self.isChecked(), setCollapsed)
    collapsedHeight = stored(int, 14)


@standIn(ctk)
class ctkSliderWidget(QtWidgets.QWidget):
    """A slider with its number."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    _STEPS = 1000

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._slider.setRange(0, self._STEPS)
        self._spin = QtWidgets.QDoubleSpinBox()
        self._spin.setRange(0, 99)
        row(self, self._slider, self._spin)
        self._spin.valueChanged.connect(self._onNumber)
        self._slider.valueChanged.connect(self._onSlider)
        self._following = False

    def _onNumber(self, value: float) -> None:
        span = (self._spin.maximum - self._spin.minimum) or 1.0
        self._following = True
        self._slider.setValue(round((value - self._spin.minimum) / span * self._STEPS))
        self._following = False
        self.valueChanged.emit(value)

    def _onSlider(self, position: int) -> None:
        if not self._following:
            span = self._spin.maximum - self._spin.minimum
            self._spin.setValue(self._spin.minimum + position / self._STEPS * span)

    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    def setMinimum(self, value: float) -> None:
        self._spin.setMinimum(value)

    def setMaximum(self, value: float) -> None:
        self._spin.setMaximum(value)

    def setRange(self, minimum: float, maximum: float) -> None:
        self._spin.setRange(minimum, maximum)

    value = Property(float, lambda self: self._spin.value, setValue, notify=valueChanged)
    minimum = Property(float, lambda self: self._spin.minimum, setMinimum)
    maximum = Property(float, lambda self: self._spin.maximum, setMaximum)
    singleStep = Property(
        float, lambda self: self._spin.singleStep, lambda self, v: self._spin.setSingleStep(v)
    )
    decimals = Property(
        int, lambda self: self._spin.decimals, lambda self, v: self._spin.setDecimals(v)
    )
    suffix = Property(str, lambda self: self._spin.suffix, lambda self, v: self._spin.setSuffix(v))
    prefix = Property(str, lambda self: self._spin.prefix, lambda self, v: self._spin.setPrefix(v))
    pageStep = stored(float, 1.0)
    tickInterval = stored(float, 0.0)
    tracking = stored(bool, True)


@standIn(ctk)
class ctkDoubleSlider(ctkSliderWidget):
    """The slider without its number; the same interface as far as it is used."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._spin.hide()


@standIn(ctk)
class ctkRangeWidget(QtWidgets.QWidget):
    """Two numbers, the lower and the upper end of a range."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._lower, self._upper = QtWidgets.QDoubleSpinBox(), QtWidgets.QDoubleSpinBox()
        row(self, self._lower, self._upper)
        self._upper.setValue(99)
        self._lower.valueChanged.connect(self.minimumValueChanged)
        self._upper.valueChanged.connect(self.maximumValueChanged)
        for spin in (self._lower, self._upper):
            spin.valueChanged.connect(self._onNumber)

    def _onNumber(self, _value: float) -> None:
        self.valuesChanged.emit(self._lower.value, self._upper.value)

    def _both(self, setter: str, value: Any) -> None:
        for spin in (self._lower, self._upper):
            getattr(spin, setter)(value)

    def setValues(self, lower: float, upper: float) -> None:
        if (lower, upper) == (self._lower.value, self._upper.value):
            return
        # One change of the range is one signal, as in CTK.
        for spin, value in ((self._lower, lower), (self._upper, upper)):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)
        self.valuesChanged.emit(self._lower.value, self._upper.value)

    def setRange(self, minimum: float, maximum: float) -> None:
        self._lower.setRange(minimum, maximum)
        self._upper.setRange(minimum, maximum)

    minimumValue = Property(
        float, lambda self: self._lower.value, lambda self, v: self._lower.setValue(v)
    )
    maximumValue = Property(
        float, lambda self: self._upper.value, lambda self, v: self._upper.setValue(v)
    )
    minimum = Property(
        float, lambda self: self._lower.minimum, lambda self, v: self._both("setMinimum", v)
    )
    maximum = Property(
        float, lambda self: self._upper.maximum, lambda self, v: self._both("setMaximum", v)
    )
    decimals = Property(
        int, lambda self: self._lower.decimals, lambda self, v: self._both("setDecimals", v)
    )
    singleStep = Property(
        float, lambda self: self._lower.singleStep, lambda self, v: self._both("setSingleStep", v)
    )


@standIn(ctk)
class ctkDoubleRangeSlider(ctkRangeWidget):
    pass


@standIn(ctk)
class ctkDoubleSpinBox(QtWidgets.QDoubleSpinBox):
    pass


@standIn(ctk)
class ctkComboBox(QtWidgets.QComboBox):
    defaultText = stored(str, "")


@standIn(ctk)
class ctkCheckBox(QtWidgets.QCheckBox):
    pass


@standIn(ctk)
class ctkCheckablePushButton(QtWidgets.QPushButton):
    checkBoxControlsButtonToggleState = stored(bool, False)


@standIn(ctk)
class ctkPathLineEdit(QtWidgets.QWidget):
    """A line with a path and a button that opens the file chooser."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Dirs, Files, Readable, Writable, Executable = 1, 2, 16, 32, 64

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = QtWidgets.QLineEdit()
        browse = QtWidgets.QToolButton()
        browse.setText("\u2026")
        row(self, self._line, browse)
        self._line.textChanged.connect(self.currentPathChanged)

    def setCurrentPath(self, path: str) -> None:
        self._line.setText(path)

    def addCurrentPathToHistory(self) -> None:
        pass

    currentPath = Property(
        str, lambda self: self._line.text, setCurrentPath, notify=currentPathChanged
    )
    filters = stored(int, 2)
    nameFilters = stored("QStringList", ())
    settingKey = stored(str, "")
    showHistoryButton = stored(bool, True)


@standIn(ctk)
class ctkDirectoryButton(QtWidgets.QPushButton):
    directoryChanged = Signal(str)

    def setDirectory(self, directory: str) -> None:
        self.setText(str(directory))
        self.directoryChanged.emit(str(directory))

    directory = Property(str, lambda self: self.text, setDirectory)


@standIn(ctk)
class ctkColorPickerButton(QtWidgets.QPushButton):
    colorChanged = Signal(QtGui.QColor)

    def setColor(self, color: QtGui.QColor) -> None:
        self.__dict__["_color"] = QtGui.QColor(color)
        self.colorChanged.emit(self._color)

    color = Property(
        QtGui.QColor, lambda self: self.__dict__.get("_color", QtGui.QColor()), setColor
    )


@standIn(ctk)
class ctkMessageBox(QtWidgets.QMessageBox):
    dontShowAgainVisible = stored(bool, False)
    dontShowAgainSettingsKey = stored(str, "")
