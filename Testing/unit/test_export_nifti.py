"""NIfTI on the stored grid, marked, repeatable."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
from export_case import pet_on, rotation

from PETSynthLib.export.nifti import write_pet
from PETSynthLib.read import to_canonical
from PETSynthLib.volume import Grid, PetVolume


def stored_and_canonical(affine: np.ndarray) -> tuple[Grid, np.ndarray, PetVolume]:
    """A stored grid, voxels on it, and the same voxels as a PET in canonical orientation."""
    stored = Grid((4, 5, 6), affine)
    voxels = np.arange(120, dtype=np.float32).reshape(stored.shape)
    data, turned = to_canonical(voxels, affine)
    return stored, voxels, pet_on(Grid(data.shape, turned), data)


def single_precision(affine: np.ndarray) -> np.ndarray:
    """Numbers as a NIfTI header holds them."""
    return affine.astype(np.float32).astype(np.float64)


OBLIQUE = single_precision(
    rotation(0, 17.0) @ rotation(2, -9.0) @ np.diag([-1.0, 1.25, 2.0, 1.0]) + 0.0
)
TURNED = np.array([[0, 0, 1.2, -80.5], [-1.0, 0, 0, 90], [0, -0.9, 0, 70.25], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "affine",
    [np.diag([1.0, 1.0, 1.0, 1.0]), np.diag([-1.0, -1.0, 3.0, 1.0]), TURNED, OBLIQUE],
    ids=["ras", "lps", "sagittal", "oblique"],
)
def test_voxels_and_affine_come_back_as_the_scan_had_them(tmp_path, affine):
    affine = single_precision(affine)
    stored, voxels, pet = stored_and_canonical(affine)
    write_pet(tmp_path / "pet.nii.gz", pet, stored, code=2)
    back = nib.load(tmp_path / "pet.nii.gz")
    assert back.get_data_dtype() == np.float32
    assert np.array_equal(np.asarray(back.dataobj), voxels)
    assert np.array_equal(back.affine, affine)
    assert (int(back.header["sform_code"]), int(back.header["qform_code"])) == (2, 2)
    assert np.abs(back.get_qform() - affine).max() < 1e-4
    assert back.header.get_xyzt_units()[0] == "mm"


def test_every_header_field_for_words_is_marked(tmp_path):
    stored, _, pet = stored_and_canonical(np.eye(4))
    write_pet(tmp_path / "pet.nii.gz", pet, stored)
    header = nib.load(tmp_path / "pet.nii.gz").header
    assert b"SYNTHETIC" in header["descrip"].tobytes()
    assert b"SYNTHETIC" in header["intent_name"].tobytes()
    (extension,) = header.extensions
    assert extension.get_code() == 6
    assert b"SYNTHETIC" in bytes(extension.get_content())


def test_shear_leaves_the_place_to_the_sform_alone(tmp_path):
    sheared = np.eye(4)
    sheared[0, 1] = 0.25
    stored, _, pet = stored_and_canonical(sheared)
    write_pet(tmp_path / "pet.nii.gz", pet, stored)
    back = nib.load(tmp_path / "pet.nii.gz")
    assert np.array_equal(back.affine, sheared)
    assert int(back.header["qform_code"]) == 0


def test_equal_volumes_make_equal_bytes(tmp_path):
    stored, _, pet = stored_and_canonical(TURNED)
    write_pet(tmp_path / "one.nii.gz", pet, stored)
    write_pet(tmp_path / "other name.nii.gz", pet, stored)
    first = (tmp_path / "one.nii.gz").read_bytes()
    assert first == (tmp_path / "other name.nii.gz").read_bytes()
    assert first[4:8] == b"\0\0\0\0"  # no time of writing
    assert gzip.decompress(first)[344:348] == b"n+1\0"


def test_an_acquired_pet_is_not_marked_by_mistake(tmp_path):
    stored, _, pet = stored_and_canonical(np.eye(4))
    acquired = PetVolume(
        pet.data, pet.affine, tracer="fdg", reference_region="pons", synthetic=False
    )
    with pytest.raises(ValueError, match="acquired"):
        write_pet(tmp_path / "pet.nii.gz", acquired, stored)
    assert not list(tmp_path.iterdir())
