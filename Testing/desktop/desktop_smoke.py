"""A walk through PETSynth in the 3D Slicer desktop application.

NOBODY HAS RUN THIS IN DESKTOP SLICER YET. Its walk was only tried in the test host (Testing/host),
where widgets are stand-ins. Whoever runs it: please report what it prints.

    Slicer --testing --no-splash --additional-module-paths <checkout>/PETSynth
           --python-script <checkout>/Testing/desktop/desktop_smoke.py

(one line). It loads the module, runs the sample case, cancels a second run, closes the scene in a
third one, saves and reloads, and ends Slicer with 0 when every step was right and 1 otherwise. The
model is `atlas`, which needs no PyTorch. It takes about two minutes and writes into a temporary
folder only.
"""

import sys
import tempfile
import time
import traceback
from pathlib import Path

import qt
import slicer

MODEL = "atlas"
RUN_LIMIT_S = 600
CANCEL_LIMIT_S = 2.0
PANEL_LIMIT_S = 3.0
"""The goal is 0.5 s; the first time includes reading the module from disk."""


class Walk:
    """The steps, in order. Each says what it found; a step that fails ends the walk."""

    def __init__(self, widget, folder):
        self.widget = widget
        self.ui = widget.ui
        self.folder = Path(folder)
        self.remembered = None

    def steps(self):
        return (
            self.loadSample,
            self.runSample,
            self.moveOpacity,
            self.cancelSecondRun,
            self.closeSceneDuringRun,
            self.saveAndReload,
        )

    # --- helpers ---------------------------------------------------------------------------------
    @staticmethod
    def wait(condition, seconds, what):
        """Let Slicer work until the condition holds; returns the seconds it took."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"{what}: not within {seconds:g} s")
            slicer.app.processEvents()
            time.sleep(0.01)
        return time.monotonic() - began

    @staticmethod
    def volumes(role=None):
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        return [v for v in volumes if role is None or v.GetAttribute("PETSynth.Role") == role]

    def ready(self):
        return self.ui.runButton.enabled and self.ui.runButton.text == "Synthesize"

    def start(self):
        self.wait(self.ready, 60, "the button Synthesize enabled")
        time.sleep(0.6)  # the button ignores a click soon after it changed its role
        self.ui.runButton.click()
        self.wait(lambda: self.ui.runButton.text == "Cancel", 60, "the run's begin")
        time.sleep(0.6)

    def parameters(self):
        return self.widget.logic.getParameterNode()

    # --- steps -----------------------------------------------------------------------------------
    def loadSample(self):
        self.ui.loadSampleButton.click()
        self.wait(lambda: self.ui.t1wSelector.currentNode() is not None, 60, "the sample's T1w")
        self.parameters().run.modelId = MODEL
        return f"T1w: {self.ui.t1wSelector.currentNode().GetName()}"

    def runSample(self):
        self.start()
        took = self.wait(lambda: self.volumes("PET"), RUN_LIMIT_S, "the PET")
        self.wait(self.ready, 60, "the end of the run")
        pet, t1 = self.volumes("PET")[0], self.ui.t1wSelector.currentNode()
        assert pet.GetAttribute("PETSynth.Synthetic") == "1", "the PET is not marked"
        assert "synth" in pet.GetName().lower() or "SYN" in pet.GetName(), pet.GetName()
        assert pet.GetImageData().GetDimensions() == t1.GetImageData().GetDimensions()
        bounds, expected = [0.0] * 6, [0.0] * 6
        pet.GetRASBounds(bounds)
        t1.GetRASBounds(expected)
        offset = max(abs(a - b) for a, b in zip(bounds, expected, strict=True))
        assert offset < 0.1, f"the PET lies {offset:.2f} mm off the T1w"
        red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
        assert red.GetForegroundVolumeID() == pet.GetID(), "the PET is not shown over the T1w"
        self.remembered = slicer.util.arrayFromVolume(pet).copy()
        return f"{pet.GetName()} after {took:.0f} s"

    def moveOpacity(self):
        self.ui.opacitySlider.value = 70
        slicer.app.processEvents()
        red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
        assert abs(red.GetForegroundOpacity() - 0.7) < 0.01, red.GetForegroundOpacity()
        return "the fused view follows the slider"

    def cancelSecondRun(self):
        before = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
        self.start()
        self.ui.runButton.click()
        took = self.wait(self.ready, 20, "the end of the cancelled run")
        after = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
        assert after == before, f"{after - before} volumes stayed after Cancel"
        assert took < CANCEL_LIMIT_S, f"Cancel took {took:.1f} s"
        return f"cancelled in {took:.1f} s, nothing added"

    def closeSceneDuringRun(self):
        path = self.folder / "case with spaces \u00fc.mrb"
        assert slicer.util.saveScene(str(path)), "the scene could not be saved"
        self.start()
        slicer.mrmlScene.Clear(0)
        self.wait(lambda: self.ui.runButton.text == "Synthesize", 20, "the run's end")
        assert not self.volumes(), "volumes in a closed scene"
        return "the run ended with the scene"

    def saveAndReload(self):
        path = next(self.folder.glob("*.mrb"))
        slicer.util.loadScene(str(path))
        slicer.app.processEvents()
        pets = self.volumes("PET")
        assert len(pets) == 1, f"{len(pets)} PETs after loading"
        assert (slicer.util.arrayFromVolume(pets[0]) == self.remembered).all(), "other values"
        assert self.ui.t1wSelector.currentNode() is not None, "the panel lost its T1w"
        assert self.ui.resultSelector.currentNode() is pets[0], "the panel lost its result"
        return f"{pets[0].GetName()} is back, values and panel as before"


def walk(widget, folder):
    """Walk and print; returns whether every step was right."""
    journey = Walk(widget, folder)
    for step in journey.steps():
        try:
            print(f"PASS {step.__name__}: {step()}", flush=True)
        except Exception:
            print(f"FAIL {step.__name__}\n{traceback.format_exc()}", flush=True)
            return False
    return True


def main():
    print(f"Slicer {slicer.app.applicationVersion}, Qt {qt.qVersion()}, Python {sys.version}")
    began = time.monotonic()
    slicer.util.selectModule("PETSynth")
    widget = slicer.modules.PETSynthWidget
    took = time.monotonic() - began
    print(f"{'PASS' if took < PANEL_LIMIT_S else 'FAIL'} panel built in {took:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        right = walk(widget, folder) and took < PANEL_LIMIT_S
    slicer.util.exit(0 if right else 1)


if __name__ == "__main__" and "slicerhost" not in sys.modules:
    # The event loop has to run before a module is selected.
    qt.QTimer.singleShot(0, main)
