"""The whole way once, with the real worker as a process and the model without a network."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import slicer

pytestmark = pytest.mark.slow


def looks(pet: Any) -> dict[str, Any]:
    """What has to be the same after saving and loading."""
    display = pet.GetDisplayNode()
    return {
        "name": pet.GetName(),
        "mark": pet.GetAttribute("PETSynth.Synthetic"),
        "colours": display.GetColorNode().GetName(),
        "window": (display.GetWindowLevelMin(), display.GetWindowLevelMax()),
        "mean": round(float(slicer.util.arrayFromVolume(pet).mean()), 5),
        "outlines": len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")),
        "layout": slicer.app.layoutManager().layout,
    }


def opacity() -> float:
    """Of the PET in the red view."""
    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    return float(logic.GetSliceCompositeNode().GetForegroundOpacity())


def test_sample_fused_opacity_cancel_save_reload(
    host: Any, loadModule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = loadModule("PETSynth")
    from PETSynthLib.request import Regions
    from PETSynthPanel import Request

    # The quicker regions: bending the atlas has its own tests.
    quick = partial(Request.SynthesisRequest, regions=Regions.AFFINE)
    monkeypatch.setattr(Request, "SynthesisRequest", quick)
    module.enter()
    ui, controller = module.ui, module.widget.panel.controller
    parameters = module.widget.panel.context.parameters
    ui.loadSampleButton.click()
    parameters.run.modelId = "atlas"

    ui.runButton.click()
    assert ui.runButton.text == "Cancel", ui.messageLabel.text
    host.waitUntil(lambda: not controller.busy, 900, "the run")
    assert "Done in" in ui.messageLabel.text, controller.log.text
    pet = parameters.view.result
    values = slicer.util.arrayFromVolume(pet)
    assert 0.5 < float(values[values > 0].mean()) < 2.0, "SUVR of FDG over the pons"
    assert slicer.app.layoutManager().layout == 5311
    assert opacity() == pytest.approx(0.5)
    ui.opacitySlider.setValue(80)
    assert opacity() == pytest.approx(0.8)

    host.waitUntil(lambda: _clickable(module), 5, "the button's pause")
    before = slicer.mrmlScene.GetNumberOfNodes()
    ui.runButton.click()
    host.waitUntil(lambda: controller.stage is not None, 60, "the second run")
    host.waitUntil(lambda: _clickable(module), 5, "the button's pause")
    asked = time.monotonic()
    ui.runButton.click()
    host.waitUntil(lambda: not controller.busy, 10, "the cancel")
    assert time.monotonic() - asked < 4.0, "two cores with much else to do; alone below one second"
    assert ui.messageLabel.text == "Cancelled. Nothing was added to the scene."
    assert slicer.mrmlScene.GetNumberOfNodes() == before

    expected = looks(pet)
    path = tmp_path / "Fälle von heute" / "case 1.mrb"
    path.parent.mkdir()
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(0)
    assert not ui.runButton.enabled
    slicer.util.loadScene(str(path))
    slicer.app.processEvents()
    again = module.widget.panel.context.parameters.view.result
    assert looks(again) == expected
    assert opacity() == pytest.approx(0.8)
    assert ui.opacitySlider.value == pytest.approx(80)
    assert ui.runButton.enabled


def _clickable(module: Any) -> bool:
    area = module.widget.panel.runArea
    return bool(area._now() - area._roleChanged >= 0.5)
