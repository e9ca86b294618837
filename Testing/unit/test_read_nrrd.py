"""NRRD, against files written by ITK and against headers written by hand."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.read import read_scan

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def itk_image(dtype=np.int16):
    rng = np.random.default_rng(5)
    image = sitk.GetImageFromArray(rng.integers(0, 100, (14, 12, 10)).astype(dtype))
    image.SetSpacing((1.0, 1.5, 2.0))
    image.SetDirection(OBLIQUE)
    image.SetOrigin((10.0, -20.0, 30.0))
    return image


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("suffix", ["nrrd", "nhdr"])
def test_itk_files_keep_every_voxel_at_its_place(tmp_path, dtype, compressed, suffix):
    image = itk_image(dtype)
    path = tmp_path / f"kopf mit leerzeichen.{suffix}"
    sitk.WriteImage(image, str(path), useCompression=compressed)
    volume = read_scan(path).volume
    for index in ((0, 0, 0), (9, 3, 7), (2, 11, 13)):
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        ras = lps * (-1, -1, 1)
        ijk = np.linalg.solve(volume.affine[:3, :3], ras - volume.affine[:3, 3]).round()
        assert volume.data[tuple(ijk.astype(int))] == image.GetPixel(*index)


def test_nrrd_and_nifti_of_one_image_agree(tmp_path):
    image = itk_image()
    sitk.WriteImage(image, str(tmp_path / "x.nrrd"))
    sitk.WriteImage(image, str(tmp_path / "x.nii.gz"))
    nrrd, nifti = (read_scan(tmp_path / f"x.{s}").volume for s in ("nrrd", "nii.gz"))
    assert (nrrd.data == nifti.data).all()
    assert np.abs(nrrd.affine - nifti.affine).max() < 1e-5


def header(**changes):
    fields = {
        "type": "uint8",
        "dimension": "3",
        "space": "right-anterior-superior",
        "sizes": "8 9 10",
        "space directions": "(1,0,0) (0,1,0) (0,0,1)",
        "space origin": "(0,0,0)",
        "encoding": "raw",
        **{k.replace("_", " "): v for k, v in changes.items()},
    }
    lines = ["NRRD0004", "# a comment", *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
    return "\n".join([*lines, "patient:=Jane Doe", "", ""]).encode()


BODY = bytes(range(180)) * 4


def test_a_hand_written_file_runs_first_axis_fastest(tmp_path):
    path = tmp_path / "x.nrrd"
    path.write_bytes(header() + BODY)
    scan = read_scan(path)
    assert scan.volume.data[1, 0, 0] == 1
    assert scan.volume.data[0, 1, 0] == 8
    assert scan.volume.data[0, 0, 2] == 144
    assert "Jane" not in str(scan.header)


def test_one_frame_on_the_first_axis_is_one_image(tmp_path):
    path = tmp_path / "x.nrrd"
    directions = "none (1,0,0) (0,1,0) (0,0,1)"
    fields = header(dimension="4", sizes="1 8 9 10", space_directions=directions)
    path.write_bytes(fields + BODY)
    assert read_scan(path).volume.shape == (8, 9, 10)


def test_a_series_is_refused(tmp_path):
    path = tmp_path / "x.nrrd"
    directions = "none (1,0,0) (0,1,0) (0,0,1)"
    path.write_bytes(
        header(dimension="4", sizes="2 8 9 10", space_directions=directions) + BODY * 2
    )
    with pytest.raises(PETSynthError, match="series of 2 volumes"):
        read_scan(path)


def test_a_file_without_space_says_so(tmp_path):
    path = tmp_path / "x.nrrd"
    path.write_bytes(header(space=None, space_directions=None, space_origin=None) + BODY)
    assert "t1_orientation_known" in [f.name for f in read_scan(path).findings]


def test_a_short_file_is_damaged(tmp_path):
    path = tmp_path / "x.nrrd"
    path.write_bytes(header() + BODY[:-1])
    with pytest.raises(PETSynthError, match="damaged or incomplete"):
        read_scan(path)


@pytest.mark.parametrize("encoding", ["hex", "zstd"])
def test_unknown_encodings_are_refused(tmp_path, encoding):
    path = tmp_path / "x.nrrd"
    path.write_bytes(header(encoding=encoding) + BODY)
    with pytest.raises(PETSynthError, match="not a greyscale NRRD"):
        read_scan(path)


def test_detached_data_beside_the_header_are_read_and_hashed(tmp_path):
    (tmp_path / "daten.raw").write_bytes(BODY)
    path = tmp_path / "x.nhdr"
    path.write_bytes(header(data_file="daten.raw"))
    before = read_scan(path).sha256
    (tmp_path / "daten.raw").write_bytes(BODY[::-1])
    assert read_scan(path).sha256 != before


@pytest.mark.parametrize("escape", ["../secret.raw", "sub/../../secret.raw", "{absolute}"])
def test_detached_data_never_leave_the_headers_folder(tmp_path, escape):
    (tmp_path / "secret.raw").write_bytes(BODY)
    folder = tmp_path / "scan"
    folder.mkdir()
    path = folder / "x.nhdr"
    path.write_bytes(header(data_file=escape.format(absolute=tmp_path / "secret.raw")))
    with pytest.raises(PETSynthError, match="outside its own folder"):
        read_scan(path)


def test_a_missing_data_file_is_named(tmp_path):
    path = tmp_path / "x.nhdr"
    path.write_bytes(header(data_file="gone.raw"))
    with pytest.raises(PETSynthError) as caught:
        read_scan(path)
    assert "gone.raw" in caught.value.text
    assert caught.value.code is ErrorCode.BAD_IMAGE
