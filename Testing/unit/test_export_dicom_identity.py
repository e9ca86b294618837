"""Taking the person out: nothing of name, ID, dates and UIDs is left; every mark is."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("highdicom")

import pydicom
from dicom_case import BORN, PATIENT, TIME, errors_of, finished, write

from PETSynthLib.export.dicom.identity import NO_DATE, NO_TIME

ALL = ("pm", "seg", "sr", "sc", "pt")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("who")


@pytest.fixture(scope="module")
def written(place):
    return write(finished(place / "result"), place, ALL, deidentify=True)


def test_no_byte_tells_who_it_is(written, place):
    slices = [pydicom.dcmread(path) for path in (place / "t1").iterdir()]
    uids = {
        str(one[name].value)
        for one in slices
        for name in (
            "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID",
        )
    }  # fmt: skip
    secrets = [PATIENT, "Eva", "ller", BORN, "20240315", TIME, "ACC77", "Hospital", *uids]
    for name in written:
        content = (place / "out" / name).read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], name


def test_no_date_is_left_but_the_one_that_means_none(written):
    def look(_, element):
        if element.VR in ("DA", "TM"):
            assert element.value in ("", None, NO_DATE, NO_TIME), element

    for one in written.values():
        one.walk(look)
        assert one.PatientIdentityRemoved == "YES"


def test_all_objects_share_one_new_patient_study_and_frame(written):
    for name in ("PatientID", "PatientName", "StudyInstanceUID"):
        assert len({str(one[name].value) for one in written.values()}) == 1
    frames = {one.FrameOfReferenceUID for one in written.values() if "FrameOfReferenceUID" in one}
    assert len(frames) == 1
    assert re.fullmatch(r"ANON-[0-9A-F]{8}", next(iter(written.values())).PatientID)


def test_references_between_the_objects_still_hold(written):
    frames = written["fdg_synth_suvr.dcm"].PerFrameFunctionalGroupsSequence
    of_map = {
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for frame in frames
    }
    of_pt = {
        one.SourceImageSequence[0].ReferencedSOPInstanceUID
        for one in written.values()
        if one.Modality == "PT"
    }
    assert of_map == of_pt
    assert len(of_map) == 12


def test_the_marks_stay(written):
    for one in written.values():
        assert one[0x0008001C].value == "YES"
        assert one.SeriesDescription.startswith("SYNTHETIC")


def test_two_exports_share_no_pseudonym(written, tmp_path):
    again = write(finished(tmp_path / "result"), tmp_path, ("sc",), deidentify=True)
    assert {one.PatientID for one in again.values()}.isdisjoint(
        one.PatientID for one in written.values()
    )


def test_the_standards_own_checker_finds_no_error(written, place):
    for name in sorted(written)[:6]:
        assert errors_of(place / "out" / name) == []


@pytest.mark.parametrize(("source", "deidentify"), [(False, False), (False, True), (True, True)])
def test_two_exports_with_one_token_share_patient_study_and_frame(tmp_path, source, deidentify):
    names = ("PatientID", "StudyInstanceUID", "StudyTime")

    def told(number, token):
        place = tmp_path / number
        place.mkdir()
        made = write(
            finished(place / "result"),
            place,
            ("pm",),
            source=source,
            deidentify=deidentify,
            token=token,
        )
        one = made[min(made)]
        assert errors_of(place / "out" / min(made)) == []
        return [str(one[name].value) for name in names] + [str(one.FrameOfReferenceUID)]

    first = told("1", "3f")
    assert told("2", "3f") == first
    other = told("3", "a0")
    assert other[1] != first[1]
    assert other[3] != first[3]
