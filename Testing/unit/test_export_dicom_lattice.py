"""Where DICOM puts the voxels: answers worked out by hand for a grid of three axes."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_case import oblique, stored

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.dicom.lattice import canonical, from_planes, lattice_of
from PETSynthLib.read.orientation import to_canonical
from PETSynthLib.volume import Grid, Volume


def axial() -> Grid:
    """Right, anterior, superior; 1 x 2 x 3 mm; first voxel at (10, 20, 30)."""
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (10.0, 20.0, 30.0)
    return Grid((4, 5, 6), affine)


def test_rows_columns_and_places_are_those_of_lps():
    lattice = lattice_of(axial())
    assert lattice.orientation == [-1, 0, 0, 0, -1, 0]
    assert lattice.pixel_spacing == [2, 1]
    assert lattice.slice_mm == 3
    assert lattice.position(0) == [-10, -20, 30]
    assert lattice.position(2) == [-10, -20, 36]


def test_planes_follow_the_normal_so_that_readers_keep_their_order():
    mirrored = axial()
    mirrored.affine[:3, 0] *= -1.0
    lattice = lattice_of(mirrored)
    along, down = np.array(lattice.orientation).reshape(2, 3)
    step = np.array(lattice.position(1)) - lattice.position(0)
    assert np.cross(along, down) @ step == pytest.approx(3.0)
    assert lattice.position(0) == [-10, -20, 45]


def test_a_voxel_keeps_its_place_in_the_planes():
    grid = axial()
    data = np.arange(120, dtype=np.float32).reshape(grid.shape)
    turned, affine = to_canonical(data, grid.affine)
    planes = lattice_of(grid).planes(Volume(turned, affine))
    assert planes.shape == (6, 5, 4)
    assert planes[3, 2, 1] == data[1, 2, 3]


def test_a_canonical_grid_is_the_one_the_voxels_are_turned_to():
    grid = stored()
    turned, affine = to_canonical(np.zeros(grid.shape, np.float32), grid.affine)
    found = canonical(grid)
    assert found.shape == turned.shape
    np.testing.assert_allclose(found.affine, affine)


def test_a_volume_of_another_grid_is_refused():
    moved = Volume(np.zeros((4, 5, 6), np.float32), axial().affine + np.eye(4, k=3) * 1.0)
    with pytest.raises(ValueError, match="another grid"):
        lattice_of(axial()).planes(moved)


def test_planes_and_grid_are_inverse_to_each_other():
    lattice = lattice_of(stored())
    shape = lattice.grid.shape
    positions = np.array([lattice.position(plane) for plane in range(shape[2])])
    found = from_planes(lattice.orientation, lattice.pixel_spacing, positions, [shape[1], shape[0]])
    assert found.same_as(lattice.grid, 1e-9)


def test_a_sheared_grid_is_refused_in_a_sentence():
    sheared = Grid((4, 5, 6), axial().affine.copy())
    sheared.affine[0, 2] = 0.5
    with pytest.raises(PETSynthError, match="sheared") as refused:
        lattice_of(sheared)
    assert refused.value.code is ErrorCode.BAD_GEOMETRY


def test_the_test_series_is_oblique():
    axes = oblique()[:3, :3] / np.linalg.norm(oblique()[:3, :3], axis=0)
    assert np.sort(np.abs(axes), axis=0)[1].min() > 0.1
