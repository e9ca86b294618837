"""The report: every value of the table, nothing that the table hides, each under a marked name."""

from __future__ import annotations

import pytest

pytest.importorskip("highdicom")

from dicom_case import errors_of, finished, write
from highdicom.sr import Comprehensive3DSR

from PETSynthLib.export import marks

VALUES, REGIONS = "fdg_synth_values.dcm", "fdg_synth_regions.dcm"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("sr")


@pytest.fixture(scope="module")
def written(place):
    result = finished(place / "result", z="1.7000", cognition=("mmse",))
    return write(result, place, ("sr",))


def items(dataset):
    """Every content item at any depth."""
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from items(item)


def numbers(group) -> dict[str, float]:
    """Concept name -> value of the numbers of one group."""
    return {
        item.ConceptNameCodeSequence[0].CodeMeaning: float(
            item.MeasuredValueSequence[0].NumericValue
        )
        for item in items(group)
        if item.ValueType == "NUM"
    }


def groups(dataset) -> dict[str, object]:
    """Tracking identifier -> measurement group."""
    return {
        child.TextValue: item
        for item in items(dataset)
        if item.ValueType == "CONTAINER"
        for child in item.get("ContentSequence", ())
        if child.ConceptNameCodeSequence[0].CodeMeaning == "Tracking Identifier"
    }


def test_a_row_carries_value_interval_and_z_under_marked_names(written):
    left = groups(written[VALUES])["SYN Precuneus left"]
    assert numbers(left) == {
        "Synthetic SUVR": 1.2,
        "Synthetic SUVR, lower end of the 90 % interval": 1.05,
        "Synthetic SUVR, upper end of the 90 % interval": 1.35,
        "Synthetic SUVR, drawn without the cognitive scores": 1.19,
        "Synthetic z": 1.7,
    }


def test_a_hidden_value_has_no_number_but_its_reason(written):
    hidden = groups(written[VALUES])["SYN Hippocampus both"]
    assert numbers(hidden) == {}
    said = [
        item.ConceptCodeSequence[0].CodeMeaning
        for item in items(hidden)
        if item.ConceptNameCodeSequence[0].CodeValue == "SYN-SUVR-WHY"
    ]
    assert said == ["Not informative"]


def test_values_of_a_region_point_at_its_segment(written):
    segment = {one.SegmentLabel: one for one in written[REGIONS].SegmentSequence}[
        "SYN Precuneus right"
    ]
    group = groups(written[VALUES])["SYN Precuneus right"]
    (reference,) = [
        item.ReferencedSOPSequence[0] for item in items(group) if item.ValueType == "IMAGE"
    ]
    assert reference.ReferencedSOPInstanceUID == written[REGIONS].SOPInstanceUID
    assert reference.ReferencedSegmentNumber == segment.SegmentNumber
    uids = [item.UID for item in items(group) if item.ValueType == "UIDREF"]
    assert segment.TrackingUID in uids


def test_evidence_names_the_segmentation_and_every_image_behind_it(written):
    made = written[VALUES]
    named = {
        sop.ReferencedSOPInstanceUID
        for keyword in (
            "CurrentRequestedProcedureEvidenceSequence",
            "PertinentOtherEvidenceSequence",
        )
        for study in made.get(keyword, ())
        for series in study.ReferencedSeriesSequence
        for sop in series.ReferencedSOPSequence
    }
    assert written[REGIONS].SOPInstanceUID in named
    assert len(named) == 1 + 12


def test_the_policys_sentences_stand_in_the_report(written):
    said = [item.TextValue for item in items(written[VALUES]) if item.ValueType == "TEXT"]
    for sentence in (
        marks.COGNITION,
        marks.COMPUTED,
        "No acquired PET. Not for diagnosis.",
    ):
        assert sentence in said


def test_highdicom_reads_it_as_a_measurement_report(written):
    found = Comprehensive3DSR.from_dataset(written[VALUES])
    volumes = found.content.get_volumetric_roi_measurement_groups()
    assert len(volumes) == 2
    assert {group.finding_sites[0].laterality.meaning for group in volumes} == {"Left", "Right"}


def test_a_report_brings_the_segmentation_it_refers_to(written):
    assert set(written) == {VALUES, REGIONS}


def test_values_of_an_acquired_pet_have_the_standards_names(tmp_path):
    result = finished(tmp_path / "result", "acquired", measured=True, z="2.5000")
    made = write(result, tmp_path, ("sr",), source=False)["fdg_acquired_values.dcm"]
    assert numbers(groups(made)["Precuneus left"])["Z-score"] == 2.5
    assert numbers(groups(made)["Precuneus left"])["Standardized uptake value ratio"] == 1.2
    assert made[0x0008001C].value == "NO"
    assert errors_of(tmp_path / "out" / "fdg_acquired_values.dcm") == []


def test_withheld_z_is_not_in_it(tmp_path):
    made = write(finished(tmp_path / "result"), tmp_path, ("sr",))[VALUES]
    assert not [
        item
        for item in items(made)
        if item.ConceptNameCodeSequence[0].CodeMeaning in ("Synthetic z", "Z-score")
    ]


def test_an_exploratory_tracers_report_says_that_mri_cannot_tell(tmp_path):
    made = write(finished(tmp_path / "result", key="pib"), tmp_path, ("sr",), source=False)
    said = [item.get("TextValue") for item in items(made["pib_synth_values.dcm"])]
    assert "MRI cannot tell which of these is true." in said


def test_the_standards_own_checker_finds_no_error(written, place):
    for name in written:
        assert errors_of(place / "out" / name) == []
