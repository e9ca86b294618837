"""Reading comfort in the card View: planes, blink, inverted grey, scale to reference, keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from head import bending, straight, turned

from PETSynthLib.preprocess.transform import NativeToTemplate

OBLIQUE = turned(20, 0, 0) @ turned(0, 0, 30)


def composite(view: str) -> Any:
    """What the slice view of that name shows."""
    return slicer.app.layoutManager().sliceWidget(view).sliceLogic().GetSliceCompositeNode()


def up(view: str) -> np.ndarray:
    """Direction that is up in a slice view, RAS."""
    matrix = slicer.app.layoutManager().sliceWidget(view).mrmlSliceNode().GetSliceToRAS()
    return np.array([matrix.GetElement(row, 1) for row in range(3)])


def choose(combo: Any, data: str) -> None:
    """Choose the entry with this data, as a user does."""
    index = combo.findData(data)
    assert index >= 0, data
    combo.setCurrentIndex(index)


def oblique(panel: Any, toTemplate: np.ndarray = OBLIQUE, **more: Any) -> Any:
    """A finished run on a head that lies like this in the template."""
    panel.run()
    folder = Path(panel.request["output"])
    (folder / "space").mkdir(parents=True, exist_ok=True)
    NativeToTemplate(toTemplate).write(folder / "space" / "native_to_template.tfm")
    return panel.finish(**more)


def activate(panel: Any, keys: str) -> None:
    """What a key does."""
    panel.panel.shortcuts._actions[keys]()


class TestPlanes:
    def test_they_tilt_the_views_and_say_which_they_are(self, panel: Any) -> None:
        panel.chooseHead()
        combo = panel.ui.planesComboBox
        assert not combo.enabled
        oblique(panel)
        assert combo.enabled
        assert combo.currentData == "native"
        choose(combo, "acpc")
        # cos and sin of 5.10 + 20 degrees, turned by 30 (worked out in test_scene_planes).
        assert np.allclose(up("Red"), (0.4528, 0.7842, -0.4243), atol=1e-4)
        assert combo.currentText == "AC-PC"
        for data in ("hippocampus", "native", "acpc"):
            activate(panel, "Alt+P")
            assert combo.currentData == data

    def test_another_result_is_read_in_the_planes_of_its_own_head(self, panel: Any) -> None:
        panel.chooseHead()
        oblique(panel)
        choose(panel.ui.planesComboBox, "acpc")
        panel.chooseHead("Second T1w")
        oblique(panel, turned(20, 0, 0))
        assert panel.ui.planesComboBox.currentData == "acpc"
        assert np.allclose(up("Red"), (0, 0.9056, -0.4243), atol=1e-4)

    def test_planes_of_the_users_own_are_shown_as_none_of_ours(self, panel: Any) -> None:
        panel.chooseHead()
        oblique(panel)
        slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().SetOrientation("Sagittal")
        panel.panel.refresh()
        assert panel.ui.planesComboBox.currentIndex == -1

    def test_where_they_are_not_known_the_tooltip_says_why(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        pet = panel.finish()
        assert not panel.ui.planesComboBox.enabled
        assert "way to the template" in panel.ui.planesComboBox.toolTip
        pet = oblique(panel)
        pet.SetAndObserveTransformNodeID(bending(slicer.mrmlScene).GetID())
        panel.panel.refresh()
        assert not panel.ui.planesComboBox.enabled
        assert "non-linear" in panel.ui.planesComboBox.toolTip


class TestBlink:
    def test_it_takes_the_pet_off_and_brings_it_back_as_it_was(self, panel: Any) -> None:
        panel.chooseHead()
        assert not panel.ui.blinkButton.enabled
        oblique(panel)
        panel.ui.opacitySlider.setValue(70)
        panel.ui.blinkButton.click()
        assert composite("Red").GetForegroundOpacity() == 0.0
        assert panel.ui.opacitySlider.value == 70
        assert panel.ui.blinkButton.checked
        activate(panel, "Alt+B")
        assert composite("Red").GetForegroundOpacity() == pytest.approx(0.7)
        assert not panel.ui.blinkButton.checked

    def test_fading_shows_a_pet_that_was_off(self, panel: Any) -> None:
        panel.chooseHead()
        oblique(panel)
        panel.ui.blinkButton.click()
        activate(panel, "Alt++")
        assert composite("Red").GetForegroundOpacity() == pytest.approx(0.6)
        assert not panel.ui.blinkButton.checked

    def test_a_new_result_is_never_hidden(self, panel: Any) -> None:
        panel.chooseHead()
        oblique(panel)
        panel.ui.blinkButton.click()
        oblique(panel)
        assert composite("Red").GetForegroundOpacity() == pytest.approx(0.5)


class TestLook:
    def test_invert_is_a_switch_and_the_list_of_colours_agrees(self, panel: Any) -> None:
        panel.chooseHead()
        pet = oblique(panel)
        choose(panel.ui.colourComboBox, "heat")
        panel.ui.invertButton.click()
        assert panel.ui.colourComboBox.currentData == "inverse_grey"
        assert panel.ui.invertButton.checked
        activate(panel, "Alt+I")
        assert panel.ui.colourComboBox.currentData == "heat"
        assert not panel.ui.invertButton.checked
        table = pet.GetDisplayNode().GetColorNode()
        assert table.GetAttribute("PETSynth.ColourMap") == "heat"

    def test_scaled_to_the_reference_the_window_is_in_its_units(self, panel: Any) -> None:
        panel.chooseHead()
        pet = oblique(panel)
        panel.ui.referenceScaleButton.click()
        # The head's pons has 1.2 SUVR; FDG's window is 0 to 2.2.
        display = pet.GetDisplayNode()
        assert display.GetWindowLevelMax() == pytest.approx(2.64)
        assert panel.ui.windowRange.maximumValue == pytest.approx(2.64)
        assert "mean of 1.20 SUVR" in panel.message()
        assert "0 to 2.2 times the pons" in panel.message()

    def test_without_a_reference_region_the_button_says_so(self, panel: Any) -> None:
        panel.chooseHead()
        oblique(panel, regions=False)
        assert not panel.ui.referenceScaleButton.enabled
        assert "reference region" in panel.ui.referenceScaleButton.toolTip


def test_a_saved_scene_opens_in_its_planes_and_colours(panel: Any, tmp_path: Path) -> None:
    panel.chooseHead(affine=turned(0, 0, 20) @ straight())
    oblique(panel)
    choose(panel.ui.planesComboBox, "hippocampus")
    panel.ui.invertButton.click()
    wanted = up("Green")
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(path))
    slicer.app.processEvents()
    ui = panel.ui
    assert ui.planesComboBox.currentData == "hippocampus"
    assert np.allclose(up("Green"), wanted)
    assert ui.invertButton.checked
    ui.invertButton.click()
    assert ui.colourComboBox.currentData == "registry"


def test_no_key_is_one_of_slicers_or_used_twice(panel: Any) -> None:
    keys = list(panel.panel.shortcuts._actions)
    assert len(set(keys)) == len(keys)
    # Slicer's own are single letters in views, Ctrl with a letter or digit, and function keys; its
    # menus take Alt with F, E, V and H.
    taken = {"Alt+F", "Alt+E", "Alt+V", "Alt+H"}
    assert not taken & set(keys)
    ours = ("Ctrl+Return", "Ctrl+Shift+Return", "Esc")
    assert all(key.startswith("Alt+") or key in ours for key in keys)
