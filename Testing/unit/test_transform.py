"""One transform, both ways: where a voxel goes, it comes back."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PETSynthLib.assets import atlas_volume
from PETSynthLib.errors import PETSynthError
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.volume import CANONICAL, Grid, PetVolume, Volume


def turned(angles=(12.0, -8.0, 18.0), scale=(0.9, 0.85, 0.95), shift=(5.0, -8.0, 6.0)):
    """Template to native of a smaller, turned head."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * scale
    matrix[:3, 3] = shift
    return matrix


def native_grid(spacing=1.0, size=200.0):
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -size / 2
    n = int(size / spacing) + 1
    return Grid((n, n, n), affine)


def test_the_t1_comes_back_within_half_a_voxel():
    transform = NativeToTemplate(np.linalg.inv(turned()))
    grid = native_grid(2.0)
    template = Volume(atlas_volume("template_t1").data, CANONICAL.affine, CANONICAL.name)
    native = transform.to_native(template, grid)
    back = transform.to_native(transform.to_template(native), grid)
    # Displacement between the two by least squares on the gradients, voxel units.
    inside = ndimage.binary_erosion(native.data > 20, iterations=3)
    slopes = np.stack([g[inside] for g in np.gradient(ndimage.gaussian_filter(native.data, 1))], 1)
    difference = ndimage.gaussian_filter(native.data - back.data, 1)[inside]
    shift = np.linalg.lstsq(slopes, difference, rcond=None)[0]
    assert np.abs(shift).max() < 0.1
    assert np.corrcoef(native.data[inside], back.data[inside])[0, 1] > 0.98


def test_a_point_lands_where_the_matrix_sends_it():
    # Native (10, 20, 30) mm goes to template (12, 17, 34) mm: a bright ball follows.
    matrix = np.eye(4)
    matrix[:3, 3] = (2.0, -3.0, 4.0)
    grid = native_grid()
    data = np.zeros(grid.shape)
    data[tuple(np.array((10, 20, 30)) + 100)] = 1000.0
    ball = Volume(ndimage.gaussian_filter(data, 3.0), grid.affine)
    found = NativeToTemplate(matrix).to_template(ball)
    centre = ndimage.center_of_mass(found.data) @ CANONICAL.affine[:3, :3] + CANONICAL.affine[:3, 3]
    assert np.abs(centre - (12.0, 17.0, 34.0)).max() < 0.05
    assert found.grid.same_as(CANONICAL)
    assert found.space == CANONICAL.name


def test_sampling_more_coarsely_averages_first():
    rng = np.random.default_rng(0)
    grid = native_grid(1.0, 160.0)
    noise = Volume(rng.normal(size=grid.shape), grid.affine)
    identity = NativeToTemplate(np.eye(4))
    smooth = identity.to_template(noise).data[30:60, 30:60, 30:60].std()
    # Picking every other voxel keeps a standard deviation of 1; averaging lowers it.
    assert smooth < 0.45
    flat = Volume(np.full(grid.shape, 3.0), grid.affine)
    assert identity.to_template(flat).data[48, 56, 48] == pytest.approx(3.0)


def test_a_pet_keeps_its_meaning_on_the_way_back():
    pet = PetVolume(
        np.ones(CANONICAL.shape),
        CANONICAL.affine,
        CANONICAL.name,
        tracer="pib",
        reference_region="cerebellum_grey",
        quantity="sd",
    )
    grid = native_grid(4.0)
    native = NativeToTemplate(np.linalg.inv(turned())).to_native(pet, grid)
    assert isinstance(native, PetVolume)
    assert (native.tracer, native.quantity, native.space) == ("pib", "sd", "scanner")
    assert native.grid.same_as(grid)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_where_voxels_coincide_nothing_changes(order):
    rng = np.random.default_rng(3)
    affine = np.diag([1.5, 1.0, 2.0, 1.0])
    affine[:3, 3] = (-4.0, 7.0, 2.5)
    volume = Volume(rng.normal(size=(6, 5, 4)).astype(np.float32), affine)
    same = resample(volume, np.eye(4), volume.grid, order, antialias=True)
    np.testing.assert_array_equal(same, volume.data)
    assert not np.shares_memory(same, volume.data)
    # Half a voxel beside it, or a voxel more, is sampled.
    beside = np.eye(4)
    beside[0, 3] = 0.75
    assert np.abs(resample(volume, beside, volume.grid, 1) - volume.data).max() > 0.01
    longer = Grid((7, 5, 4), affine)
    assert resample(volume, np.eye(4), longer, order).shape == longer.shape


def test_labels_stay_whole_numbers():
    labels = atlas_volume("regions")
    native = NativeToTemplate(np.linalg.inv(turned())).labels_to_native(labels, native_grid(2.0))
    assert set(np.unique(native.data)) <= set(np.unique(labels.data))


def test_what_lies_outside_the_template_gets_the_fill():
    ones = Volume(np.ones(CANONICAL.shape), CANONICAL.affine)
    far = np.eye(4)
    far[0, 3] = 1000.0
    filled = NativeToTemplate(far).to_native(ones, native_grid(10.0), fill=7.0)
    assert (filled.data == 7.0).all()


@settings(max_examples=50, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-60, 60) for _ in range(3)]),
    scale=st.tuples(*[st.floats(0.7, 1.3) for _ in range(3)]),
    shift=st.tuples(*[st.floats(-300, 300) for _ in range(3)]),
)
def test_the_file_brings_the_transform_back(tmp_path_factory, angles, scale, shift):
    transform = NativeToTemplate(turned(angles, scale, shift))
    path = tmp_path_factory.mktemp("mit Umlaut ä") / "t.tfm"
    transform.write(path)
    assert np.abs(NativeToTemplate.read(path).matrix - transform.matrix).max() < 1e-9


def test_itk_reads_the_file_as_template_to_native_in_lps(tmp_path):
    transform = NativeToTemplate(np.linalg.inv(turned()))
    transform.write(tmp_path / "t.tfm")
    template_ras = np.array((10.0, 20.0, 30.0))
    native_ras = turned()[:3, :3] @ template_ras + turned()[:3, 3]
    itk = sitk.ReadTransform(str(tmp_path / "t.tfm"))
    found = itk.TransformPoint((template_ras * (-1, -1, 1)).tolist())
    assert np.allclose(np.array(found) * (-1, -1, 1), native_ras)


@pytest.mark.parametrize("text", ["", "#Insight Transform File V1.0\n", "Parameters: 1 2 3\n"])
def test_a_broken_file_is_refused(tmp_path, text):
    (tmp_path / "t.tfm").write_text(text)
    with pytest.raises(PETSynthError, match=r"t\.tfm cannot be read"):
        NativeToTemplate.read(tmp_path / "t.tfm")


def test_a_matrix_that_cannot_be_inverted_is_no_transform():
    with pytest.raises(ValueError, match="invertible"):
        NativeToTemplate(np.zeros((4, 4)))
