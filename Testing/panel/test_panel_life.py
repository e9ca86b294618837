"""Scenes that are saved, loaded and closed, a second patient, a module that is read again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import slicer


def test_the_panel_is_built_in_half_a_second(panel: Any, loadModule: Any) -> None:
    import time

    began = time.perf_counter()
    loadModule("PETSynth")
    assert time.perf_counter() - began < 1.5, "0.5 s alone on a computer"


class TestSaveAndLoad:
    def test_values_come_back_and_stay_unknown_where_they_were(
        self, panel: Any, tmp_path: Path
    ) -> None:
        panel.chooseHead("Head T1w")
        ui = panel.ui
        ui.mmseKnownCheckBox.setChecked(True)
        ui.mmseSpinBox.setValue(24)
        panel.parameters.run.seed = 77
        ui.tracerComboBox.setCurrentIndex(ui.tracerComboBox.findData("FLORTAUCIPIR"))
        path = tmp_path / "Fälle 1" / "case.mrb"
        path.parent.mkdir()
        assert slicer.util.saveScene(str(path))
        slicer.mrmlScene.Clear(0)
        assert not panel.parameters.patient.mmseKnown
        assert ui.tracerComboBox.currentData == "FDG"
        slicer.util.loadScene(str(path))
        slicer.app.processEvents()
        assert (panel.parameters.patient.mmseKnown, panel.parameters.patient.mmse) == (True, 24)
        assert not panel.parameters.patient.ageKnown
        assert ui.mmseSpinBox.value == 24
        assert ui.seedSpinBox.value == 77
        assert ui.tracerComboBox.currentData == "FLORTAUCIPIR"
        assert ui.t1wSelector.currentNode().GetName() == "Head T1w"

    def test_a_result_is_shown_again(self, panel: Any, tmp_path: Path) -> None:
        panel.chooseHead()
        panel.run()
        panel.finish()
        panel.ui.opacitySlider.setValue(30)
        panel.ui.windowRange.setValues(0.2, 1.8)
        path = tmp_path / "case.mrb"
        assert slicer.util.saveScene(str(path))
        slicer.mrmlScene.Clear(0)
        assert not panel.ui.fusedLayoutButton.enabled
        slicer.util.loadScene(str(path))
        slicer.app.processEvents()
        pet = panel.parameters.view.result
        assert panel.ui.resultSelector.currentNode() is pet
        assert panel.ui.opacitySlider.value == pytest.approx(30)
        display = pet.GetDisplayNode()
        window = (display.GetWindowLevelMin(), display.GetWindowLevelMax())
        assert window == pytest.approx((0.2, 1.8))
        assert panel.ui.fusedLayoutButton.enabled

    def test_nothing_of_this_computer_is_in_the_scene(self, panel: Any, tmp_path: Path) -> None:
        panel.ui.jobFolderLineEdit.setCurrentPath(str(tmp_path / "jobs"))
        panel.panel.context.settings.device = "cuda:1"
        node = panel.parameters.parameterNode
        values = [node.GetParameter(name) for name in node.GetParameterNames()]
        assert not [v for v in values if "jobs" in v or "cuda" in v]


class TestSecondPatient:
    def test_each_result_keeps_to_its_own_mri(self, panel: Any) -> None:
        first = panel.chooseHead("First T1w")
        panel.run()
        one = panel.finish()
        second = panel.chooseHead("Second T1w")
        panel.run()
        two = panel.finish()
        assert one is not two
        assert one.GetNodeReference("PETSynth.SourceT1") is first
        assert two.GetNodeReference("PETSynth.SourceT1") is second
        red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
        assert red.GetBackgroundVolumeID() == second.GetID()
        assert red.GetForegroundVolumeID() == two.GetID()


class TestReload:
    def test_all_of_the_module_is_read_again_and_the_values_stay(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        before = sys.modules["PETSynthPanel.Controller"]
        panel.widget.onReload()
        assert not process.alive
        assert sys.modules["PETSynthPanel.Controller"] is not before
        widget = panel.module.widget
        assert widget.panel is not panel.panel
        assert widget.ui.t1wSelector.currentNode() is not None


def test_no_process_outlives_the_panel(panel: Any) -> None:
    """Neither one that nobody heeds any more: its run was cancelled, or it has answered."""
    from PETSynthPanel.Controller import Command
    from PETSynthPanel.ProcessRunner import ProcessRunner

    runners = [ProcessRunner(), ProcessRunner()]
    for runner, script in zip(runners, ("pass", "import time; time.sleep(60)"), strict=True):
        runner.start(Command(sys.executable, ("-I", "-S", "-c", script), {}))
    panel.widget.cleanup()
    assert all(runner.waitForEnd(0) for runner in runners)


class TestFolders:
    def test_a_job_folder_with_spaces_and_umlauts(self, panel: Any, tmp_path: Path) -> None:
        folder = tmp_path / "Läufe von heute"
        panel.ui.jobFolderLineEdit.setCurrentPath(str(folder))
        panel.chooseHead("Kopf ÄÖ/1")
        panel.run()
        assert Path(panel.request["t1"]).is_file()
        assert folder in Path(panel.request["t1"]).parents
        assert panel.finish() is not None

    def test_after_a_run_the_result_stays_until_the_scene_closes(
        self, panel: Any, tmp_path: Path
    ) -> None:
        panel.ui.jobFolderLineEdit.setCurrentPath(str(tmp_path / "jobs"))
        panel.chooseHead()
        panel.run()
        panel.finish()
        (folder,) = (tmp_path / "jobs").iterdir()
        assert (folder / "t1.nrrd").is_file(), "a measurement holds it against the PET's record"
        pet = panel.parameters.view.result
        assert panel.panel.launcher.resultFolder(pet) == folder / "result"
        assert list((folder / "result").glob("*suvr*"))
        slicer.mrmlScene.Clear(0)
        assert list((tmp_path / "jobs").iterdir()) == []

    def test_kept_when_the_user_asks_for_it(self, panel: Any, tmp_path: Path) -> None:
        panel.ui.jobFolderLineEdit.setCurrentPath(str(tmp_path / "jobs"))
        panel.ui.keepJobCheckBox.setChecked(True)
        panel.chooseHead()
        panel.run()
        panel.finish()
        slicer.mrmlScene.Clear(0)
        assert list((tmp_path / "jobs").rglob("*suvr*"))

    def test_the_next_run_on_the_same_mri_may_reuse_its_alignment(
        self, panel: Any, tmp_path: Path
    ) -> None:
        panel.ui.jobFolderLineEdit.setCurrentPath(str(tmp_path / "jobs"))
        panel.chooseHead()
        panel.run()
        folder = Path(panel.request["output"])
        panel.head.result(folder)
        (folder / "request.json").write_text("{}")
        panel.finish()
        panel.run()
        output = Path(panel.request["output"])
        assert (output / "space" / "brain_mask.nii.gz").is_file()
        assert not (output / "result.json").exists(), "an old result is no new one"

    def test_an_alignment_that_was_tidied_away_does_not_stop_the_next_run(
        self, panel: Any, tmp_path: Path
    ) -> None:
        panel.ui.jobFolderLineEdit.setCurrentPath(str(tmp_path / "jobs"))
        panel.chooseHead()
        panel.run()
        panel.finish()
        for path in (tmp_path / "jobs").rglob("request.json"):
            path.unlink()
        panel.run()
        assert len(panel.processes) == 2
        assert not Path(panel.request["output"]).exists()

    def test_a_folder_that_cannot_be_written_is_said(self, panel: Any, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        panel.ui.jobFolderLineEdit.setCurrentPath(str(tmp_path / "file"))
        panel.chooseHead()
        panel.ui.runButton.click()
        assert "cannot be written to" in panel.message()
        assert panel.ui.messageButton1.text == "Choose another folder"
