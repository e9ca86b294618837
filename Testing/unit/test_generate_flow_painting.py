"""Between 85 numbers and voxels: painting regional values, and reading them off an image."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.assets import atlas_volume
from PETSynthLib.generate.atlas.forward import atlas_labels, grid_key_of
from PETSynthLib.generate.flow.painting import levels, paint, paint_levels, paint_slices
from PETSynthLib.generate.flow.reading import REGIONS
from PETSynthLib.volume import CANONICAL, Grid

pytestmark = pytest.mark.torch
R = len(REGIONS)


def coarse() -> Grid:
    affine = CANONICAL.affine.copy()
    affine[:3, :3] *= 4
    affine[:3, 3] += 3
    return Grid((24, 28, 24), affine, CANONICAL.name)


class TestPainting:
    def test_a_region_gets_its_value_and_its_mirror_image_none(self) -> None:
        values = np.zeros(R)
        values[0] = 1.0
        painted = paint(values, CANONICAL)
        territories = atlas_volume("territories").data
        assert painted[territories == REGIONS[0]].mean() > 0.6
        far = (
            np.abs(
                np.indices(CANONICAL.shape)[0] - np.argwhere(territories == REGIONS[0])[:, 0].mean()
            )
            > 40
        )
        assert painted[far].max() < 0.01

    def test_levels_are_met_where_painting_alone_falls_short(self) -> None:
        values = np.random.default_rng(0).normal(size=R) * 0.1
        regions = atlas_volume("regions").data
        seen = [k for k in range(R) if (regions == REGIONS[k]).any()]

        def met(image: np.ndarray) -> float:
            means = np.array([image[regions == REGIONS[k]].mean() for k in seen])
            return float(np.abs(means - values[seen]).mean())

        plain, right = met(paint(values, CANONICAL)), met(paint_levels(values, CANONICAL))
        assert right < 0.4 * plain

    def test_single_slices_are_those_of_the_whole(self) -> None:
        values = np.random.default_rng(0).normal(size=(2, R)).astype(np.float32)
        grid = coarse()
        ks = np.array([3, 12])
        slices = paint_slices(values, ks, grid)
        for t in range(2):
            whole = paint(values[t], grid)[:, :, ks].transpose(2, 0, 1)
            assert slices[:, t] == pytest.approx(whole, abs=1e-5)

    def test_levels_are_means_over_grey_matter(self) -> None:
        grid = coarse()
        territories, _ = atlas_labels(grid_key_of(grid))
        grey = np.zeros(grid.shape, np.float32)
        image = np.full(grid.shape, 5.0, np.float32)
        first, second = np.argwhere(territories == REGIONS[20])[:2]
        grey[tuple(first)], image[tuple(first)] = 0.75, 1.0
        grey[tuple(second)], image[tuple(second)] = 0.25, 2.0
        found = levels(image, grey, grid)
        assert found[20] == pytest.approx(1.25)
        assert np.isnan(np.delete(found, 20)).all()
