"""The parameter node, by the double or (with SLICER_PYTHON_DIR) by Slicer's own: one answer."""

from __future__ import annotations

import enum
import typing
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest


@pytest.fixture
def wrapper(host):
    import slicer
    from slicer import parameterNodeWrapper

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")

    def wrap(**hints):
        defaults = {n: h[1] for n, h in hints.items() if isinstance(h, tuple)}
        types = {n: h[0] if isinstance(h, tuple) else h for n, h in hints.items()}
        kind = type("Parameters", (), {**defaults, "__annotations__": types})
        return parameterNodeWrapper.parameterNodeWrapper(kind)(node)

    wrap.node = node
    return wrap


class Stage(enum.Enum):
    FIRST = 1
    SECOND = 2


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (int, 3, "3"),
        (float, 2.5, "2.5"),
        (bool, True, "True"),
        (str, "pons", "pons"),
        (Path, Path("a b"), "a b"),
        (Stage, Stage.SECOND, "SECOND"),
    ],
)
def test_a_value_is_stored_as_text_and_read_with_its_type(wrapper, kind, value, text):
    parameters = wrapper(x=kind)
    parameters.x = value
    assert wrapper.node.GetParameter("x") == text
    assert parameters.x == value
    assert type(parameters.x) is type(value)


def test_a_default_is_written_once_and_not_over_a_value(wrapper):
    wrapper(x=(int, 5)).x = 7
    assert wrapper(x=(int, 5)).x == 7


def test_a_value_of_another_type_is_refused(wrapper):
    parameters = wrapper(x=(int, 1), y=(str, ""))
    with pytest.raises(TypeError):
        parameters.x = "3"
    with pytest.raises((TypeError, ValueError)):
        parameters.y = None
    assert parameters.x == 1


def test_a_value_outside_the_range_is_refused(wrapper):
    from slicer.parameterNodeWrapper import WithinRange

    parameters = wrapper(x=(Annotated[float, WithinRange(0, 20)], 8.0))
    with pytest.raises(ValueError, match="20"):
        parameters.x = 20.5
    assert parameters.x == 8.0


def test_a_node_is_a_reference_that_becomes_none_with_the_node(wrapper, host, scene):
    import slicer

    parameters = wrapper(t1=slicer.vtkMRMLScalarVolumeNode)
    assert parameters.t1 is None
    volume = host.addVolume(np.zeros((2, 2, 2)))
    parameters.t1 = volume
    assert wrapper.node.GetNodeReference("t1") is volume
    scene.RemoveNode(volume)
    assert parameters.t1 is None
    with pytest.raises((TypeError, ValueError)):
        parameters.t1 = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")


def test_a_union_takes_the_types_it_names(wrapper, scene):
    import slicer

    union = typing.Union[  # noqa: UP007 - the spelling that Slicer 5.10 knows
        slicer.vtkMRMLLabelMapVolumeNode, slicer.vtkMRMLSegmentationNode, None
    ]
    parameters = wrapper(mask=union, mmse=int | None)
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    parameters.mask = segmentation
    assert parameters.mask is segmentation
    parameters.mask = None
    assert parameters.mask is None
    assert parameters.mmse is None
    parameters.mmse = 24
    assert parameters.mmse == 24
    with pytest.raises(TypeError):
        parameters.mmse = "24"


def test_a_pack_writes_itself_member_by_member(wrapper, loadModule):
    sample = loadModule("HostSample", Path(__file__).parent / "sample" / "HostSample")
    node = sample.logic.getParameterNode()
    parameters = sample.widget.parameters
    parameters.patient.age = 81
    assert node.GetParameter("patient.age") == "81"
    assert parameters.patient.age == 81
    assert parameters.getValue("patient.age") == 81
    with pytest.raises(ValueError, match="110"):
        parameters.patient.age = 130
    with pytest.raises(AttributeError):
        parameters.patient.agee = 3


def test_a_misspelt_parameter_name_of_a_widget_is_refused(wrapper):
    import qt

    parameters = wrapper(seed=(int, 1))
    panel = qt.QWidget()
    spin = qt.QSpinBox(panel)
    spin.setProperty("SlicerParameterName", "sead")
    with pytest.raises(ValueError, match="sead"):
        parameters.connectGui(panel)


def test_widget_and_node_follow_each_other_until_they_are_parted(wrapper):
    import qt
    from slicer.parameterNodeWrapper import WithinRange

    parameters = wrapper(seed=(Annotated[int, WithinRange(0, 9)], 4))
    panel = qt.QWidget()
    spin = qt.QSpinBox(panel)
    spin.setProperty("SlicerParameterName", "seed")
    tag = parameters.connectGui(panel)
    assert (spin.value, spin.minimum, spin.maximum) == (4, 0, 9)
    spin.value = 6
    assert parameters.seed == 6
    parameters.seed = 7
    assert spin.value == 7
    parameters.disconnectGui(tag)
    spin.value = 2
    assert parameters.seed == 7
    parameters.seed = 9
    assert spin.value == 2


def _refused():
    import ctk
    import qt
    from slicer.parameterNodeWrapper import FloatRange, RangeBounds

    return {
        "int or none on a spin box": (int | None, qt.QSpinBox),
        "unbounded number on a slider": (float, ctk.ctkSliderWidget),
        "text on a combo box without choices": (str, qt.QComboBox),
        "text on a path line": (str, ctk.ctkPathLineEdit),
        "range without bounds": (FloatRange, ctk.ctkRangeWidget),
        "range without a default": (Annotated[FloatRange, RangeBounds(0, 4)], ctk.ctkRangeWidget),
        "whole number on a check box": (int, qt.QCheckBox),
        "bool on a spin box": (bool, qt.QSpinBox),
    }


@pytest.mark.parametrize(
    "case",
    [
        "int or none on a spin box",
        "unbounded number on a slider",
        "text on a combo box without choices",
        "text on a path line",
        "range without bounds",
        "range without a default",
        "whole number on a check box",
        "bool on a spin box",
    ],
)
def test_a_pair_that_slicer_cannot_bind_is_refused(wrapper, case):
    datatype, widgetClass = _refused()[case]
    parameters = wrapper(x=datatype)
    with pytest.raises((RuntimeError, TypeError, AttributeError)):
        parameters.connectParametersToGui({"x": widgetClass()})


def test_an_enum_fills_its_combo_box_with_names_or_labels(wrapper):
    import qt

    parameters = wrapper(x=(Stage, Stage.SECOND))
    combo = qt.QComboBox()
    parameters.connectParametersToGui({"x": combo})
    assert [combo.itemText(i) for i in range(combo.count)] == ["FIRST", "SECOND"]
    assert combo.currentText == "SECOND"
    combo.currentIndex = 0
    assert parameters.x is Stage.FIRST
