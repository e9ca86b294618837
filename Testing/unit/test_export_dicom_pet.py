"""PT on demand: what SimpleITK reads is the SUVR, and the word stands in every slice."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("highdicom")

import SimpleITK as sitk
from dicom_case import SLICES, errors_of, finished, uptake, write

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.dicom.pet import burned


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("pt")


@pytest.fixture(scope="module")
def written(place):
    return write(finished(place / "result"), place, ("pt",))


def read_series(folder) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def test_simpleitk_reads_value_and_place_of_the_nifti(written, place):
    series = read_series(place / "out" / "fdg_synth_pt")
    whole = sitk.ReadImage(str(place / "result" / "fdg_synth_suvr.nii.gz"))
    wanted = sitk.GetArrayFromImage(whole)
    found = sitk.GetArrayFromImage(
        sitk.Resample(series, whole, sitk.Transform(), sitk.sitkNearestNeighbor)
    )
    inside = wanted > 0
    np.testing.assert_allclose(found[inside], wanted[inside], atol=1e-3)
    assert inside.sum() == np.count_nonzero(uptake())


def test_the_word_is_burned_into_the_background_of_every_slice(written, place):
    found = sitk.GetArrayFromImage(read_series(place / "out" / "fdg_synth_pt"))
    letters = (found > 2.1).sum(axis=(1, 2))
    assert (letters > 30).all()
    assert len(set(letters.tolist())) == 1


def test_the_word_is_readable_in_a_corner():
    marked = burned(np.zeros((1, 120, 160), np.float32), 2.0)[0]
    lines = np.flatnonzero(marked.any(axis=1))
    assert lines.min() < 12
    assert lines.max() > 108
    # Nine letters leave eight gaps and more between columns that hold ink, in each half.
    half = marked[:20, :80].any(axis=0)
    assert np.count_nonzero(np.diff(half.astype(int)) == 1) >= 5
    assert set(np.unique(marked)) == {0.0, 2.0}


def test_uptake_is_never_written_over_and_a_full_slice_is_refused():
    planes = np.zeros((2, 64, 60), np.float32)
    planes[1, 20:, :] = 1.0
    marked = burned(planes, 2.0)
    np.testing.assert_array_equal(marked[1, 20:], planes[1, 20:])
    with pytest.raises(PETSynthError, match="leave no corner"):
        burned(np.ones((2, 64, 60), np.float32), 2.0)


def test_nothing_claims_a_scanner(written):
    for one in written.values():
        assert len(one.RadiopharmaceuticalInformationSequence) == 0
        assert (one.Units, one.DecayCorrection) == ("NONE", "NONE")
        assert one.ImageType[2] == "SYNTHETIC"
        assert one.Manufacturer == "PETSynth"
        assert "RadionuclideTotalDose" not in one
        assert one.AcquisitionDate == ""
        assert (one.RescaleIntercept, len(str(one.RescaleSlope)) <= 16) == (0, True)


def test_every_slice_refers_to_its_slice_of_the_t1(written):
    sources = {one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in written.values()}
    assert len(sources) == len(written) == SLICES


def test_low_middle_and_high_leave_together(tmp_path):
    written = write(finished(tmp_path / "result", key="pib"), tmp_path, ("pt",), source=False)
    assert len(written) == 3 * SLICES
    assert len({one.SeriesInstanceUID for one in written.values()}) == 3
    assert all("MRI cannot tell" in one.ImageComments for one in written.values())


def test_a_demonstration_is_refused(tmp_path):
    with pytest.raises(PETSynthError, match="demonstration model"):
        write(finished(tmp_path / "result", "simulation"), tmp_path, ("pt",))


def test_the_standards_own_checker_finds_no_error(written, place):
    assert errors_of(place / "out" / sorted(written)[0]) == []
    assert errors_of(place / "out" / sorted(written)[-1]) == []
