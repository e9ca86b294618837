"""Card View after a run: what is shown where, what can be changed, and what is off and says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from head import BRAIN, PONS, bending, filled, linear, previewIn, turned, worldOf

from PETSynthLib.run import events
from PETSynthScene.Volumes import arrayOf

FUSED, COMPARE, EXPECTED, TRIPTYCH = 5311, 5312, 5314, 5315


def composite(view: str) -> Any:
    """What the slice view of that name shows."""
    widget = slicer.app.layoutManager().sliceWidget(view)
    return widget.sliceLogic().GetSliceCompositeNode()


def background(view: str) -> Any:
    """Volume at the back of that slice view."""
    return slicer.mrmlScene.GetNodeByID(composite(view).GetBackgroundVolumeID() or "")


def foreground(view: str) -> Any:
    """Volume over it."""
    return slicer.mrmlScene.GetNodeByID(composite(view).GetForegroundVolumeID() or "")


def layout() -> int:
    """The arrangement of the views."""
    return int(slicer.app.layoutManager().layout)


def window(volume: Any) -> tuple[float, float]:
    """Ends of the colour map."""
    display = volume.GetDisplayNode()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def results() -> list[Any]:
    """The PET of every result in the scene."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in volumes if node.GetAttribute("PETSynth.Role") == "PET"]


def choose(combo: Any, data: str) -> None:
    """Choose the entry with this data, as a user does."""
    index = combo.findData(data)
    assert index >= 0, data
    combo.setCurrentIndex(index)


def acquired(panel: Any, name: str = "PET 2021") -> Any:
    """A PET from a scanner in Bq/mL, over the head: 7500 in the brain, 5000 in the pons."""
    data = filled((BRAIN, 7500.0), (PONS, 5000.0))
    return panel.head.volume(slicer.mrmlScene, name, data)


def preview(panel: Any, process: Any, folder: Path) -> None:
    """The worker announces a preview; wait until it stands in the views."""
    process.say(events.Preview(str(previewIn(folder, panel.head))))
    panel.host.waitUntil(lambda: foreground("Red") is not None, 5, "the preview")


@pytest.mark.parametrize("kind", ["linear", "non-linear"])
def test_the_pet_lies_under_the_transform_of_its_t1(panel: Any, kind: str) -> None:
    t1 = panel.chooseHead()
    scene = slicer.mrmlScene
    transform = linear(scene, turned(0, 0, 30)) if kind == "linear" else bending(scene)
    t1.SetAndObserveTransformNodeID(transform.GetID())
    panel.run()
    pet = panel.finish()
    assert pet.GetParentTransformNode() is transform
    hot = np.argwhere(arrayOf(pet) > 1.9).mean(axis=0)[::-1]
    inT1 = np.argwhere(arrayOf(t1) > 130).mean(axis=0)[::-1]
    assert np.linalg.norm(worldOf(pet, hot) - worldOf(t1, inT1)) < 0.4, "a tenth of a voxel"
    shown = (background("Red"), foreground("Red"))
    assert shown == (t1, pet)


class TestPreview:
    def test_it_grows_over_the_t1_and_gives_way_to_the_result(
        self, panel: Any, tmp_path: Path
    ) -> None:
        t1 = panel.chooseHead()
        t1.SetAndObserveTransformNodeID(linear(slicer.mrmlScene, turned(0, 0, 30)).GetID())
        process = panel.run()
        assert not panel.ui.opacitySlider.enabled
        preview(panel, process, tmp_path)
        emerging = foreground("Red")
        assert emerging.GetAttribute("PETSynth.Role") == "Preview"
        assert emerging.GetParentTransformNode() is t1.GetParentTransformNode()
        assert background("Red") is t1
        assert layout() == FUSED
        assert not panel.ui.viewCard.collapsed
        panel.ui.opacitySlider.setValue(80)
        assert composite("Red").GetForegroundOpacity() == pytest.approx(0.8)
        pet = panel.finish()
        assert foreground("Red") is pet
        assert composite("Red").GetForegroundOpacity() == pytest.approx(0.8)
        assert not [
            node
            for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
            if node.GetAttribute("PETSynth.Role") == "Preview"
        ]

    def test_after_a_cancel_the_t1_is_alone_and_the_layout_can_be_left(
        self, panel: Any, tmp_path: Path
    ) -> None:
        t1 = panel.chooseHead()
        before = layout()
        process = panel.run()
        preview(panel, process, tmp_path)
        panel.ui.runButton.click()
        process.say(events.Stopped())
        process.end(3)
        assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == [t1]
        assert (background("Red"), foreground("Red")) == (t1, None)
        assert not panel.ui.opacitySlider.enabled
        panel.ui.restoreLayoutButton.click()
        assert layout() == before


class TestOutlinesAndMean:
    def test_they_work_where_the_result_has_them(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        pet = panel.finish(expected=True)
        ui = panel.ui
        regions = panel.panel.view.result.regions
        assert ui.outlinesCheckBox.enabled
        assert ui.outlinesCheckBox.checked
        assert regions.GetDisplayNode().GetVisibility()
        ui.outlinesCheckBox.click()
        assert not regions.GetDisplayNode().GetVisibility()
        ui.outlinesCheckBox.click()
        assert regions.GetDisplayNode().GetVisibility()
        assert regions.GetDisplayNode().IsDisplayableInView("vtkMRMLSliceNodeRed")

        ui.expectedLayoutButton.click()
        assert layout() == EXPECTED
        assert ui.expectedLayoutButton.checked
        assert not ui.fusedLayoutButton.checked
        nodes = panel.panel.view.result
        names = ("PETSynthPetAxial", "PETSynthExpectedAxial", "PETSynthAddedAxial")
        assert [background(name) for name in names] == [pet, nodes.expected, nodes.difference]
        # The hot spot is 2.0 where 1.2 is expected.
        assert arrayOf(nodes.difference).max() == pytest.approx(0.8, abs=1e-5)
        assert window(nodes.expected) == window(pet)
        ui.fusedLayoutButton.click()
        assert layout() == FUSED

    def test_without_the_files_they_are_off_and_say_why(self, panel: Any) -> None:
        panel.chooseHead()
        ui = panel.ui
        assert "click Synthesize" in ui.outlinesCheckBox.toolTip
        assert "click Synthesize" in ui.expectedLayoutButton.toolTip
        panel.run()
        panel.finish(regions=False)
        assert not ui.outlinesCheckBox.enabled
        assert ui.outlinesCheckBox.toolTip == "This result has no regions."
        assert not ui.expectedLayoutButton.enabled
        assert "does not tell the mean" in ui.expectedLayoutButton.toolTip
        panel.panel.view.showExpected()
        assert layout() == FUSED, "nor by the shortcut"


class TestAcquired:
    def test_nothing_is_compared_before_its_alignment_was_accepted(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        pet = panel.finish()
        ui = panel.ui
        assert not ui.compareLayoutButton.enabled
        assert "Choose an acquired PET" in ui.compareLayoutButton.toolTip
        scanner = acquired(panel)
        before = slicer.mrmlScene.GetNumberOfNodes()
        ui.acquiredPetSelector.setCurrentNode(scanner)
        assert ui.compareLayoutButton.enabled
        assert "PET 2021" in panel.message()
        ui.compareLayoutButton.click()
        assert layout() == FUSED
        assert slicer.mrmlScene.GetNumberOfNodes() == before

        ui.messageButton1.click()
        assert panel.parameters.view.alignmentAccepted
        assert layout() == COMPARE
        assert panel.message() == ""
        columns = ("PETSynthRealAxial", "PETSynthSyntheticAxial", "PETSynthDifferenceAxial")
        aligned, mine, difference = (background(name) for name in columns)
        assert aligned.GetAttribute("PETSynth.Synthetic") is None
        assert aligned.GetNodeReference("PETSynth.Acquired") is scanner
        assert window(aligned) == window(mine) == window(pet)
        # 7500 / 5000 against 1.2, deep in the brain, where blurring changes nothing.
        k, j, i = 24, 28, 28
        assert arrayOf(difference)[k - 6, j, i] == pytest.approx(1.2 - 1.5, abs=0.02)

        # Another PET is to be looked at anew, also when the selector was empty in between.
        other = acquired(panel, "PET 2024")
        ui.acquiredPetSelector.setCurrentNode(None)
        ui.acquiredPetSelector.setCurrentNode(other)
        assert not panel.parameters.view.alignmentAccepted
        assert "PET 2024" in panel.message()

    def test_what_was_accepted_for_one_mri_is_not_for_the_next(self, panel: Any) -> None:
        panel.chooseHead("First T1w")
        panel.run()
        panel.finish()
        panel.ui.acquiredPetSelector.setCurrentNode(acquired(panel))
        panel.ui.messageButton1.click()
        assert panel.parameters.view.alignmentAccepted
        panel.chooseHead("Second T1w")
        panel.run()
        panel.finish()
        assert not panel.parameters.view.alignmentAccepted


def test_an_exploratory_result_is_low_middle_high_and_nothing_else(
    panel: Any, tmp_path: Path
) -> None:
    t1 = panel.chooseHead()
    ui = panel.ui
    choose(ui.tracerComboBox, "PIB")
    process = panel.run()
    process.say(events.Preview(str(previewIn(tmp_path, panel.head))))
    slicer.app.processEvents()
    assert foreground("Red") is None, "the middle never stands alone"
    panel.finish("pib", expected=True)
    nodes = panel.panel.view.result
    assert layout() == TRIPTYCH
    views = ("PETSynthLowAxial", "Red", "PETSynthHighAxial")
    assert [foreground(view) for view in views] == [nodes.low, nodes.pet, nodes.high]
    assert {background(view) for view in views} == {t1}
    assert window(nodes.low) == window(nodes.pet) == window(nodes.high)
    for widget in (ui.expectedLayoutButton, ui.compareLayoutButton, ui.shownComboBox):
        assert not widget.enabled
        assert "low | middle | high only" in widget.toolTip
    ui.opacitySlider.setValue(20)
    assert [composite(v).GetForegroundOpacity() for v in views] == pytest.approx([0.2] * 3)
    panel.panel.view.restoreLayout()
    ui.fusedLayoutButton.click()
    assert layout() == TRIPTYCH
    ui.windowRange.setValues(0.5, 2.5)
    assert [window(v) for v in (nodes.low, nodes.high)] == [pytest.approx((0.5, 2.5))] * 2


class TestLook:
    def test_show_opacity_colours_and_window_reach_the_views(self, panel: Any) -> None:
        panel.chooseHead()
        panel.parameters.run.keepSamples = True
        panel.run()
        pet = panel.finish(samples=2, expected=True)
        ui, nodes = panel.ui, panel.panel.view.result
        registry = (pet.GetDisplayNode().GetColorNode(), window(pet))

        for value in (0, 35, 100):
            ui.opacitySlider.setValue(value)
            assert composite("Yellow").GetForegroundOpacity() == pytest.approx(value / 100)

        combo = ui.shownComboBox
        words = [combo.itemText(index) for index in range(combo.count)]
        assert words == ["Mean of 2 samples", "Standard deviation", "Sample 1", "Sample 2"]
        for data, volume in (("sd", nodes.sd), ("sample1", nodes.samples[1]), ("mean", pet)):
            choose(combo, data)
            assert foreground("Red") is volume
            assert background("PETSynthPetAxial") is volume
            ui.fusedLayoutButton.click()
            assert foreground("Red") is volume, "also when the layout is chosen again"
        assert composite("Red").GetForegroundOpacity() == pytest.approx(1.0), "as it was set"

        choose(ui.colourComboBox, "inverse_grey")
        tables = {v.GetDisplayNode().GetColorNode().GetName() for v in (pet, nodes.expected)}
        assert tables == {"PETSynth Inverse grey"}
        assert nodes.sd.GetDisplayNode().GetColorNode().GetName() == "PETSynth Uniform"

        ui.windowRange.setValues(0.4, 1.6)
        for volume in (pet, nodes.expected, *nodes.samples):
            assert window(volume) == pytest.approx((0.4, 1.6))
        assert window(nodes.sd) != pytest.approx((0.4, 1.6))

        choose(ui.colourComboBox, "registry")
        assert (pet.GetDisplayNode().GetColorNode(), window(pet)) == registry
        shown = (ui.windowRange.minimumValue, ui.windowRange.maximumValue)
        assert shown == pytest.approx(registry[1])

    def test_the_next_result_looks_as_the_card_says(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        panel.finish()
        choose(panel.ui.shownComboBox, "sd")
        choose(panel.ui.colourComboBox, "heat")
        panel.run()
        pet = panel.finish()
        assert panel.ui.shownComboBox.currentData == "mean"
        assert foreground("Red") is pet
        assert panel.ui.colourComboBox.currentData == "heat"
        assert pet.GetDisplayNode().GetColorNode().GetName() == "PETSynth Heat"

        # Choosing the first result again shows it.
        first = next(node for node in results() if node is not pet)
        panel.ui.resultSelector.setCurrentNode(first)
        assert foreground("Red") is first
        assert layout() == FUSED
        panel.panel.view.restoreLayout()
        own = layout()
        panel.ui.resultSelector.setCurrentNode(pet)
        assert foreground("Red") is pet
        assert layout() == own, "a layout of the user's is left alone"

    def test_the_colours_are_those_of_the_chosen_result(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        first = panel.finish()
        panel.run()
        second = panel.finish()
        choose(panel.ui.colourComboBox, "heat")
        panel.ui.resultSelector.setCurrentNode(first)
        assert panel.ui.colourComboBox.currentData == "registry"
        assert first.GetDisplayNode().GetColorNode().GetName() == "PETSynth NIH"
        panel.ui.resultSelector.setCurrentNode(second)
        assert panel.ui.colourComboBox.currentData == "heat"


class TestSaved:
    """What the views show when a scene is loaded is what they showed when it was saved."""

    @pytest.mark.parametrize("kind", ["fused", "expected", "compare", "triptych"])
    def test_the_views_look_the_same(self, panel: Any, tmp_path: Path, kind: str) -> None:
        panel.chooseHead()
        ui = panel.ui
        choose(ui.tracerComboBox, "PIB" if kind == "triptych" else "FDG")
        panel.run()
        panel.finish("pib" if kind == "triptych" else "fdg", expected=True)
        choose(ui.colourComboBox, "heat")
        ui.windowRange.setValues(0.3, 1.7)
        ui.opacitySlider.setValue(40)
        if kind == "expected":
            ui.expectedLayoutButton.click()
        if kind == "compare":
            ui.acquiredPetSelector.setCurrentNode(acquired(panel))
            ui.messageButton1.click()
        before = self.look()
        assert before["layout"] == {
            "fused": FUSED, "expected": EXPECTED, "compare": COMPARE, "triptych": TRIPTYCH
        }[kind]  # fmt: skip
        assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
        slicer.mrmlScene.Clear(0)
        slicer.util.loadScene(str(tmp_path / "case.mrb"))
        slicer.app.processEvents()
        assert self.look() == before
        assert ui.colourComboBox.currentData == "heat"
        assert ui.opacitySlider.value == pytest.approx(40)

    def look(self) -> dict[str, Any]:
        """All that decides what is seen, by names, as IDs may change."""
        seen: dict[str, Any] = {"layout": layout()}
        for view in slicer.app.layoutManager().shownViews():
            node = composite(view.name)
            shown = []
            for volume in (background(view.name), foreground(view.name)):
                if volume is not None:
                    display = volume.GetDisplayNode()
                    colours = display.GetColorNode()
                    low = (
                        round(display.GetLowerThreshold(), 4) if display.GetApplyThreshold() else 0
                    )
                    ends = [round(end, 4) for end in window(volume)]
                    table = colours.GetName() if colours is not None else None
                    shown.append((volume.GetName(), ends, low, table, volume.GetDescription()))
            opacity = round(node.GetForegroundOpacity(), 4)
            seen[view.name] = (shown, opacity, view.node.GetOrientation(), self.over(view))
        return seen

    def over(self, view: Any) -> list[str]:
        """Outlines and legends that are drawn over a view."""
        kinds = ("vtkMRMLSegmentationDisplayNode", "vtkMRMLColorLegendDisplayNode")
        displays = [n for kind in kinds for n in slicer.util.getNodesByClass(kind)]
        return sorted(
            f"{node.GetName()} {node.GetClassName()}"
            for node in displays
            if node.GetVisibility() and node.IsDisplayableInView(view.node.GetID())
        )


def test_the_list_of_acquired_pets_has_none_of_ours(panel: Any) -> None:
    t1 = panel.chooseHead()
    panel.run()
    panel.finish(expected=True)
    scanner = acquired(panel)
    panel.ui.acquiredPetSelector.setCurrentNode(scanner)
    panel.ui.messageButton1.click()
    selector = panel.ui.acquiredPetSelector
    listed = [selector.nodeFromIndex(i) for i in range(selector.nodeCount())]
    assert listed == [t1, scanner], "nor the copy of it that was laid onto the T1"


@pytest.mark.parametrize("way", ["button", "layout menu"])
def test_the_exploratory_middle_does_not_stay_alone(panel: Any, way: str) -> None:
    t1 = panel.chooseHead()
    choose(panel.ui.tracerComboBox, "PIB")
    panel.run()
    pet = panel.finish("pib")
    assert foreground("Red") is pet
    if way == "button":
        panel.ui.restoreLayoutButton.click()
    else:
        slicer.app.layoutManager().setLayout(3)
    assert (background("Red"), foreground("Red")) == (t1, None)
    panel.ui.fusedLayoutButton.click()
    assert layout() == TRIPTYCH
    assert foreground("Red") is pet
