"""A run as the user sees it: every state of the panel against a replayed worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import slicer

from PETSynthLib.run import events

IDLE_TEXT = "Choose a T1w image, or load the sample case."


def nodeNames() -> set[str]:
    """Names of all volumes of the scene."""
    return {n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}


class TestBeforeTheRun:
    def test_without_a_t1w_the_button_says_what_is_missing(self, panel: Any) -> None:
        assert not panel.ui.runButton.enabled
        assert panel.ui.runButton.toolTip == panel.ui.stageLabel.text == IDLE_TEXT
        assert not panel.ui.loadSampleButton.isHidden()
        assert panel.ui.lightsWidget.isHidden()

    def test_the_sample_case_is_one_click(self, panel: Any) -> None:
        panel.ui.loadSampleButton.click()
        assert panel.parameters.input.t1w.GetName() == "Sample T1w"
        assert panel.ui.runButton.enabled
        assert panel.ui.loadSampleButton.isHidden()
        assert not panel.ui.lightsWidget.isHidden()

    def test_a_t1w_is_chosen_for_the_user_on_entering(self, host: Any, loadModule: Any) -> None:
        from head import Head

        node = Head().node(slicer.mrmlScene, "Sample T1w")
        module = loadModule("PETSynth")
        module.enter()
        assert module.ui.t1wSelector.currentNode() is node

    def test_a_red_light_stops_the_run_and_says_which(self, panel: Any, host: Any) -> None:
        import numpy as np

        ct = np.zeros((40, 40, 40), np.float32)
        ct[:20] = -1000
        node = host.addVolume(ct, "T1 CT")
        panel.ui.t1wSelector.setCurrentNode(node)
        assert not panel.ui.runButton.enabled
        assert "CT" in panel.ui.runButton.toolTip
        assert "Use anyway" not in panel.ui.lightSequence.text


class TestStates:
    def test_checking(self, panel: Any) -> None:
        panel.chooseHead()
        panel.ui.runButton.click()
        ui = panel.ui
        assert ui.runButton.text == "Cancel"
        assert ui.runButton.enabled
        assert (ui.progressBar.minimum, ui.progressBar.maximum) == (0, 0)
        assert not ui.progressBar.isHidden()
        assert not ui.previewCheckBox.isHidden()
        for name in ("t1wSelector", "ageKnownCheckBox", "tracerComboBox", "deviceComboBox"):
            assert not getattr(ui, name).enabled, name
            assert "run" in getattr(ui, name).toolTip

    def test_running_tells_stage_step_and_time(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        process.say(
            events.Stage("generate", "Generating the PET", 3, 6),
            events.Step("generate", 1, 4, 11.0),
        )
        assert panel.ui.stageLabel.text == "Step 3 of 6: generating the PET, 2 of 4"
        assert panel.ui.progressBar.maximum == 100

    def test_done(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        before = nodeNames()
        pet = panel.finish()
        ui = panel.ui
        assert pet.GetAttribute("PETSynth.Synthetic") == "1"
        assert "SYN" in pet.GetName().upper()
        assert len(nodeNames() - before) >= 2
        assert ui.runButton.text == "Synthesize"
        assert "Done in 24 s. Shown over the T1w." in panel.message()
        assert ui.progressBar.isHidden()
        assert ui.resultSelector.currentNode() is pet
        assert not ui.viewCard.collapsed
        assert ui.t1wSelector.enabled
        assert slicer.app.layoutManager().layout == 5311

    def test_failed_keeps_the_scene_and_offers_remedies(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        before = nodeNames()
        process.say(events.Failure("OUT_OF_MEMORY", "There is not enough memory.", "Close."))
        process.end(4)
        ui = panel.ui
        assert nodeNames() == before
        assert ui.runButton.text == "Synthesize"
        assert not ui.messageFrame.isHidden()
        assert ui.messageButton1.text.startswith("Retry on CPU")
        assert ui.messageButton2.text == "Copy report"
        assert ui.t1wSelector.enabled

    def test_a_crash_leaves_slicer_alone(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run().end(-11)
        assert "The worker stopped unexpectedly (exit -11)" in panel.message()

    def test_garbage_on_stdout_changes_nothing(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        process.lineReceived.emit(b"\xff 50%|#####     |")
        panel.controller.tick()
        assert panel.ui.runButton.text == "Cancel"
        assert "50%" in panel.ui.detailsText.plainText


class TestCancel:
    @pytest.mark.parametrize("when", ["starting", "running", "sampling"])
    def test_nothing_is_added_whenever_it_comes(self, panel: Any, when: str) -> None:
        panel.chooseHead()
        panel.ui.runButton.click()
        process, before = panel.process, nodeNames()
        if when != "starting":
            process.hello()
        if when == "sampling":
            process.say(
                events.Stage("generate", "Generating", 3, 6), events.Step("generate", 2, 4, 5.0)
            )
        panel.ui.runButton.click()
        assert panel.ui.runButton.text == "Cancelling…"
        assert not panel.ui.runButton.enabled
        assert panel.ui.stageLabel.text == "Stopping…"
        process.say(events.Stopped())
        process.end(3)
        assert panel.message() == "Cancelled. Nothing was added to the scene."
        assert nodeNames() == before
        assert panel.ui.runButton.text == "Synthesize"

    def test_during_the_import_the_button_cannot_be_pressed(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        seen: list[Any] = []
        state = type(panel.controller.state)

        def note() -> None:
            if panel.controller.state is state.IMPORTING:
                seen.append((panel.ui.runButton.text, panel.ui.runButton.enabled))

        panel.controller.changed.connect(note)
        panel.finish()
        assert seen[0] == ("Importing…", False)


class TestClicks:
    def test_a_double_click_on_synthesize_does_not_cancel(self, panel: Any) -> None:
        panel.chooseHead()
        time = [50.0]
        panel.panel.runArea._now = lambda: time[0]
        panel.ui.runButton.click()
        time[0] += 0.2
        panel.ui.runButton.click()
        assert panel.process.sent == []
        time[0] += 0.4
        panel.ui.runButton.click()
        assert panel.process.sent != []


class TestMidRun:
    def test_the_t1w_is_deleted(self, panel: Any) -> None:
        node = panel.chooseHead("Head T1w")
        process = panel.run()
        slicer.mrmlScene.RemoveNode(node)
        assert process.sent, "the worker was told to stop"
        process.say(events.Stopped())
        process.end(3)
        text = "'Head T1w' was removed, so the run was stopped. Nothing was added."
        assert panel.message() == text

    def test_the_scene_is_closed(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        slicer.mrmlScene.Clear(0)
        assert not process.alive
        assert not panel.controller.busy
        assert panel.parameters.input.t1w is None
        assert nodeNames() == set()

    def test_the_module_is_taken_away(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        panel.module.unload()
        assert not process.alive

    def test_slicer_quits_with_a_deaf_worker(self, panel: Any) -> None:
        panel.chooseHead()
        process = panel.run()
        process.endsOnCancel = False
        slicer.app.aboutToQuit.emit()
        assert process.killed

    def test_edits_of_the_parameter_node_do_not_reach_the_run(self, panel: Any) -> None:
        panel.chooseHead()
        panel.run()
        panel.parameters.run.seed = 99
        assert panel.request["seed"] == 1

    def test_renaming_the_t1w_changes_nothing(self, panel: Any) -> None:
        node = panel.chooseHead("Before")
        panel.run()
        node.SetName("After")
        pet = panel.finish()
        assert pet.GetNodeReference("PETSynth.SourceT1") is node


def test_a_sample_that_cannot_be_loaded_is_told_in_the_message_box(
    panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("Failed to load volume")

    monkeypatch.setattr(slicer.util, "loadVolume", fails)
    panel.ui.loadSampleButton.click()
    assert panel.message() == "The sample case cannot be loaded: Failed to load volume."
    assert panel.parameters.input.t1w is None


class TestRemedies:
    def fail(self, panel: Any, code: str, text: str = "What went wrong.") -> None:
        panel.chooseHead()
        process = panel.run()
        process.say(events.Failure(code, text, "What to do."))
        process.end(2)

    def test_retry_on_the_cpu_leaves_the_setting_alone(self, panel: Any) -> None:
        self.fail(panel, "DEVICE")
        panel.ui.messageButton1.click()
        assert len(panel.processes) == 2
        assert panel.request["device"] == "cpu"
        assert panel.panel.context.settings.device == "auto"

    def test_find_the_mask_automatically(self, panel: Any, host: Any) -> None:
        import numpy as np

        mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
        slicer.util.updateVolumeFromArray(mask, np.ones((4, 4, 4), np.uint8))
        panel.chooseHead()
        panel.parameters.input.mask = mask
        process = panel.run()
        assert panel.request["mask"] is not None
        process.say(events.Failure("BAD_MASK", "The mask covers 38 mL.", "Give another."))
        process.end(2)
        panel.ui.messageButton1.click()
        assert panel.request["mask"] is None

    def test_go_on_without_the_flair(self, panel: Any) -> None:
        node = panel.chooseHead("Head T1w")
        flair = panel.head.node(slicer.mrmlScene, "FLAIR")
        panel.parameters.input.flair = flair
        assert panel.parameters.input.t1w is node
        process = panel.run()
        assert panel.request["flair"] is not None
        process.say(events.Failure("BAD_FLAIR", "The FLAIR shows another head.", "Leave it."))
        process.end(2)
        panel.ui.messageButton1.click()
        assert panel.request["flair"] is None

    def test_retry_with_fast(self, panel: Any) -> None:
        panel.panel.context.settings.device = "cpu"
        self.fail(panel, "OUT_OF_MEMORY")
        assert panel.ui.messageButton1.text == "Retry with Fast"
        panel.ui.messageButton1.click()
        assert panel.request["preset"] == "fast"

    def test_copy_report_puts_message_and_log_on_the_clipboard(self, panel: Any) -> None:
        import qt

        self.fail(panel, "INTERNAL")
        assert panel.ui.messageButton1.text == "Copy report"
        panel.ui.messageButton1.click()
        text = qt.QApplication.clipboard().text()
        assert "PETSynth met an error of its own" in text
        assert "error INTERNAL: What went wrong." in text

    @pytest.mark.parametrize(
        "code",
        [
            "OUT_OF_MEMORY", "DEVICE", "BAD_GEOMETRY", "BAD_IMAGE", "ALIGNMENT", "BAD_MASK",
            "BAD_FLAIR", "UNSUPPORTED_TRACER", "BUNDLE_MISSING", "BUNDLE_DAMAGED", "BAD_OUTPUT",
            "DEPENDENCY", "BAD_REQUEST", "INTERNAL", "PROTOCOL",
        ],
    )  # fmt: skip
    def test_every_code_has_a_sentence_and_a_button_that_works(self, panel: Any, code: str) -> None:
        self.fail(panel, code)
        assert panel.message()
        assert code not in panel.message(), "codes are for Details"
        shown = [panel.ui.messageButton1, panel.ui.messageButton2]
        shown = [button for button in shown if not button.isHidden()]
        assert shown
        for button in shown:
            assert button.toolTip
        remedies = {remedy for remedy, _ in panel.controller.notice.buttons}
        installs = {r for r in remedies if r.value in ("install", "openModels")}
        for remedy in remedies - installs:
            panel.panel.remedies.do(remedy)
            if panel.controller.busy:
                panel.process.end(1)


class TestPreview:
    def test_without_its_tick_no_preview_is_read(self, panel: Any, tmp_path: Path) -> None:
        panel.chooseHead()
        process = panel.run()
        panel.ui.previewCheckBox.setChecked(False)
        process.say(events.Preview(str(tmp_path / "nothing.nii.gz")))
        assert "preview" not in panel.controller.log.text

    def test_a_preview_that_cannot_be_read_does_not_stop_the_run(
        self, panel: Any, tmp_path: Path
    ) -> None:
        panel.chooseHead()
        process = panel.run()
        process.say(events.Preview(str(tmp_path / "a" / "nothing.nii.gz")))
        assert panel.ui.runButton.text == "Cancel"
