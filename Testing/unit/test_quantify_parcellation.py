"""The user's parcellation takes the atlas's place, where it is of this head."""

from __future__ import annotations

import numpy as np
import pytest
from quantify_case import brain, freesurfer, native_grid, regions

from PETSynthLib.checks import Finding
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.quantify.native_regions import NativeRegions
from PETSynthLib.quantify.parcellation import CORTEX, labels_on, number_of, parcellation_regions
from PETSynthLib.volume import Volume


def volume(numbers: np.ndarray) -> Volume:
    return Volume(numbers, native_grid().affine)


def laid(parcellation: Volume) -> tuple[NativeRegions, Finding]:
    """A parcellation in the place of the atlas, and how it fits."""
    labels, finding = labels_on(parcellation, brain())
    return parcellation_regions(labels, regions()), finding


def test_freesurfer_numbers_mean_what_its_table_says() -> None:
    # Lines of FreeSurferColorLUT.txt.
    for region, side, number in (
        ("bankssts", "L", 1001),
        ("entorhinal", "R", 2006),
        ("precuneus", "L", 1025),
        ("insula", "R", 2035),
        ("hippocampus", "L", 17),
        ("amygdala", "R", 54),
        ("cerebellum", "L", 8),
        ("brainstem", "B", 16),
    ):
        assert number_of(region, side) == (number,)
    assert len(CORTEX) == 35


def test_the_same_labels_in_other_numbers_give_the_same_regions() -> None:
    found, finding = laid(volume(freesurfer()))
    assert np.array_equal(found.labels.data, regions().labels.data)
    assert found.source == "parcellation"
    assert finding.verdict.value == "green"
    assert "on the T1's grid" in finding.sentence


def test_cerebellum_and_white_matter_are_its_own_and_pons_the_atlas_s() -> None:
    found, _ = laid(volume(freesurfer()))
    assert found.reference_source["cerebellum_grey"] == "parcellation"
    assert found.reference_source["pons"] == regions().source
    assert found.references["pons"] is regions().references["pons"]


def test_another_lattice_in_the_same_place_is_sampled_by_the_nearest_voxel() -> None:
    fine = np.kron(freesurfer(), np.ones((2, 2, 2), int))
    affine = native_grid().affine.copy()
    affine[:3, :3] /= 2.0
    affine[:3, 3] -= 1.0  # 4 mm voxels cut in two: their halves lie 1 mm either side
    found, finding = laid(Volume(fine, affine))
    assert np.array_equal(found.labels.data, regions().labels.data)
    assert "another lattice" in finding.sentence


def refused(numbers: Volume) -> str:
    with pytest.raises(PETSynthError) as caught:
        labels_on(numbers, brain())
    assert caught.value.code is ErrorCode.BAD_DATA
    assert caught.value.exit_status == 2
    return caught.value.text


def test_a_grid_in_another_place_is_refused_with_the_overlap() -> None:
    affine = native_grid(4.0).affine.copy()
    affine[1, 3] += 60.0
    text = refused(Volume(freesurfer(), affine))
    assert "lies on another grid than the T1, in another place" in text
    assert "%" in text


def test_labels_of_another_head_on_the_same_grid_are_refused() -> None:
    assert "does not fit the T1" in refused(volume(np.roll(freesurfer(), 12, axis=1)))


def test_labels_without_cortical_regions_are_refused() -> None:
    numbers = freesurfer()
    plain = np.where(numbers >= 2000, 42, np.where(numbers >= 1000, 3, numbers))
    assert "holds 0 of the 68 cortical regions" in refused(volume(plain))
