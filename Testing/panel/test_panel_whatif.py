"""Card What if: the model's answer to another score, asked and shown as that and nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import slicer
from panel_fakes import resultEvent
from whatif_case import WORDS, finished

from PETSynthLib.export import marks
from PETSynthLib.run import events

MODEL = "flow"


def known(panel: Any, **scores: int) -> None:
    """Tick these scores in Patient and let them shape the picture."""
    patient = panel.parameters.patient
    patient.ageKnown = patient.sexKnown = True
    for name, value in scores.items():
        setattr(patient, name, value)
        setattr(patient, f"{name}Known", True)
    patient.cognitionShapes = bool(scores)


def written(panel: Any, **more: Any) -> Path:
    """The result of the run at work, as its request wants it."""
    folder = Path(panel.request["output"])
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(panel.request)
    (folder / "request.json").write_text(text, encoding="utf-8")
    sources = [{"Role": "T1", "Name": "t1.nrrd", "sha256": digest(folder.parent / "t1.nrrd")}]
    return finished(panel.head, folder, **{"Sources": sources, **more})


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def announce(panel: Any, folder: Path) -> None:
    """The worker announces a result; wait for its import."""
    panel.process.say(resultEvent(folder, 9.0))
    panel.process.end(0)
    panel.host.waitUntil(lambda: not panel.controller.busy, 30, "the import")


def result(panel: Any, **scores: int) -> Any:
    """A finished result drawn with these scores."""
    panel.chooseHead()
    known(panel, **scores)
    panel.run()
    announce(panel, written(panel, used=tuple(scores)))
    return panel.parameters.view.result


def ask(panel: Any, mmse: int = 29) -> None:
    """Tick MMSE and click."""
    panel.ui.whatIfMmseCheckBox.click()
    panel.ui.whatIfMmseSpinBox.setValue(mmse)
    panel.ui.whatIfButton.click()


def changes() -> list[Any]:
    """Every change in the scene."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in volumes if node.GetAttribute("PETSynth.Role") == "Change"]


def test_the_question_is_the_same_request_with_one_score(panel: Any) -> None:
    result(panel, mmse=24)
    before = panel.request
    ui = panel.ui
    assert ui.whatIfMmseNow.text == "now 24 →"
    assert ui.whatIfApoe4Now.text == "now unknown →"
    assert not ui.whatIfButton.enabled
    assert ui.whatIfButton.toolTip == "Tick a value first."
    ask(panel)
    after = panel.request
    assert after["clinical"] == {**before["clinical"], "mmse": 29.0}
    assert after["cognition_shapes_picture"] is True
    differing = {name for name in before if before[name] != after[name]}
    assert differing == {"clinical", "t1", "output"}


def test_the_answer_is_shown_over_the_t1_and_marked(panel: Any) -> None:
    pet = result(panel, mmse=24)
    ask(panel)
    panel.process.hello()
    announce(panel, written(panel, other=True))
    (change,) = changes()
    composite = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == change.GetID()
    assert composite.GetBackgroundVolumeID() == panel.parameters.input.t1w.GetID()
    ui = panel.ui
    assert ui.shownComboBox.currentText == f"Change (what if): {WORDS}"
    assert "a habit of the model, not a medical effect" in panel.message()
    # 1.3260 - 1.2000 and 1.2900 - 1.3000 in the two tables.
    lines = ui.whatIfResultLabel.text.splitlines()
    assert lines[0] == WORDS
    assert [line.split(": ")[1] for line in lines[1:]] == ["+0.13", "-0.01"]
    # It is no result of the patient's: the selector and the card stay with the PET.
    assert ui.resultSelector.currentNode() is pet
    ui.shownComboBox.setCurrentIndex(ui.shownComboBox.findData("mean"))
    assert composite.GetForegroundVolumeID() == pet.GetID()


def test_a_failed_question_leaves_the_scene_and_can_be_asked_again(panel: Any) -> None:
    result(panel, mmse=24)
    ask(panel)
    first = panel.request
    panel.process.hello()
    panel.process.say(events.Failure("OUT_OF_MEMORY", "There is not enough memory.", "Close."))
    panel.process.end(4)
    assert changes() == []
    panel.ui.messageButton1.click()  # Retry on CPU
    assert len(panel.processes) == 3
    assert panel.request["device"] == "cpu"
    assert panel.request["clinical"] == first["clinical"]


class TestRefused:
    def test_without_a_result(self, panel: Any) -> None:
        ui = panel.ui
        for widget in (ui.whatIfButton, ui.addedButton, ui.whatIfMmseCheckBox):
            assert not widget.enabled
            assert "click Synthesize" in widget.toolTip

    def test_a_picture_drawn_without_scores(self, panel: Any) -> None:
        result(panel)
        assert not panel.ui.whatIfMmseCheckBox.enabled
        assert "drawn without cognitive scores" in panel.ui.whatIfButton.toolTip

    def test_the_value_it_has_already(self, panel: Any) -> None:
        result(panel, mmse=24)
        panel.ui.whatIfMmseCheckBox.click()
        panel.ui.whatIfMmseSpinBox.setValue(24)
        assert not panel.ui.whatIfButton.enabled
        assert panel.ui.whatIfButton.toolTip == "The ticked values are those of the picture."

    def test_a_t1w_that_was_changed_since(self, panel: Any) -> None:
        from PETSynthScene.Volumes import arrayOf, setArray

        result(panel, mmse=24)
        t1 = panel.parameters.input.t1w
        setArray(t1, arrayOf(t1) * 2)
        ask(panel)
        assert len(panel.processes) == 1
        assert "The T1 is no longer the image that this PET was made from." in panel.message()

    def test_during_a_run(self, panel: Any) -> None:
        result(panel, mmse=24)
        panel.run()
        assert not panel.ui.whatIfButton.enabled
        assert panel.ui.whatIfButton.toolTip == "Wait for the run or cancel it."


def test_what_the_model_added_opens_the_layout_of_the_mean(panel: Any) -> None:
    panel.chooseHead()
    panel.run()
    panel.finish(expected=True)
    assert panel.ui.addedButton.enabled
    panel.ui.addedButton.click()
    assert slicer.app.layoutManager().layout == 5314


def test_the_words_of_the_card_are_those_of_the_marks(panel: Any) -> None:
    assert marks.SENSITIVITY in panel.ui.whatIfCard.text
    assert panel.ui.whatIfNoteLabel.text.startswith(marks.SENSITIVITY_NOTE)


@pytest.mark.parametrize("same", [True, False])
def test_after_loading_the_cards_must_hold_the_values_of_the_picture(
    panel: Any, tmp_path: Path, same: bool
) -> None:
    from PETSynthLib.export.record import Source, request_digest
    from PETSynthLib.request import request_from_dict

    panel.chooseHead()
    known(panel, mmse=24)
    panel.run()
    body = panel.request
    t1 = digest(Path(body["output"]).parent / "t1.nrrd")
    asked = request_digest(request_from_dict(body), (Source("T1", "t1.nrrd", t1),))
    announce(panel, written(panel, RequestSha256=asked))
    panel.panel.launcher.jobs.clear()  # as after a start of Slicer
    panel.parameters.patient.mmse = 24 if same else 20
    panel.panel.refresh()
    assert panel.ui.whatIfMmseCheckBox.enabled is same
    if not same:
        assert "no longer hold the values" in panel.ui.whatIfButton.toolTip
