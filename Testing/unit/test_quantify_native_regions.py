"""Regions in the scan's own space: where they lie, and what is taken off a reference."""

from __future__ import annotations

import numpy as np
import pytest
from quantify_case import HERE, brain, native_grid, regions

from PETSynthLib.preprocess.warp import only_affine
from PETSynthLib.quantify.native_regions import REFERENCE_ROWS, atlas_regions, eroded


def test_left_is_left() -> None:
    found = regions()
    x = native_grid().affine[0, 0] * np.arange(native_grid().shape[0]) + native_grid().affine[0, 3]
    inside = brain().mask
    where = np.broadcast_to(x[:, None, None], inside.shape)
    assert found.left[inside & (where < -1.0)].all()
    assert not found.left[inside & (where > 1.0)].any()


def test_all_references_are_there_and_inside_the_brain() -> None:
    found = regions()
    assert set(found.references) == set(REFERENCE_ROWS)
    for name, mask in found.references.items():
        assert mask.mask.any(), name
        assert not (mask.mask & ~brain().mask).any(), name


def test_grey_and_inferior_grey_are_parts_of_the_cerebellum() -> None:
    found = {name: mask.mask for name, mask in regions().references.items()}
    assert not (found["cerebellum_grey"] & ~found["cerebellum_whole"]).any()
    assert not (found["cerebellum_grey_inferior"] & ~found["cerebellum_grey"]).any()
    assert not (found["white_matter"] & found["cerebellum_whole"]).any()


def test_an_affine_says_that_it_is_one() -> None:
    assert atlas_regions(only_affine(HERE), brain()).source == "atlas, affine"


@pytest.mark.parametrize(("spacing", "left"), [(1.0, 6), (2.0, 8), (3.0, 10)])
def test_two_millimetres_are_taken_off_whatever_the_voxels(spacing: float, left: int) -> None:
    # Of 10 voxels, those whose centre lies within 2 mm of the outside: 2 a side of 1 mm, 1 of 2 mm.
    mask = np.zeros((16, 16, 16), bool)
    mask[3:13, 3:13, 3:13] = True
    inner = eroded(mask, (spacing, spacing, spacing))
    assert int(inner.sum()) == left**3


def test_nothing_is_eroded_to_nothing() -> None:
    assert not eroded(np.zeros((4, 4, 4), bool), (1.0, 1.0, 1.0)).any()
