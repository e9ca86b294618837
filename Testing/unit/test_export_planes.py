"""Sides, proportions and places of the flat pictures."""

from __future__ import annotations

import numpy as np
import pytest
from export_case import rotation

from PETSynthLib.export.planes import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    brain_box,
    cut,
    direction,
    letters,
    places,
)
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.volume import Volume


def marked(index: tuple[int, int, int]) -> Volume:
    """Zeros with one bright voxel; spacing 1 x 2 x 4 mm."""
    data = np.zeros((20, 20, 20), np.float32)
    data[index] = 1.0
    return Volume(data, np.diag([1.0, 2.0, 4.0, 1.0]))


WHOLE = ((0, 20), (0, 20), (0, 20))


def brightest(picture: np.ndarray) -> tuple[float, float]:
    """Place of the maximum as shares of height and width."""
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    return (row + 0.5) / picture.shape[0], (column + 0.5) / picture.shape[1]


@pytest.mark.parametrize(
    ("view", "across", "down"),
    [
        (AXIAL, "right", "anterior"),
        (CORONAL, "right", "superior"),
        (SAGITTAL, "anterior", "superior"),
    ],
    ids=["axial", "coronal", "sagittal"],
)
def test_radiological_convention(view, across, down):
    # High index is right, anterior, superior: these belong on the left and on top.
    index = {"right": (17, 10, 10), "anterior": (10, 17, 10), "superior": (10, 10, 17)}
    point = np.array([10.0, 20.0, 40.0])
    _, column = brightest(cut(marked(index[across]), view, point, WHOLE, 2.0))
    row, _ = brightest(cut(marked(index[down]), view, point, WHOLE, 2.0))
    assert column == pytest.approx(0.125, abs=0.03)
    assert row == pytest.approx(0.125, abs=0.03)


def test_pixels_are_square_whatever_the_spacing():
    volume = marked((10, 10, 10))
    point = np.array([10.0, 20.0, 40.0])
    # 20 x 40 x 80 mm.
    assert cut(volume, AXIAL, point, WHOLE, 3.0).shape == (120, 60)
    assert cut(volume, CORONAL, point, WHOLE, 3.0).shape == (240, 60)
    assert cut(volume, SAGITTAL, point, WHOLE, 3.0).shape == (240, 120)


def test_the_plane_nearest_to_the_point_is_taken_and_a_far_point_takes_the_last():
    volume = marked((10, 10, 12))
    assert cut(volume, AXIAL, np.array([0, 0, 49.0]), WHOLE, 1.0).max() > 0.5
    assert cut(volume, AXIAL, np.array([0, 0, 51.0]), WHOLE, 1.0).max() == 0.0
    assert cut(marked((10, 10, 19)), AXIAL, np.array([0, 0, 999.0]), WHOLE, 1.0).max() > 0.5


def test_letters_of_a_straight_scan():
    shown = letters(np.diag([1.0, 1.0, 1.0, 1.0]), AXIAL)
    assert (shown.left, shown.right, shown.top, shown.bottom) == ("R", "L", "A", "P")
    shown = letters(np.diag([1.0, 1.0, 1.0, 1.0]), SAGITTAL)
    assert (shown.left, shown.right, shown.top, shown.bottom) == ("A", "P", "S", "I")


def test_letters_follow_the_affine_not_the_array():
    flipped = np.diag([-1.0, 1.0, 1.0, 1.0])
    assert letters(flipped, AXIAL).left == "L"


def test_an_oblique_direction_names_both_strongest_first():
    assert direction(np.array([0.8, -0.6, 0.0])) == "RP"
    assert direction(np.array([0.6, 0.8, 0.0])) == "AR"
    assert direction(np.array([-0.98, 0.17, 0.1])) == "L"
    shown = letters(rotation(2, 30.0), AXIAL)
    assert shown.left == "RA"
    assert shown.right == "LP"


def test_places_follow_the_transform():
    moved = np.eye(4)
    moved[:3, 3] = (1.0, 2.0, 3.0)
    found = places(NativeToTemplate(moved))
    assert found.centre == pytest.approx([4.0, -20.0, 3.0])
    assert len(found.strip) == 8
    assert (np.diff(found.strip[:, 2]) > 0).all()


def test_the_box_holds_the_brain_and_a_margin_inside_the_grid():
    box = brain_box(marked((10, 1, 10)), 4.0)
    assert box == ((6, 15), (0, 4), (9, 12))
    assert brain_box(Volume(np.zeros((3, 4, 5)), np.eye(4)), 4.0) == ((0, 3), (0, 4), (0, 5))
