"""What is known of the person: never 0 for missing, never another patient's values."""

from __future__ import annotations

from typing import Any

import pytest
import slicer

FIELDS = ("age", "sex", "education", "mmse", "adas13", "apoe4")


def giveDicom(node: Any, patient: str, sex: str = "F", birth: str = "19500615") -> None:
    """Put a volume below a patient and a study with DICOM facts."""
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patientItem = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), patient)
    hierarchy.SetItemAttribute(patientItem, constants.GetDICOMPatientIDAttributeName(), patient)
    hierarchy.SetItemAttribute(patientItem, constants.GetDICOMPatientSexAttributeName(), sex)
    name = constants.GetDICOMPatientBirthDateAttributeName()
    hierarchy.SetItemAttribute(patientItem, name, birth)
    study = hierarchy.CreateStudyItem(patientItem, "MRI")
    hierarchy.SetItemAttribute(study, constants.GetDICOMStudyDateAttributeName(), "20211122")
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
    hierarchy.SetItemParent(item, study)


def test_nothing_known_is_sent_as_missing_and_never_as_0(panel: Any) -> None:
    panel.chooseHead()
    panel.run()
    assert panel.request["clinical"] == dict.fromkeys(FIELDS)


def test_ticked_values_are_sent(panel: Any) -> None:
    ui = panel.ui
    panel.chooseHead()
    ui.ageKnownCheckBox.setChecked(True)
    ui.ageSpinBox.setValue(71)
    ui.sexKnownCheckBox.setChecked(True)
    ui.sexComboBox.setCurrentIndex(1)
    ui.mmseKnownCheckBox.setChecked(True)
    ui.mmseSpinBox.setValue(0)
    ui.apoe4KnownCheckBox.setChecked(True)
    ui.apoe4ComboBox.setCurrentIndex(2)
    panel.run()
    assert panel.request["clinical"] == {
        "age": 71.0, "sex": "M", "education": None, "mmse": 0.0, "adas13": None, "apoe4": 2,
    }  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_open_only_with_its_tick_and_says_unknown_without(panel: Any, name: str) -> None:
    tick = getattr(panel.ui, f"{name}KnownCheckBox")
    suffix = "ComboBox" if name in ("sex", "apoe4") else "SpinBox"
    field, unknown = getattr(panel.ui, name + suffix), getattr(panel.ui, f"{name}Unknown")
    assert not field.enabled
    assert field.isHidden()
    assert (unknown.text, unknown.isHidden()) == ("unknown", False)
    tick.setChecked(True)
    assert field.enabled
    assert unknown.isHidden()


def test_a_field_keeps_its_value_while_its_tick_is_off(panel: Any) -> None:
    ui = panel.ui
    ui.mmseKnownCheckBox.setChecked(True)
    ui.mmseSpinBox.setValue(17)
    ui.mmseKnownCheckBox.setChecked(False)
    ui.mmseKnownCheckBox.setChecked(True)
    assert ui.mmseSpinBox.value == 17


class TestCognition:
    def test_scores_shape_the_picture_only_with_their_tick(self, panel: Any) -> None:
        ui = panel.ui
        panel.chooseHead()
        assert not ui.cognitionShapesCheckBox.enabled
        assert "first" in ui.cognitionShapesCheckBox.toolTip
        ui.mmseKnownCheckBox.setChecked(True)
        assert ui.cognitionShapesCheckBox.enabled
        panel.run()
        assert panel.request["cognition_shapes_picture"] is False
        panel.process.end(1)
        ui.cognitionShapesCheckBox.setChecked(True)
        panel.run()
        assert panel.request["cognition_shapes_picture"] is True


class TestDicom:
    def test_age_and_sex_come_from_dicom(self, panel: Any) -> None:
        from head import Head

        node = Head().node(slicer.mrmlScene, "Head T1w")
        giveDicom(node, "P1")
        panel.ui.t1wSelector.setCurrentNode(node)
        patient = panel.parameters.patient
        assert (patient.ageKnown, patient.age) == (True, 71)
        assert (patient.sexKnown, patient.sex.name) == (True, "FEMALE")
        assert panel.ui.patientNoteLabel.text.startswith("Age and sex come from DICOM.")

    def test_an_edit_is_told_and_can_be_taken_back(self, panel: Any) -> None:
        from head import Head

        node = Head().node(slicer.mrmlScene, "Head T1w")
        giveDicom(node, "P1")
        panel.ui.t1wSelector.setCurrentNode(node)
        panel.ui.ageSpinBox.setValue(60)
        assert "You changed age; DICOM says 71." in panel.ui.patientNoteLabel.text
        panel.ui.patientNoteLabel.linkActivated.emit("dicom")
        assert panel.parameters.patient.age == 71

    def test_another_patient_clears_all_ticks(self, panel: Any) -> None:
        from head import Head

        first = Head().node(slicer.mrmlScene, "First T1w")
        second = Head().node(slicer.mrmlScene, "Second T1w")
        giveDicom(first, "P1")
        giveDicom(second, "P2", sex="M", birth="")
        panel.ui.t1wSelector.setCurrentNode(first)
        panel.ui.mmseKnownCheckBox.setChecked(True)
        panel.ui.cognitionShapesCheckBox.setChecked(True)
        panel.ui.t1wSelector.setCurrentNode(second)
        patient = panel.parameters.patient
        assert [getattr(patient, f"{name}Known") for name in FIELDS] == [False, True] + 4 * [False]
        assert not patient.cognitionShapes
        assert patient.sex.name == "MALE"
        assert panel.ui.patientNoteLabel.text == "Other patient: values cleared."

    def test_another_image_of_the_same_patient_keeps_them(self, panel: Any) -> None:
        from head import Head

        first = Head().node(slicer.mrmlScene, "First T1w")
        second = Head().node(slicer.mrmlScene, "Second T1w")
        giveDicom(first, "P1")
        giveDicom(second, "P1")
        panel.ui.t1wSelector.setCurrentNode(first)
        panel.ui.mmseKnownCheckBox.setChecked(True)
        panel.ui.t1wSelector.setCurrentNode(second)
        assert panel.parameters.patient.mmseKnown

    def test_values_entered_before_the_first_t1w_stay(self, panel: Any) -> None:
        panel.ui.educationKnownCheckBox.setChecked(True)
        panel.chooseHead()
        assert panel.parameters.patient.educationKnown


def test_an_age_outside_the_model_is_told(panel: Any) -> None:
    panel.chooseHead()
    panel.ui.ageKnownCheckBox.setChecked(True)
    panel.ui.ageSpinBox.setValue(22)
    assert "Age 22 is outside the model's range (50 to 95)" in panel.ui.patientNoteLabel.text
