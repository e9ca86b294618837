"""Every way of storing one head gives one canonical array, bit for bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from PETSynthLib.read import to_canonical, to_stored
from PETSynthLib.volume import Grid, Volume

ORIENTATIONS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


def stored_as(data, affine, order, flips):
    """``data`` with its axes permuted and flipped, every voxel at its old place."""
    turned = np.transpose(data, order)
    result = affine.copy()
    result[:3, :3] = affine[:3, list(order)]
    for axis in range(3):
        if flips[axis]:
            turned = np.flip(turned, axis)
            result[:3, 3] = result[:3, 3] + result[:3, axis] * (turned.shape[axis] - 1)
            result[:3, axis] = -result[:3, axis]
    return turned, result


def head(linear):
    """A small image without any symmetry; its numbers are exact in binary."""
    data = np.random.default_rng(3).normal(size=(9, 11, 13)).astype(np.float32)
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = (-90.5, -125.25, -71.75)
    return data, affine


STRAIGHT = np.diag([1.0, 1.25, 3.0])
OBLIQUE = np.array([[0.875, 0.125, -0.5], [-0.125, 1.0, -0.75], [0.25, 0.25, 2.5]])


@pytest.mark.parametrize("linear", [STRAIGHT, OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize(("order", "flips"), ORIENTATIONS)
def test_all_48_orientations_give_the_same_bytes(linear, order, flips):
    data, affine = head(linear)
    turned, turned_affine = stored_as(data, affine, order, flips)
    canonical, canonical_affine = to_canonical(turned, turned_affine)
    assert canonical.tobytes() == data.tobytes()
    assert canonical_affine.tobytes() == affine.tobytes()


@pytest.mark.parametrize(("order", "flips"), ORIENTATIONS)
def test_a_tilt_of_45_degrees_has_one_answer(order, flips):
    data, affine = head(np.array([[1.0, 0, 0], [0, 1.0, -1.0], [0, 1.0, 1.0]]))
    first, first_affine = to_canonical(data, affine)
    again, again_affine = to_canonical(*stored_as(data, affine, order, flips))
    assert again.tobytes() == first.tobytes()
    assert again_affine.tobytes() == first_affine.tobytes()


def test_axes_point_right_anterior_superior_after_turning_an_lps_file():
    # LPS: first axis to the left, second to the back. Voxel (0, 0, 0) is the rightmost, foremost.
    data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    canonical, canonical_affine = to_canonical(data, affine)
    assert canonical[1, 2, 0] == data[0, 0, 0]
    assert canonical_affine[:3, 3].tolist() == [-1.0, -2.0, 0.0]


@settings(max_examples=60, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180) for _ in range(3)]),
    spacing=st.tuples(*[st.floats(0.5, 6) for _ in range(3)]),
)
def test_any_turn_keeps_every_voxel_in_place_and_comes_back(angles, spacing):
    rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    data, affine = head(rotation * spacing)
    canonical, canonical_affine = to_canonical(data, affine)
    # Follow one voxel by its value.
    here = np.argwhere(data == data[7, 2, 5])[0]
    there = np.argwhere(canonical == data[7, 2, 5])[0]
    before = affine[:3, :3] @ here + affine[:3, 3]
    after = canonical_affine[:3, :3] @ there + canonical_affine[:3, 3]
    assert np.abs(before - after).max() < 1e-9
    assert np.trace(canonical_affine[:3, :3] / np.linalg.norm(canonical_affine[:3, :3], axis=0)) > 1
    back = to_stored(Volume(canonical, canonical_affine), Grid(data.shape, affine))
    assert back.tobytes() == data.tobytes()


def test_a_volume_of_another_scan_is_not_written_onto_a_file():
    data, affine = head(STRAIGHT)
    with pytest.raises(ValueError, match="does not belong"):
        to_stored(Volume(data, affine), Grid((9, 11, 12), affine))
