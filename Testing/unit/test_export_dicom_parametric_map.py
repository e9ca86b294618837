"""The Parametric Map: floating-point SUVR in the T1's place, marked, with its sources."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("highdicom")

import nibabel as nib
import pydicom
from dicom_case import errors_of, finished, stored, uptake, write

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.dicom.read_back import read_map
from PETSynthLib.preprocess.itk import image_of

SUVR = "fdg_synth_suvr.dcm"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("pm")


@pytest.fixture(scope="module")
def written(place):
    return write(finished(place / "result"), place, ("pm",))


def test_values_and_place_come_back_with_highdicom(written, place):
    image = read_map(place / "out" / SUVR)
    at = np.linalg.inv(image.affine) @ stored().affine @ np.array([27, 30, 6, 1.0])
    i, j, k = at[:3].round().astype(int)
    np.testing.assert_allclose(at[:3], [i, j, k], atol=1e-3)
    assert image.data[i, j, k] == pytest.approx(uptake()[27, 30, 6], abs=1e-3)


def test_values_and_place_are_those_of_the_nifti_in_simpleitk(written, place):
    import SimpleITK as sitk

    ours = image_of(read_map(place / "out" / SUVR))
    theirs = sitk.ReadImage(str(place / "result" / "fdg_synth_suvr.nii.gz"))
    laid = sitk.GetArrayFromImage(sitk.Resample(ours, theirs, sitk.Transform(), sitk.sitkLinear))
    np.testing.assert_allclose(laid, sitk.GetArrayFromImage(theirs), atol=1e-3)
    assert laid.max() > 1.0


def test_every_frame_alone_says_its_place_and_its_source(written, place):
    """By pydicom alone: the frame of a slice lies where that slice of the T1 lies."""
    made = written[SUVR]
    slices = {
        one.SOPInstanceUID: one
        for one in (pydicom.dcmread(path) for path in sorted((place / "t1").iterdir()))
    }
    assert len(made.PerFrameFunctionalGroupsSequence) == len(slices) == 12
    for frame in made.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
        assert (
            frame.PlanePositionSequence[0].ImagePositionPatient
            == slices[source.ReferencedSOPInstanceUID].ImagePositionPatient
        )


def test_patient_study_and_frame_of_reference_are_the_t1s(written, place):
    t1 = pydicom.dcmread(next((place / "t1").iterdir()))
    for made in written.values():
        for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "StudyDate"):
            assert made[name].value == t1[name].value
        assert str(made.PatientName) == "Müller^Eva"
        assert made.SeriesInstanceUID != t1.SeriesInstanceUID
    assert written[SUVR].SeriesNumber == 390


def test_it_says_how_it_came_to_be_and_by_whom(written):
    made = written[SUVR]
    assert made["SyntheticData" if "SyntheticData" in made else 0x0008001C].value == "YES"
    assert made.Manufacturer == "PETSynth"
    assert made.ContentQualification == "RESEARCH"
    assert made.SeriesDescription == "SYNTHETIC FDG SUVR (AI from MRI) NOT FOR DIAGNOSIS"
    equipment = made.ContributingEquipmentSequence[0].PurposeOfReferenceCodeSequence[0]
    assert (equipment.CodeValue, equipment.CodeMeaning) == ("109100", "Synthesizing Equipment")
    told = made.DerivationDescription
    for part in ("tiny 1.0", "a1" * 32, "b2" * 32, "steps 4", "seeds 7 8", "age", "pons", "T1"):
        assert part in told
    assert "Eva" not in told


def test_the_numbers_are_ratios_with_a_marked_name(written):
    shared = written[SUVR].SharedFunctionalGroupsSequence[0]
    mapping = shared.RealWorldValueMappingSequence[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "{ratio}"
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeMeaning == (
        "Synthetic SUVR"
    )
    assert mapping.LUTLabel == "SYN_SUVR"


def test_the_standard_deviation_is_a_series_of_its_own(written):
    sd, mean = written["fdg_synth_sd.dcm"], written[SUVR]
    assert sd.SeriesInstanceUID != mean.SeriesInstanceUID
    assert "SUVR SD" in sd.SeriesDescription
    assert sd.ContentLabel == "SYN_SUVR_SD"


def test_low_middle_and_high_leave_together_in_one_series(tmp_path):
    written = write(finished(tmp_path / "result", key="pib"), tmp_path, ("pm",))
    three = [written[f"pib_synth_{part}.dcm"] for part in ("low10", "suvr", "high90")]
    assert len({one.SeriesInstanceUID for one in three}) == 1
    assert [one.InstanceNumber for one in three] == [1, 2, 3]
    for one, word in zip(three, ("low 10 %", "middle", "high 90 %"), strict=True):
        assert f"{word}: MRI cannot tell which of these is true" in one.ImageComments
    peaks = [read_map(tmp_path / "out" / f"pib_synth_{p}.dcm").data.max() for p in
             ("low10", "suvr", "high90")]  # fmt: skip
    assert peaks == sorted(peaks)


def test_without_a_source_it_stands_alone_and_refers_to_nothing(tmp_path):
    made = write(finished(tmp_path / "result"), tmp_path, (), source=False)[SUVR]
    assert made.PatientID.startswith("PETSYNTH-")
    assert "ReferencedSeriesSequence" not in made
    assert all(
        "DerivationImageSequence" not in one for one in made.PerFrameFunctionalGroupsSequence
    )
    source = nib.load(tmp_path / "result" / "fdg_synth_suvr.nii.gz")
    image = read_map(tmp_path / "out" / SUVR)
    corner = np.linalg.inv(image.affine) @ source.affine @ np.array([25, 26, 3, 1.0])
    i, j, k = corner[:3].round().astype(int)
    assert image.data[i, j, k] == pytest.approx(uptake()[25, 26, 3], abs=1e-3)
    assert errors_of(tmp_path / "out" / SUVR) == []


def test_the_standards_own_checker_finds_no_error(written, place):
    for name in written:
        assert errors_of(place / "out" / name) == []


def test_a_measurement_has_no_map(tmp_path):
    with pytest.raises(PETSynthError, match="folder of a measurement") as refused:
        write(finished(tmp_path / "result", measured=True), tmp_path, ("pm",))
    assert "holds the PET itself" in refused.value.hint
