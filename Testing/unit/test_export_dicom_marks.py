"""Nothing leaves `export/dicom` without its mark: every object, to one value or segment alone.

The oracle is written anew here: it asks of files on disk, not of the function that wrote them.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from pathlib import Path

import pytest

pytest.importorskip("highdicom")

import pydicom
from dicom_case import finished, write

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export import dicom
from PETSynthLib.export.dicom.stamp import Stamp, complaints, derivation_text
from PETSynthLib.export.policy import DICOM_OBJECTS, release
from PETSynthLib.tracers import tracer

FOLDER = Path(dicom.__file__).parent
SYNTHETIC_DATA = (0x0008, 0x001C)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every object there is, of a PET with z, cognition and beside it an exploratory one."""
    found = {}
    for key, z in (("fdg", "1.7000"), ("pib", "")):
        place = tmp_path_factory.mktemp(key)
        result = finished(place / "result", key=key, z=z, cognition=("mmse",) if z else ())
        found |= write(result, place, DICOM_OBJECTS, source=bool(z))
    return found


def content_items(dataset):
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from content_items(item)


def test_every_kind_of_object_is_among_them(written):
    kinds = {one.SOPClassUID.name for one in written.values()}
    assert kinds == {
        "Parametric Map Storage",
        "Segmentation Storage",
        "Comprehensive 3D SR Storage",
        "Secondary Capture Image Storage",
        "Positron Emission Tomography Image Storage",
    }
    assert len(kinds) == len(DICOM_OBJECTS)


def test_every_object_says_what_it_is_wherever_one_may_look(written):
    for name, one in written.items():
        assert "synth" in name
        assert one[SYNTHETIC_DATA].value == "YES"
        assert one.SeriesDescription.startswith("SYNTHETIC ")
        assert "NOT FOR DIAGNOSIS" in one.SeriesDescription
        assert len(one.SeriesDescription) <= 64
        assert one.ContentQualification == "RESEARCH"
        assert one.Manufacturer == one.ManufacturerModelName == "PETSynth"
        purposes = [
            item.PurposeOfReferenceCodeSequence[0].CodeValue
            for item in one.ContributingEquipmentSequence
        ]
        assert purposes == ["109100"]
        if "ImageType" in one:
            assert one.ImageType[0] == "DERIVED"
            assert "SYNTHETIC PET" in one.ImageComments
            assert "Not for diagnosis" in one.ImageComments
            assert "a1" * 32 in one.DerivationDescription


def test_every_harvested_value_segment_and_label_carries_the_mark_itself(written):
    values = segments = 0
    for one in written.values():
        for item in content_items(one):
            name = item.ConceptNameCodeSequence[0]
            if item.ValueType == "NUM":
                values += 1
                assert name.CodeMeaning.startswith("Synthetic ")
                assert name.CodingSchemeDesignator == "99PETSYNTH"
                assert name.CodeValue.startswith("SYN-")
            if name.CodeMeaning == "Tracking Identifier":
                assert item.TextValue.startswith("SYN ")
        for segment in one.get("SegmentSequence", ()):
            segments += 1
            assert segment.SegmentLabel.startswith("SYN ")
            assert segment.TrackingID.startswith("SYN ")
        if "ContentLabel" in one:
            assert one.ContentLabel.startswith("SYN_")
        for frame in one.get("SharedFunctionalGroupsSequence", ()):
            for mapping in frame.get("RealWorldValueMappingSequence", ()):
                quantity = mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0]
                assert quantity.CodeMeaning.startswith("Synthetic ")
                assert mapping.LUTLabel.startswith("SYN_")
    assert values == 3 * 5 + 3 * 3
    assert segments == 2 * 3


def test_whose_codes_they_are_is_said(written):
    for one in written.values():
        schemes = [item.CodingSchemeDesignator for item in one.CodingSchemeIdentificationSequence]
        assert "99PETSYNTH" in schemes


def test_only_the_stamp_opens_a_door_to_the_disk():
    doors = {
        (path.name, node.func.attr)
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr
        in ("save_as", "dcmwrite", "write_bytes", "write_text", "open", "write_like")
    }
    assert doors - {("secondary_capture.py", "open")} == {("stamp.py", "save_as")}


BREACHES = {
    "synthetic data": lambda one: one.__delitem__(SYNTHETIC_DATA),
    "synthetic data no": lambda one: setattr(one[SYNTHETIC_DATA], "value", "NO"),
    "qualification": lambda one: setattr(one, "ContentQualification", "PRODUCT"),
    "description": lambda one: setattr(one, "SeriesDescription", "FDG SUVR"),
    "long description": lambda one: setattr(one, "SeriesDescription", "SYNTHETIC" + 60 * "x"),
    "manufacturer": lambda one: setattr(one, "Manufacturer", "Scanners Inc"),
    "equipment": lambda one: delattr(one, "ContributingEquipmentSequence"),
    "original": lambda one: setattr(one, "ImageType", ["ORIGINAL", *one.ImageType[1:]]),
    "comments": lambda one: delattr(one, "ImageComments"),
    "derivation": lambda one: delattr(one, "DerivationDescription"),
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES.keys())
@pytest.mark.parametrize("name", ["fdg_synth_suvr.dcm", "fdg_synth_pt/fdg_synth_suvr-0001.dcm"])
def test_an_object_that_lost_a_mark_is_not_written(written, tmp_path, name, breach):
    one = deepcopy(written[name])
    assert complaints(one) == []
    breach(one)
    assert len(complaints(one)) == 1
    stamp = Stamp(tracer("fdg"), release("real pairs", False), "made", "0")
    with pytest.raises(ValueError, match=":"):
        stamp.save(one, tmp_path / "x.dcm")
    assert list(tmp_path.iterdir()) == []


def test_one_unmarked_segment_value_or_quantity_is_enough(written):
    regions = deepcopy(written["fdg_synth_regions.dcm"])
    regions.SegmentSequence[1].SegmentLabel = "Precuneus right"
    assert complaints(regions) == ["unmarked: Precuneus right"]
    values = deepcopy(written["fdg_synth_values.dcm"])
    number = next(item for item in content_items(values) if item.ValueType == "NUM")
    number.ConceptNameCodeSequence[0].CodeMeaning = "SUVR"
    assert complaints(values) == ["unmarked: SUVR"]
    image = deepcopy(written["fdg_synth_suvr.dcm"])
    shared = image.SharedFunctionalGroupsSequence[0]
    shared.RealWorldValueMappingSequence[0].LUTLabel = "SUVR"
    image.ContentLabel = "SUVR"
    assert complaints(image) == ["unmarked: SUVR", "unmarked: SUVR"]


def test_a_derivation_is_cut_where_dicom_ends_a_short_text():
    record = {
        "Model": {"name": "m", "version": "1", "bundle_sha256": "a", "weights_sha256": None},
        "TracerName": "FDG (simulated)",
        "ReferenceRegion": "pons",
        "Sources": [],
        "Steps": 4,
        "Seeds": list(range(10**6, 10**6 + 200)),
    }
    text = derivation_text(record)
    assert len(text) == 1024
    assert text.endswith("...")


def test_a_demonstration_says_so_in_every_image(tmp_path):
    written = write(finished(tmp_path / "r", "simulation"), tmp_path, ("pm", "sc"), source=False)
    for one in written.values():
        assert "DEMONSTRATION MODEL" in one.ImageComments


def test_nothing_is_made_when_a_request_is_refused(tmp_path):
    with pytest.raises(PETSynthError):
        write(finished(tmp_path / "result", "simulation"), tmp_path, ("pm", "sr"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_patients_name_never_becomes_a_path(tmp_path):
    from dicom_case import write_t1

    write_t1(tmp_path / "t1", PatientID="../../etc/A/B", PatientName="Eva/../../x^Y")
    written = write(finished(tmp_path / "result"), tmp_path, ("sc",))
    assert all("/" not in name for name in written)
    assert {one.PatientID for one in written.values()} == {"../../etc/A/B"}


def test_missing_packages_are_one_sentence_and_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom, "PACKAGES", ("pydicom", "no_such_package"))
    with pytest.raises(PETSynthError, match="no_such_package is not installed") as refused:
        write(finished(tmp_path / "result"), tmp_path, ("pm",))
    assert "petsynth[dicom]" in refused.value.hint


def test_every_file_is_one_that_pydicom_reads_without_force(written):
    assert all(isinstance(one, pydicom.FileDataset) for one in written.values())
