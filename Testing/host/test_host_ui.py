"""Loading `.ui` files: what would go wrong in silence in Slicer is an error here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

SAMPLE = Path(__file__).parent / "sample" / "HostSample" / "Resources" / "UI" / "HostSample.ui"


@pytest.fixture
def load(host, tmp_path):
    import slicer

    def load(*replacements):
        text = SAMPLE.read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "panel ü.ui"
        path.write_text(text)
        return slicer.util.loadUI(str(path))

    return load


def test_named_widgets_become_variables(host, load):
    import ctk
    import slicer

    panel = load()
    ui = slicer.util.childWidgetVariables(panel)
    assert type(ui.inputCard) is ctk.ctkCollapsibleButton
    assert ui.inputCard.text == "Input"
    assert ui.fwhmSlider.suffix == " mm"
    assert ui.fwhmSlider.property("SlicerParameterName") == "fwhm"
    assert ui.runButton.enabled is False


def test_an_unknown_class_is_refused(load):
    with pytest.raises(RuntimeError, match="ctkSliderWidgett 'fwhmSlider'"):
        load(('class="ctkSliderWidget"', 'class="ctkSliderWidgett"'))


def test_two_widgets_of_one_name_are_refused(load):
    with pytest.raises(RuntimeError, match="maskSelector"):
        load(('name="t1Selector"', 'name="maskSelector"'))


def test_a_connection_to_a_widget_that_is_not_there_is_refused(load):
    with pytest.raises(RuntimeError, match="t1Selectro"):
        load(("<receiver>t1Selector<", "<receiver>t1Selectro<"))


def test_a_wired_selector_shows_the_scene_and_a_forgotten_one_stays_empty(host, load, scene):
    import slicer

    volume = host.addVolume(np.zeros((2, 2, 2)), "MRHead")
    ui = {}
    for case, receiver in (("wired", "t1Selector"), ("forgotten", "maskSelector")):
        panel = load(("<receiver>t1Selector<", f"<receiver>{receiver}<"))
        panel.setMRMLScene(scene)
        ui[case] = slicer.util.childWidgetVariables(panel)
        ui[case].t1Selector.setCurrentNode(volume)
        ui[case]._panel = panel
    assert ui["wired"].t1Selector.currentNode() is volume
    assert ui["forgotten"].t1Selector.currentNode() is None


def test_a_selector_follows_the_scene(host, load, scene):
    import slicer

    panel = load()
    panel.setMRMLScene(scene)
    selector = slicer.util.childWidgetVariables(panel).t1Selector
    heard = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    volume = host.addVolume(np.zeros((2, 2, 2)), "MRHead")
    scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")  # a child type: not shown
    assert selector.nodeCount() == 1
    assert selector.currentNode() is None  # None is allowed, so that nothing is chosen for the user
    selector.setCurrentNode(volume)
    scene.RemoveNode(volume)
    assert selector.currentNode() is None
    assert heard == [volume, None]


def test_a_folded_card_hides_its_contents(load):
    import slicer

    panel = load()
    ui = slicer.util.childWidgetVariables(panel)
    heard = []
    ui.inputCard.connect("contentsCollapsed(bool)", heard.append)
    ui.inputCard.collapsed = True
    assert ui.ageSpinBox.isHidden()
    ui.inputCard.click()
    assert not ui.ageSpinBox.isHidden()
    assert heard == [True, False]
