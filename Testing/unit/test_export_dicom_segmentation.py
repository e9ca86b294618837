"""Regions as a DICOM segmentation: place, names, codes, colours."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("highdicom")

from dataclasses import replace

from dicom_case import errors_of, finished, labels, stored, write, write_volume
from highdicom.color import CIELabColor

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.dicom.read_back import read_segments
from PETSynthLib.preprocess.itk import image_of
from PETSynthLib.quantify.terminology import colour_of

REGIONS = "fdg_synth_regions.dcm"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("seg")


@pytest.fixture(scope="module")
def written(place):
    return write(finished(place / "result"), place, ("seg",))


def test_segments_are_named_marked_and_coded(written):
    left, right, stem = written[REGIONS].SegmentSequence
    names = ["SYN Precuneus left", "SYN Precuneus right", "SYN Brain stem"]
    assert [one.SegmentLabel for one in (left, right, stem)] == names
    kind = left.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("16630005", "SCT")
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Left"
    assert stem.SegmentedPropertyTypeCodeSequence[0].CodeValue == "119238007"
    assert left.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "123037004"


def test_colours_are_those_of_every_other_format(written):
    value = written[REGIONS].SegmentSequence[0].RecommendedDisplayCIELabValue
    found = CIELabColor.from_dicom_value(tuple(value)).to_rgb()
    assert np.abs(np.subtract(found, colour_of("precuneus"))).max() <= 2


def test_voxels_lie_where_the_label_map_has_them(written, place):
    import SimpleITK as sitk

    whole = sitk.ReadImage(str(place / "result" / "space" / "regions.nii.gz"))
    wanted = sitk.GetArrayFromImage(whole)
    found = read_segments(place / "out" / REGIONS)
    for name, number in (("SYN Precuneus left", 24), ("SYN Precuneus right", 65)):
        mask = sitk.Resample(
            image_of(found[name]), whole, sitk.Transform(), sitk.sitkNearestNeighbor
        )
        np.testing.assert_array_equal(sitk.GetArrayFromImage(mask) > 0.5, wanted == number)


def test_a_single_segment_is_written_and_read_back(tmp_path):
    write(finished(tmp_path / "result", single=True), tmp_path, ("seg",))
    found = read_segments(tmp_path / "out" / REGIONS)
    assert list(found) == ["SYN Precuneus left"]
    assert found["SYN Precuneus left"].data.sum() == np.count_nonzero(labels() == 24)
    assert errors_of(tmp_path / "out" / REGIONS) == []


def test_regions_of_an_acquired_pet_carry_no_mark(tmp_path):
    made = write(finished(tmp_path / "r", "acquired", measured=True), tmp_path, ("seg",))
    one = made["fdg_acquired_regions.dcm"]
    assert one[0x0008001C].value == "NO"
    assert one.SegmentSequence[0].SegmentLabel == "Precuneus left"
    assert "SYNTHETIC" not in one.SeriesDescription
    assert errors_of(tmp_path / "out" / "fdg_acquired_regions.dcm") == []


def test_voxels_beyond_the_normals_are_an_object_of_their_own(tmp_path):
    result = finished(tmp_path / "result", measured=True, z="2.5000")
    mask = np.zeros(stored().shape, np.uint8)
    mask[30:32, 30:33, 5] = 1
    write_volume(result.folder / "space" / "beyond_normals.nii.gz", mask)
    result = replace(
        result,
        result={"files": {"space/beyond_normals.nii.gz": ""}},
        record={**result.record, "FillStateThreshold": 2.0, "Database": {"demo": False}},
    )
    made = write(result, tmp_path, ("seg",))
    regions, beyond = made[REGIONS], made["fdg_synth_beyond_normals.dcm"]
    assert beyond.SegmentSequence[0].SegmentLabel == "SYN decreased z > 2"
    assert beyond.SeriesInstanceUID == regions.SeriesInstanceUID
    found = read_segments(tmp_path / "out" / "fdg_synth_beyond_normals.dcm")
    assert found["SYN decreased z > 2"].data.sum() == 6
    assert errors_of(tmp_path / "out" / "fdg_synth_beyond_normals.dcm") == []


def test_no_region_in_the_scan_is_said(tmp_path):
    result = finished(tmp_path / "result")
    write_volume(result.folder / "space" / "regions.nii.gz", np.zeros(stored().shape, np.uint8))
    with pytest.raises(PETSynthError, match="no regions"):
        write(result, tmp_path, ("seg",))


def test_the_standards_own_checker_finds_no_error(written, place):
    assert errors_of(place / "out" / REGIONS) == []
