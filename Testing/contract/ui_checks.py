"""What can be wrong in a panel's `.ui` file, found without Slicer and without Qt.

Each check takes the file's XML (and what else it needs) and yields one sentence for each thing that
is wrong. `slicer_widgets.json` holds the properties and signals of the ctk and qMRML classes, read
from their headers; the revisions are named in it.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

CLASSES = json.loads((Path(__file__).parent / "slicer_widgets.json").read_text())["classes"]

CONTROLS = {
    "QCheckBox", "QComboBox", "QDoubleSpinBox", "QLineEdit", "QPushButton", "QRadioButton",
    "QSlider", "QSpinBox", "QTableWidget", "QToolButton", "ctkCheckBox", "ctkColorPickerButton",
    "ctkComboBox", "ctkDirectoryButton", "ctkDoubleSpinBox", "ctkPathLineEdit", "ctkRangeWidget",
    "ctkSliderWidget", "qMRMLCheckableNodeComboBox", "qMRMLNodeComboBox", "qMRMLTableView",
}  # fmt: skip
"""What a user handles: each has a tooltip."""

SCENE_WIDGETS = {
    "qMRMLCheckableNodeComboBox", "qMRMLNodeComboBox", "qMRMLSegmentSelectorWidget",
    "qMRMLTableView",
}  # fmt: skip
"""What shows nothing until it is given the scene."""

QT_PROPERTIES = {
    "QWidget": {
        "accessibleDescription", "accessibleName", "contextMenuPolicy", "enabled", "focusPolicy",
        "font", "geometry", "layoutDirection", "maximumSize", "minimumSize", "sizePolicy",
        "statusTip", "styleSheet", "toolTip", "visible", "whatsThis",
    },
    "QAbstractButton": {"checkable", "checked", "icon", "iconSize", "shortcut", "text"},
    "QGroupBox": {"alignment", "checkable", "checked", "flat", "title"},
    "QComboBox": {"currentIndex", "editable", "maxVisibleItems", "sizeAdjustPolicy"},
}  # fmt: skip

FITTING = {
    "bool": {"QCheckBox", "QPushButton", "ctkCheckBox", "ctkCheckablePushButton"},
    "int": {"QSpinBox", "QSlider", "QDoubleSpinBox", "ctkSliderWidget", "ctkDoubleSpinBox"},
    "float": {"QDoubleSpinBox", "ctkSliderWidget", "ctkDoubleSlider", "ctkDoubleSpinBox"},
    "str": {"QLineEdit", "QTextEdit", "QLabel", "QComboBox"},
    "Enum": {"QComboBox", "ctkComboBox"},
    "FloatRange": {"ctkRangeWidget", "ctkDoubleRangeSlider", "qMRMLRangeWidget"},
    "Path": {"ctkPathLineEdit", "ctkDirectoryButton"},
    "node": {"qMRMLNodeComboBox"},
}
"""Widgets that Slicer's parameter node can bind to each kind of value (guiConnectors.py, 5.12)."""


# --- the parameter node, from its source ---------------------------------------------------------
class Parameters:
    """Dotted names and types of a file with one parameter node wrapper and its packs.

    Attributes
    ----------
    kinds : dict of str to str
        By dotted name a key of `FITTING`, or the type's text when it is none of them.
    types : dict of str to str
        By dotted name the annotation's text.
    """

    def __init__(self, source: str) -> None:
        self._classes = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.ClassDef)}
        wrappers = [c for c in self._classes.values() if self._decorated(c, "parameterNodeWrapper")]
        if len(wrappers) != 1:
            msg = f"expected one parameterNodeWrapper, found {len(wrappers)}"
            raise ValueError(msg)
        self.kinds: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self._collect(wrappers[0], "")

    @staticmethod
    def _decorated(definition: ast.ClassDef, name: str) -> bool:
        return any(ast.unparse(d).split("(")[0] == name for d in definition.decorator_list)

    def _collect(self, definition: ast.ClassDef, prefix: str) -> None:
        for member in definition.body:
            if not isinstance(member, ast.AnnAssign):
                continue
            name = prefix + ast.unparse(member.target)
            bare = self._bare(member.annotation)
            pack = self._classes.get(bare)
            if pack is not None and self._decorated(pack, "parameterPack"):
                self._collect(pack, f"{name}.")
            else:
                self.types[name] = ast.unparse(member.annotation)
                self.kinds[name] = self._kind(bare)

    @staticmethod
    def _bare(annotation: ast.expr) -> str:
        """The type within `Annotated[type, ...]`."""
        if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
            assert isinstance(annotation.slice, ast.Tuple)
            return ast.unparse(annotation.slice.elts[0])
        return ast.unparse(annotation)

    def _kind(self, bare: str) -> str:
        options = [o.strip().removeprefix("slicer.") for o in _options(bare)]
        if all(o == "None" or o.startswith("vtkMRML") for o in options):
            return "node"
        if self._isEnum(bare):
            return "Enum"
        return "Path" if bare == "pathlib.Path" else bare

    def _isEnum(self, name: str) -> bool:
        if name.split(".")[-1] in ("Enum", "StrEnum", "IntEnum"):
            return True
        definition = self._classes.get(name)
        return definition is not None and any(
            self._isEnum(ast.unparse(b)) for b in definition.bases
        )

    def nodeTypes(self, name: str) -> set[str]:
        """The MRML classes that the parameter may refer to."""
        return {word for word in _words(self.types[name]) if word.startswith("vtkMRML")}


def _options(bare: str) -> list[str]:
    for opening in ("Union[", "typing.Union[", "Optional["):
        if bare.startswith(opening):
            return bare[len(opening) : -1].split(",")
    return bare.split("|")


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() else " " for c in text).split())


# --- the checks ----------------------------------------------------------------------------------
def _property(widget: Element, name: str) -> Element | None:
    return next((p for p in widget.findall("property") if p.get("name") == name), None)


def _parameter(widget: Element) -> str | None:
    found = _property(widget, "SlicerParameterName")
    return None if found is None else "".join(found.itertext()).strip()


def namesAreUnique(root: Element) -> Iterator[str]:
    """Widgets, layouts, spacers and actions share one space of names."""
    kinds = ("widget", "layout", "spacer", "action", "buttongroup")
    names = Counter(e.get("name") for kind in kinds for e in root.iter(kind) if e.get("name"))
    for name, count in names.items():
        if count > 1:
            yield f"{count} objects are named {name}"


def controlsHaveToolTips(root: Element) -> Iterator[str]:
    for widget in root.iter("widget"):
        if widget.get("class") in CONTROLS:
            tip = _property(widget, "toolTip")
            if tip is None or not "".join(tip.itertext()).strip():
                yield f"{widget.get('name')} has no tooltip"


def sceneReaches(root: Element) -> Iterator[str]:
    """Each widget that shows nodes gets the scene of the outermost one, and by the right slot."""
    names = {w.get("name") for w in root.iter("widget")}
    outermost = root.find("widget")
    assert outermost is not None
    wired = set()
    for connection in root.iter("connection"):
        parts = {tag: connection.findtext(tag) or "" for tag in ("sender", "receiver")}
        for role, name in parts.items():
            if name not in names:
                yield f"a connection's {role} {name} does not exist"
        signal, slot = connection.findtext("signal") or "", connection.findtext("slot") or ""
        if signal == "mrmlSceneChanged(vtkMRMLScene*)":
            if slot != "setMRMLScene(vtkMRMLScene*)":
                yield f"{parts['receiver']} gets the scene by {slot}"
            elif parts["sender"] == outermost.get("name"):
                wired.add(parts["receiver"])
        elif "MRMLScene" in signal + slot:
            yield f"{parts['sender']}.{signal} to {parts['receiver']}.{slot} is no scene connection"
    for widget in root.iter("widget"):
        if widget.get("class") in SCENE_WIDGETS and widget.get("name") not in wired:
            yield f"{widget.get('name')} never gets the scene"


def classesAreDeclared(root: Element) -> Iterator[str]:
    """Custom classes are declared, known, and extend what their declaration says."""
    declared = {c.findtext("class"): c.findtext("extends") for c in root.iter("customwidget")}
    for widget in root.iter("widget"):
        name = widget.get("class", "")
        if not name.startswith("Q") and name != "Line" and name not in declared:
            yield f"{widget.get('name')}: class {name} is not declared as custom widget"
    for name in declared:
        if name not in CLASSES:
            yield f"custom widget {name} is not in slicer_widgets.json"


def _knownProperties(name: str) -> set[str]:
    known: set[str] = set(QT_PROPERTIES["QWidget"])
    while name in CLASSES:
        known |= set(CLASSES[name]["properties"])
        name = CLASSES[name]["base"]
    buttons = {"QAbstractButton", "QPushButton", "QCheckBox", "ctkPushButton"}
    return known | QT_PROPERTIES.get("QAbstractButton" if name in buttons else name, set())


def propertiesExist(root: Element) -> Iterator[str]:
    """Properties set on ctk and qMRML widgets are properties that these classes have."""
    for widget in root.iter("widget"):
        name = widget.get("class", "")
        if name not in CLASSES:
            continue
        known = _knownProperties(name)
        for prop in widget.findall("property"):
            if prop.get("stdset") != "0" and prop.get("name") not in known:
                yield f"{widget.get('name')}: {name} has no property {prop.get('name')}"


def buddiesExist(root: Element) -> Iterator[str]:
    names = {w.get("name") for w in root.iter("widget")}
    for widget in root.iter("widget"):
        buddy = _property(widget, "buddy")
        if buddy is not None and "".join(buddy.itertext()).strip() not in names:
            yield f"{widget.get('name')}: its buddy does not exist"


def parametersFit(root: Element, parameters: Parameters) -> Iterator[str]:
    """Each bound name is a parameter, of a type that the widget can show, and bound once."""
    bound: Counter[str] = Counter()
    for widget in root.iter("widget"):
        name = _parameter(widget)
        if name is None:
            continue
        bound[name] += 1
        prop = _property(widget, "SlicerParameterName")
        if prop is not None and prop.get("stdset") != "0":
            yield f'{widget.get("name")}: SlicerParameterName needs stdset="0"'
        if name not in parameters.kinds:
            yield f"{widget.get('name')}: there is no parameter {name}"
            continue
        kind, annotation = parameters.kinds[name], parameters.types[name]
        shown = widget.get("class", "")
        if shown not in FITTING.get(kind, set()):
            yield f"{widget.get('name')}: {shown} cannot show {name} : {annotation}"
        yield from _bounds(widget, name, kind, annotation)
        if kind == "node":
            given = _property(widget, "nodeTypes")
            types = set(_words(" ".join(given.itertext()))) if given is not None else set()
            if types != parameters.nodeTypes(name):
                yield f"{widget.get('name')}: nodeTypes differ from those of {name}"
    for name, count in bound.items():
        if count > 1:
            yield f"{count} widgets are bound to {name}: Slicer binds one"


def _bounds(widget: Element, name: str, kind: str, annotation: str) -> Iterator[str]:
    shown = widget.get("class", "")
    if shown in ("QSlider", "ctkSliderWidget") and "WithinRange" not in annotation:
        yield f"{widget.get('name')}: a slider needs WithinRange on {name}"
    if kind == "str" and shown == "QComboBox" and "Choice" not in annotation:
        yield f"{widget.get('name')}: a combo box needs Choice on {name}"
    if kind == "FloatRange" and not ("RangeBounds" in annotation and "Default(" in annotation):
        yield f"{widget.get('name')}: a range needs RangeBounds and Default on {name}"
