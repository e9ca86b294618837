"""The panel's `.ui` file against its parameter node and against the classes it names.

Needs neither Slicer nor Qt. Each check is first shown a small file that breaks its rule.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

sys.path.append(str(Path(__file__).parent))
import ui_checks as checks

MODULE = Path(__file__).resolve().parents[2] / "PETSynth"
UI = MODULE / "Resources" / "UI" / "PETSynth.ui"
PARAMETERS = MODULE / "PETSynthPanel" / "Parameters.py"

SOUND = """<ui><widget class="qMRMLWidget" name="Panel">
 <widget class="qMRMLNodeComboBox" name="selector">
  <property name="toolTip"><string>Choose</string></property>
  <property name="nodeTypes"><stringlist>
   <string>vtkMRMLScalarVolumeNode</string></stringlist></property>
  <property name="SlicerParameterName" stdset="0"><string>input.t1w</string></property></widget>
 <widget class="QSpinBox" name="seed">
  <property name="toolTip"><string>Seed</string></property>
  <property name="SlicerParameterName" stdset="0"><string>seed</string></property></widget>
 <widget class="QLabel" name="label">
  <property name="buddy"><cstring>seed</cstring></property></widget>
</widget>
<customwidgets><customwidget><class>qMRMLWidget</class></customwidget>
 <customwidget><class>qMRMLNodeComboBox</class></customwidget></customwidgets>
<connections><connection><sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
 <receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>"""

SOURCE = """
@parameterPack
class InputPack:
    t1w: vtkMRMLScalarVolumeNode
class Words(Enum):
    A = "a"
class More(Words):
    B = "b"
@parameterNodeWrapper
class Node:
    input: InputPack
    seed: Annotated[int, WithinRange(0, 9)] = 1
    window: Annotated[FloatRange, RangeBounds(0, 4)]
    mask: Union[vtkMRMLLabelMapVolumeNode, vtkMRMLSegmentationNode, None]
    tracer: More
    mmse: int | None
"""

STRUCTURE = (
    checks.namesAreUnique,
    checks.controlsHaveToolTips,
    checks.sceneReaches,
    checks.classesAreDeclared,
    checks.propertiesExist,
    checks.buddiesExist,
)


def problems(text: str) -> list[str]:
    root = ET.fromstring(text)
    found = [p for check in STRUCTURE for p in check(root)]
    return found + list(checks.parametersFit(root, checks.Parameters(SOURCE)))


def test_a_sound_file_has_no_problem():
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('name="label"', 'name="seed"', "2 objects are named seed"),
        ("<string>Seed</string>", "<string> </string>", "seed has no tooltip"),
        ("<receiver>selector<", "<receiver>selectro<", "receiver selectro does not exist"),
        ("<receiver>selector<", "<receiver>label<", "selector never gets the scene"),
        (">setMRMLScene(vtkMRMLScene*)", ">setScene(vtkMRMLScene*)", "the scene by setScene"),
        ("mrmlSceneChanged(vtk", "mrmlSceneModified(MRMLScene,vtk", "is no scene connection"),
        ("<class>qMRMLNodeComboBox", "<class>qMRMLNodeComboBoxx", "not declared as custom widget"),
        ("<class>qMRMLNodeComboBox", "<class>qMRMLNodeComboBoxx", "not in slicer_widgets.json"),
        ('name="nodeTypes"', 'name="nodeType"', "has no property nodeType"),
        ("<cstring>seed", "<cstring>sead", "its buddy does not exist"),
        (">input.t1w<", ">input.t1<", "there is no parameter input.t1"),
        (">seed<", ">input.t1w<", "2 widgets are bound to input.t1w"),
        (">seed<", ">window<", "QSpinBox cannot show window"),
        (">seed<", ">window<", "needs RangeBounds and Default"),
        (">seed<", ">mmse<", "QSpinBox cannot show mmse : int | None"),
        (">seed<", ">tracer<", "QSpinBox cannot show tracer"),
        (">input.t1w<", ">mask<", "nodeTypes differ"),
        ('"SlicerParameterName" stdset="0"', '"SlicerParameterName"', 'needs stdset="0"'),
    ],
)
def test_what_is_wrong_is_found(old, new, problem):
    assert old in SOUND
    found = problems(SOUND.replace(old, new))
    assert any(problem in line for line in found), found


def test_kinds_are_read_from_the_source():
    assert checks.Parameters(SOURCE).kinds == {
        "input.t1w": "node",
        "seed": "int",
        "window": "FloatRange",
        "mask": "node",
        "tracer": "Enum",
        "mmse": "int | None",
    }


# --- PETSynth.ui ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def panel():
    return ET.parse(UI).getroot()


@pytest.mark.parametrize("check", STRUCTURE, ids=lambda check: check.__name__)
def test_the_panel_is_sound(panel, check):
    assert list(check(panel)) == []


def test_the_panel_is_bound_to_parameters_that_exist_and_fit(panel):
    parameters = checks.Parameters(PARAMETERS.read_text(encoding="utf-8"))
    assert list(checks.parametersFit(panel, parameters)) == []


def test_the_panel_needs_no_qt_that_is_newer_than_5_15(panel):
    """Scoped enumerators (Qt::Orientation::Horizontal) are what Designer 6 writes and 5 ignores."""
    texts = [e.text or "" for tag in ("enum", "set") for e in panel.iter(tag)]
    assert [t for t in texts if t.count("::") > 1] == []


def test_what_is_set_in_code_exists_in_the_ui(panel):
    """`self.ui.name`: a name that is not in the file would fail when it is reached."""
    names = {e.get("name") for e in panel.iter() if e.get("name")}
    testing = MODULE.parent / "Testing"
    scripts = [testing / "desktop" / "desktop_smoke.py", testing / "host" / "screenshots.py"]
    missing = []
    for path in [*sorted((MODULE / "PETSynthPanel").glob("*.py")), *scripts]:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"\bui\.([A-Za-z]\w*)", text):
            if name not in names:
                missing.append(f"{path.name}: ui.{name}")
    assert missing == []
