"""Card Tracer and model: the lists, the notes, the effort."""

from __future__ import annotations

from typing import Any


def test_fdg_comes_first_and_the_rest_under_its_heading(panel: Any) -> None:
    combo = panel.ui.tracerComboBox
    words = [combo.itemText(index) for index in range(combo.count)]
    assert words[0] == "FDG: glucose metabolism"
    assert words[1] == "Exploratory: MRI does not determine these"
    assert not combo.model().item(1).isEnabled()
    assert [combo.itemData(i) for i in range(2, combo.count)] == [
        "PIB", "FLORBETAPIR", "FLORTAUCIPIR", "PBR28",
    ]  # fmt: skip


def test_an_exploratory_tracer_says_what_it_is(panel: Any) -> None:
    ui = panel.ui
    assert ui.exploratoryLabel.isHidden()
    ui.tracerComboBox.setCurrentIndex(ui.tracerComboBox.findData("PIB"))
    assert not ui.exploratoryLabel.isHidden()
    assert "MRI does not determine PiB" in ui.exploratoryLabel.text
    assert "No positive or negative reading is given." in ui.exploratoryLabel.text


def test_the_tracer_is_sent(panel: Any) -> None:
    panel.chooseHead()
    ui = panel.ui
    ui.tracerComboBox.setCurrentIndex(ui.tracerComboBox.findData("PBR28"))
    panel.run()
    assert panel.request["tracer"] == "pbr28"


def test_an_exploratory_result_is_shown_as_low_middle_high(panel: Any) -> None:
    import slicer

    panel.chooseHead()
    ui = panel.ui
    ui.tracerComboBox.setCurrentIndex(ui.tracerComboBox.findData("PIB"))
    panel.run()
    panel.finish("pib")
    assert slicer.app.layoutManager().layout == 5315
    assert not ui.compareLayoutButton.enabled
    assert "low | middle | high" in ui.compareLayoutButton.toolTip


def test_the_note_says_what_the_model_was_made_from(panel: Any) -> None:
    ui = panel.ui
    assert "simulated pairs only" in ui.modelNoteLabel.text
    ui.modelComboBox.setCurrentIndex(ui.modelComboBox.findData("atlas"))
    assert "population averages" in ui.modelNoteLabel.text
    assert panel.parameters.run.modelId == "atlas"


def test_before_the_first_run_the_time_is_not_known(panel: Any) -> None:
    assert "time not yet measured" in panel.ui.presetComboBox.currentText


def test_after_a_run_the_presets_tell_its_time(panel: Any) -> None:
    from PETSynthLib.home import petsynth_home
    from PETSynthLib.run.timing import remember_seconds, timing_key

    request = panel.panel.tracer.request()
    stages = {"read": 1.0, "preprocess": 20.0, "generate": 2.0}
    stages |= {"restore": 1.0, "warp": 10.0, "quantify": 0.5, "export": 0.5}
    remember_seconds(petsynth_home() / "timings.json", timing_key(request), stages)
    panel.panel.refresh()
    assert panel.ui.presetComboBox.currentText.endswith("about 35 s")


class TestEffort:
    def test_the_fields_show_the_presets_numbers(self, panel: Any) -> None:
        ui = panel.ui
        preset = panel.panel.tracer.model.presets["best"]
        ui.presetComboBox.setCurrentIndex(2)
        assert (ui.samplesSpinBox.value, ui.stepsSpinBox.value) == (
            preset["samples"], preset["steps"],
        )  # fmt: skip
        panel.chooseHead()
        panel.run()
        assert (panel.request["preset"], panel.request["samples"]) == ("best", None)

    def test_an_edit_makes_it_custom(self, panel: Any) -> None:
        ui = panel.ui
        panel.chooseHead()
        ui.samplesSpinBox.setValue(7)
        assert panel.parameters.run.preset.name == "CUSTOM"
        assert ui.presetComboBox.currentText == "Custom"
        panel.run()
        assert panel.request["samples"] == 7
        assert panel.request["steps"] == ui.stepsSpinBox.value

    def test_without_samples_there_is_no_seed(self, panel: Any) -> None:
        ui = panel.ui
        ui.samplesSpinBox.setValue(0)
        assert not ui.seedSpinBox.enabled
        assert "no samples" in ui.seedSpinBox.toolTip

    def test_another_seed(self, panel: Any) -> None:
        before = panel.ui.seedSpinBox.value
        panel.ui.newSeedButton.click()
        assert panel.ui.seedSpinBox.value != before

    def test_a_scanner_is_sent_only_to_a_model_that_knows_it(self, panel: Any) -> None:
        panel.chooseHead()
        panel.ui.scannerComboBox.setCurrentIndex(3)
        panel.run()
        assert panel.request["pet_scanner"] == "siemens"
        panel.process.end(1)
        panel.parameters.run.modelId = "atlas"
        assert not panel.ui.scannerComboBox.enabled
        panel.run()
        assert panel.request["pet_scanner"] is None


def test_a_model_that_is_not_installed_here_stops_the_run(panel: Any) -> None:
    panel.chooseHead()
    panel.parameters.run.modelId = "theirs"
    assert not panel.ui.runButton.enabled
    assert "theirs is not installed here" in panel.ui.runButton.toolTip
