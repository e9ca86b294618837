"""The T1's DICOM series is found by its place and proved by its voxels, or refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pydicom")

from dicom_case import PATIENT, canonical_t1, oblique, stored, voxels, write_t1

from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.dicom.source import own_study
from PETSynthLib.progress import Silent


def refusal(folder, t1=None) -> PETSynthError:
    with pytest.raises(PETSynthError) as refused:
        own_study(folder, stored(), t1, Silent())
    assert refused.value.code is ErrorCode.BAD_REQUEST
    assert refused.value.text.endswith(".")
    assert refused.value.hint.endswith(".")
    return refused.value


def test_the_series_is_found_among_others_and_proved_by_its_voxels(tmp_path):
    write_t1(tmp_path / "t1")
    elsewhere = oblique()
    elsewhere[:3, 3] += 4.0
    write_t1(tmp_path / "flair", place=elsewhere, SeriesDescription="FLAIR")
    (tmp_path / "readme.txt").write_text("no DICOM", encoding="utf-8")
    study, finding = own_study(tmp_path, stored(), canonical_t1(), Silent())
    assert study.real
    assert study.slices[0].PatientID == PATIENT
    assert finding.verdict is Verdict.GREEN
    assert finding.value == pytest.approx(1.0)


def test_slices_come_in_the_order_of_their_places_not_of_their_files(tmp_path):
    write_t1(tmp_path)
    study, _ = own_study(tmp_path, stored(), canonical_t1(), Silent())
    numbers = [one.InstanceNumber for one in study.slices]
    assert numbers in (list(range(1, 13)), list(range(12, 0, -1)))
    np.testing.assert_allclose(
        [float(v) for v in study.slices[3].ImagePositionPatient],
        study.lattice.position(3),
        atol=1e-6,
    )


def test_without_the_t1_the_place_alone_decides_and_a_finding_says_so(tmp_path):
    write_t1(tmp_path)
    _, finding = own_study(tmp_path, stored(), None, Silent())
    assert finding.verdict is Verdict.AMBER
    assert "could not be compared" in finding.sentence


def test_the_same_protocol_on_another_patient_is_refused(tmp_path):
    write_t1(tmp_path, pixels=voxels(seed=6))
    assert "another patient" in refusal(tmp_path, canonical_t1()).text


def test_of_two_series_in_one_place_the_voxels_choose(tmp_path):
    write_t1(tmp_path / "other", pixels=voxels(seed=6), PatientID="PID-0099")
    write_t1(tmp_path / "t1")
    study, _ = own_study(tmp_path, stored(), canonical_t1(), Silent())
    assert study.slices[0].PatientID == PATIENT
    assert "2 series" in refusal(tmp_path).text


def test_another_geometry_is_refused(tmp_path):
    moved = oblique()
    moved[2, 3] += 1.0
    write_t1(tmp_path, place=moved)
    assert "None of the 1 MR series" in refusal(tmp_path).text


def test_a_series_without_frame_of_reference_is_refused(tmp_path):
    write_t1(tmp_path, FrameOfReferenceUID="")
    assert "no frame of reference" in refusal(tmp_path, canonical_t1()).text


def test_a_series_with_two_frames_of_reference_is_refused(tmp_path):
    import pydicom

    first, *_ = write_t1(tmp_path)
    one = pydicom.dcmread(first)
    one.FrameOfReferenceUID = "1.2.3.4"
    one.save_as(first)
    assert "several frames of reference" in refusal(tmp_path, canonical_t1()).text


def test_a_series_that_mixes_patients_is_refused(tmp_path):
    import pydicom

    first, *_ = write_t1(tmp_path)
    one = pydicom.dcmread(first)
    one.PatientID = "PID-0099"
    one.save_as(first)
    assert "mixes several patients" in refusal(tmp_path, canonical_t1()).text


def test_a_series_with_a_missing_slice_has_not_the_geometry(tmp_path):
    import pydicom

    middle = [path for path in write_t1(tmp_path) if pydicom.dcmread(path).InstanceNumber == 6]
    middle[0].unlink()
    assert "None of the" in refusal(tmp_path).text


def test_no_folder_and_no_series_are_said(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nowhere").text
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    assert "holds no MR images" in refusal(tmp_path).text


def test_multi_frame_images_are_named_as_such(tmp_path):
    write_t1(tmp_path, SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1")
    found = refusal(tmp_path)
    assert "multi-frame" in found.text
    assert "Convert them to single-frame" in found.hint
    assert "a new study" in found.hint


def test_pixels_that_cannot_be_read_are_said(tmp_path):
    paths = write_t1(tmp_path)
    import pydicom

    one = pydicom.dcmread(paths[0])
    del one.PixelData
    one.save_as(paths[0])
    with pytest.raises(PETSynthError, match="cannot be decoded"):
        own_study(tmp_path, stored(), canonical_t1(), Silent())
