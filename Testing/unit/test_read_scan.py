"""Reading NIfTI: what is accepted, what is noticed, what is refused and in which words."""

from __future__ import annotations

import gzip
import hashlib

import nibabel as nib
import numpy as np
import pytest

from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.read import read_scan

SHAPE = (10, 12, 14)


@pytest.fixture
def voxels():
    return np.random.default_rng(1).integers(0, 1000, SHAPE).astype(np.int16)


def nifti(path, data, affine=None, sform=1, qform=1):
    affine = np.diag([1.0, 1.0, 1.0, 1.0]) if affine is None else affine
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    nib.save(image, path)
    return path


def refusal(path, role="T1"):
    with pytest.raises(PETSynthError) as caught:
        read_scan(path, role)
    error = caught.value
    assert error.exit_status == 2
    for sentence in (error.text, error.hint):
        assert sentence.endswith(".")
        assert "\n" not in sentence
    return error


def named(scan, name):
    return next(f for f in scan.findings if f.name == name)


@pytest.mark.parametrize("name", ["head.nii", "head.nii.gz", "Frau Müller T1 (2).NII.GZ"])
def test_values_place_and_checksum(tmp_path, voxels, name):
    plain = nifti(tmp_path / "x.nii", voxels, np.diag([-1.0, 1.0, 2.0, 1.0])).read_bytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(plain) if name.lower().endswith("gz") else plain)
    scan = read_scan(path)
    assert scan.volume.data.tobytes() == np.flip(voxels, 0).astype(np.float32).tobytes()
    assert scan.volume.affine[:3, 3].tolist() == [-9.0, 0.0, 0.0]
    assert scan.stored.affine.tolist() == np.diag([-1.0, 1.0, 2.0, 1.0]).tolist()
    assert scan.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "Müller" not in str(scan.header)


def test_nifti_2_big_endian_is_read(tmp_path, voxels):
    image = nib.Nifti2Image(voxels, np.eye(4), nib.Nifti2Header(endianness=">"))
    path = tmp_path / "two.nii"
    path.write_bytes(image.to_bytes())
    assert (read_scan(path).volume.data == voxels).all()


def test_slope_and_intercept_are_applied(tmp_path, voxels):
    path = nifti(tmp_path / "x.nii", voxels)
    raw = bytearray(path.read_bytes())
    raw[112:116] = np.float32(0.5).tobytes()  # scl_slope
    raw[116:120] = np.float32(-3.0).tobytes()  # scl_inter
    path.write_bytes(raw)
    assert (read_scan(path).volume.data == voxels * 0.5 - 3.0).all()


def test_four_axes_with_one_frame_are_one_image(tmp_path, voxels):
    scan = read_scan(nifti(tmp_path / "x.nii.gz", voxels[..., None]))
    assert scan.volume.shape == SHAPE
    assert scan.stored.shape == SHAPE


def test_a_series_is_refused(tmp_path, voxels):
    error = refusal(nifti(tmp_path / "x.nii.gz", np.stack([voxels] * 5, -1)))
    assert "series of 5 volumes" in error.text


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (64, 1, 64), (64, 64, 3)])
def test_single_slices_are_refused(tmp_path, shape):
    data = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    path = tmp_path / "x.nii"
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    assert "three-dimensional" in refusal(path).text


def test_a_missing_file_is_named(tmp_path):
    error = refusal(tmp_path / "nowhere.nii.gz", "FLAIR")
    assert "FLAIR" in error.text
    assert "does not exist" in error.text


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.nrrd", "x.nhdr"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 1000, b"NRRD0004\n\n"])
def test_what_is_no_image_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path).code is ErrorCode.BAD_IMAGE


def test_other_formats_are_named(tmp_path):
    path = tmp_path / "slice.dcm"
    path.write_bytes(b"x")
    assert "neither NIfTI" in refusal(path).text


def test_a_truncated_file_is_damaged_wherever_it_is_cut(tmp_path, voxels):
    path = nifti(tmp_path / "x.nii.gz", voxels)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert "damaged or incomplete" in refusal(path).text
    plain = tmp_path / "x.nii"
    plain.write_bytes(gzip.decompress(whole)[:-2])
    assert "damaged or incomplete" in refusal(plain).text


def test_a_header_that_promises_the_moon_is_damaged(tmp_path, voxels):
    path = nifti(tmp_path / "x.nii", voxels)
    raw = bytearray(path.read_bytes())
    raw[42:48] = np.array([32000] * 3, np.int16).tobytes()
    path.write_bytes(raw)
    assert "damaged" in refusal(path).text


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_empty_image_is_refused(tmp_path, value):
    error = refusal(nifti(tmp_path / "x.nii", np.full(SHAPE, value, np.float32)))
    assert f"every voxel has the value {value:g}" in error.text


def test_few_missing_values_become_zero_and_are_reported(tmp_path, voxels):
    data = voxels.astype(np.float32)
    data[3, 4, 5], data[0, 0, 0] = np.nan, np.inf
    scan = read_scan(nifti(tmp_path / "x.nii", data))
    assert scan.volume.data[3, 4, 5] == 0.0
    assert named(scan, "t1_missing_values").value == 2


def test_many_missing_values_are_refused(tmp_path, voxels):
    data = voxels.astype(np.float32)
    data[:3] = np.nan
    assert "30 % of the voxels" in refusal(nifti(tmp_path / "x.nii", data)).text


def test_colour_and_complex_images_are_refused(tmp_path):
    path = tmp_path / "x.nii"
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.complex64), np.eye(4)), path)
    assert "greyscale" in refusal(path).text


@pytest.mark.parametrize(
    "linear",
    [np.zeros((3, 3)), np.diag([1.0, 1.0, 0.0]), [[1, 1, 0], [0, 0, 0], [0, 0, 1.0]]],
)
def test_an_affine_that_places_nothing_is_refused(tmp_path, voxels, linear):
    path = nifti(tmp_path / "x.nii", voxels)
    raw = bytearray(path.read_bytes())
    rows = np.zeros((3, 4), np.float32)
    rows[:, :3] = linear
    raw[280:328] = rows.tobytes()  # srow_x, srow_y, srow_z
    path.write_bytes(raw)
    assert refusal(path).code is ErrorCode.BAD_GEOMETRY


def test_the_sform_decides_and_a_differing_qform_is_reported(tmp_path, voxels):
    image = nib.Nifti1Image(voxels, np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 5.0
    image.set_sform(moved, 1)
    image.set_qform(np.eye(4), 1)
    nib.save(image, tmp_path / "x.nii")
    scan = read_scan(tmp_path / "x.nii")
    assert scan.volume.affine[0, 3] == 5.0
    finding = named(scan, "t1_sform_qform")
    assert finding.verdict is Verdict.AMBER
    assert finding.value == pytest.approx(5.0)


def test_agreeing_forms_and_tiny_differences_are_silent(tmp_path, voxels):
    image = nib.Nifti1Image(voxels, np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 0.05
    image.set_sform(moved, 1)
    image.set_qform(np.eye(4), 1)
    nib.save(image, tmp_path / "x.nii")
    assert [f.name for f in read_scan(tmp_path / "x.nii").findings] == ["t1_slice_thickness"]


def test_the_qform_is_used_when_there_is_no_sform(tmp_path, voxels):
    affine = np.diag([1.0, 2.0, 1.0, 1.0])
    affine[:3, 3] = (3, 4, 5)
    scan = read_scan(nifti(tmp_path / "x.nii", voxels, affine, sform=0, qform=1))
    assert np.allclose(scan.volume.affine, affine)


def test_a_file_without_orientation_says_so(tmp_path, voxels):
    scan = read_scan(nifti(tmp_path / "x.nii", voxels, sform=0, qform=0))
    assert "check left and right" in named(scan, "t1_orientation_known").sentence


def test_slanted_axes_are_straightened_about_the_middle_and_reported(tmp_path, voxels):
    slanted = np.eye(4)
    slanted[0, 1] = np.tan(np.radians(4.0))
    scan = read_scan(nifti(tmp_path / "x.nii", voxels, slanted, qform=0))
    linear = scan.volume.affine[:3, :3]
    directions = linear / np.linalg.norm(linear, axis=0)
    assert np.abs(directions.T @ directions - np.eye(3)).max() < 1e-9
    middle = (np.array(SHAPE) - 1) / 2
    was = slanted[:3, :3] @ middle + slanted[:3, 3]
    assert np.allclose(linear @ middle + scan.volume.affine[:3, 3], was)
    assert named(scan, "t1_right_angles").value == pytest.approx(2.0, abs=0.1)
    assert np.allclose(scan.stored.affine, slanted)


@pytest.mark.parametrize(
    ("thickness", "verdict"),
    [(1.0, "green"), (2.5, "green"), (2.9985, "amber"), (6.0, "amber"), (6.5, "red")],
)
def test_thick_slices_get_their_light(tmp_path, voxels, thickness, verdict):
    scan = read_scan(nifti(tmp_path / "x.nii", voxels, np.diag([1.0, 1.0, thickness, 1.0])))
    assert named(scan, "t1_slice_thickness").verdict.value == verdict


def test_needle_shaped_voxels_are_red(tmp_path, voxels):
    scan = read_scan(nifti(tmp_path / "x.nii", voxels, np.diag([0.5, 0.5, 4.0, 1.0])))
    assert named(scan, "t1_anisotropy").verdict is Verdict.RED


def test_a_coarse_pet_that_is_measured_is_not_told_of_a_synthesis(tmp_path, voxels):
    scan = read_scan(nifti(tmp_path / "x.nii", voxels, np.diag([0.5, 0.5, 6.5, 1.0])), "PET")
    for name in ("pet_slice_thickness", "pet_anisotropy"):
        assert named(scan, name).sentence.endswith("for a result to be trusted.")
