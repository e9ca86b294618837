"""Peak search below the surface: constants, grids, orientation, finding on another image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from project_case import LEFT_FRONTAL, blob, bump, constant, simulated

from PETSynthLib.assets import atlas_volume
from PETSynthLib.project.sampling import DEPTHS_MM, sample_both, surface_samples
from PETSynthLib.project.surface import surfaces
from PETSynthLib.volume import CANONICAL, Volume, on_grid


def test_a_constant_volume_gives_that_constant_everywhere() -> None:
    for samples in sample_both(constant(1.7)).values():
        assert np.allclose(samples.values, 1.7, atol=1e-6)
        assert set(samples.depth) <= set(DEPTHS_MM)


def test_six_steps_of_two_and_a_quarter_millimetres() -> None:
    assert DEPTHS_MM == (2.25, 4.5, 6.75, 9.0, 11.25, 13.5)


def test_uptake_that_rises_inward_is_found_at_the_deepest_step() -> None:
    # Uptake 100 - |x|: towards the midline it rises; lateral vertices look straight at it.
    x = CANONICAL.affine[0, 3] + 2.0 * np.arange(CANONICAL.shape[0])
    volume = on_grid(
        np.broadcast_to((100.0 - np.abs(x))[:, None, None], CANONICAL.shape), CANONICAL
    )
    surface = surfaces()["R"]
    lateral = surface.normals[:, 0] > 0.95
    samples = surface_samples(volume, surface)
    assert lateral.sum() > 500
    assert np.all(samples.depth[lateral] == 13.5)
    expected = 100.0 - (surface.vertices[lateral, 0] - 13.5 * surface.normals[lateral, 0])
    assert np.allclose(samples.values[lateral], expected, atol=1e-3)


def test_a_bright_left_frontal_blob_is_seen_by_the_left_surface_near_it_only() -> None:
    samples = sample_both(blob())
    left = surfaces()["L"]
    peak = left.vertices[samples["L"].values.argmax()]
    assert np.linalg.norm(peak - LEFT_FRONTAL) < 20.0
    assert samples["L"].values.max() > 5.0
    assert samples["R"].values.max() < 1.1


def test_the_same_picture_on_a_grid_that_starts_two_voxels_elsewhere_gives_the_same() -> None:
    volume = blob()
    affine = volume.affine.copy()
    affine[:3, 3] -= 2.0 * np.diag(affine)[:3]
    shifted = Volume(np.pad(volume.data, ((2, 0),) * 3, constant_values=1.0), affine, volume.space)
    for side, samples in sample_both(volume).items():
        again = sample_both(shifted)[side]
        assert np.allclose(again.values, samples.values, atol=1e-6)
        assert np.array_equal(again.depth, samples.depth)


def test_a_picture_moved_by_two_voxels_moves_the_samples() -> None:
    volume = blob()
    affine = volume.affine.copy()
    affine[1, 3] -= 40.0
    moved = sample_both(replace(volume, affine=affine))["L"]
    direct = sample_both(blob((LEFT_FRONTAL[0], LEFT_FRONTAL[1] - 40.0, LEFT_FRONTAL[2])))["L"]
    inside = surfaces()["L"].vertices[:, 1] < 40.0  # the moved grid ends before the frontal pole
    assert np.allclose(moved.values[inside], direct.values[inside], atol=1e-4)


def test_voxels_stored_from_right_to_left_and_front_to_back_give_the_same() -> None:
    volume = blob()
    affine = volume.affine @ np.diag([-1.0, -1.0, 1.0, 1.0])
    far = volume.affine @ [*(np.array(volume.shape) - 1), 1.0]
    affine[:2, 3] = far[:2]
    lps = Volume(volume.data[::-1, ::-1], affine, volume.space)
    for side, samples in sample_both(volume).items():
        assert np.allclose(sample_both(lps)[side].values, samples.values, atol=1e-6)


def test_another_image_is_read_where_the_peaks_of_the_first_lie() -> None:
    # Depth is found on the blob; the image read there is a ramp along y.
    y = CANONICAL.affine[1, 3] + 2.0 * np.arange(CANONICAL.shape[1])
    ramp = on_grid(np.broadcast_to(y[None, :, None], CANONICAL.shape), CANONICAL)
    surface = surfaces()["L"]
    found = surface_samples(blob(), surface)
    read = surface_samples(ramp, surface, find_on=blob())
    assert np.array_equal(read.depth, found.depth)
    expected = surface.vertices[:, 1] - found.depth * surface.normals[:, 1]
    assert np.allclose(read.values, expected, atol=1e-3)


def test_peaks_of_an_fdg_lie_in_the_cortex_a_few_millimetres_below_the_surface() -> None:
    volume = simulated(1)
    grey = on_grid(atlas_volume("template_gm").data, CANONICAL)
    for side, surface in surfaces().items():
        found = surface_samples(volume, surface)
        depth = found.depth[surface.cortex]
        assert 2.25 <= np.median(depth) <= 6.75
        assert np.mean(depth == DEPTHS_MM[-1]) < 0.1, "few run into the far end of the search"
        probability = surface_samples(grey, surface, find_on=volume).values[surface.cortex]
        assert np.median(probability) > 0.6, side


def test_an_image_that_is_not_in_the_template_is_refused() -> None:
    native = replace(on_grid(bump(LEFT_FRONTAL, 8.0), CANONICAL), space="scanner")
    with pytest.raises(ValueError, match="scanner"):
        surface_samples(native, surfaces()["L"])
