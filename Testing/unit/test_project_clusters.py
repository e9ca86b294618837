"""Patches and regional summary of a z map."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.project.clusters import clusters, region_z
from PETSynthLib.project.surface import surfaces

LEFT = surfaces()["L"]


def patch(centre: tuple[float, float, float], radius: float) -> np.ndarray:
    """Vertices within ``radius`` mm of a point, off the medial wall."""
    return (np.linalg.norm(LEFT.vertices - centre, axis=1) < radius) & ~LEFT.medial_wall


PARIETAL = patch((-50.0, -62.0, 40.0), 16.0)
FRONTAL = patch((-42.0, 42.0, 24.0), 12.0)


def test_two_separate_patches_are_two_clusters_the_larger_first() -> None:
    z = np.where(PARIETAL, 3.0, 0.0) + np.where(FRONTAL, 2.5, 0.0)
    first, second = clusters(z, LEFT)
    assert first.area_cm2 == pytest.approx(LEFT.areas_cm2[PARIETAL].sum())
    assert second.area_cm2 == pytest.approx(LEFT.areas_cm2[FRONTAL].sum())
    assert (first.peak, second.peak) == (3.0, 2.5)
    assert first.mean == pytest.approx(3.0)
    assert first.side == "L"


def test_the_peak_says_where_it_is() -> None:
    z = np.where(FRONTAL, 3.0, 0.0)
    top = int(np.flatnonzero(FRONTAL)[0])
    z[top] = 5.0
    (found,) = clusters(z, LEFT)
    assert found.peak == 5.0
    assert found.peak_ras == pytest.approx(tuple(LEFT.vertices[top]))
    assert "frontal" in found.region or "pars" in found.region


def test_small_patches_and_the_medial_wall_are_no_clusters() -> None:
    x, y, up = LEFT.vertices[np.flatnonzero(FRONTAL)[0]]
    small = np.where(patch((x, y, up), 5.0), 9.0, 0.0)
    assert 0.0 < LEFT.areas_cm2[small > 0].sum() < 3.0
    assert clusters(small, LEFT) == []
    assert clusters(np.where(LEFT.medial_wall, 9.0, 0.0), LEFT) == []


def test_z_at_the_threshold_or_unknown_is_not_above_it() -> None:
    assert clusters(np.where(PARIETAL, 2.0, 0.0), LEFT) == []
    assert clusters(np.where(PARIETAL, np.nan, 0.0), LEFT) == []


def test_a_region_is_summed_over_its_own_area_only() -> None:
    label = int(np.bincount(LEFT.labels[PARIETAL]).argmax())
    here = (LEFT.labels == label) & ~LEFT.medial_wall
    z = np.where(here, 3.0, -1.0)
    top = int(np.flatnonzero(here)[0])
    z[top] = 7.0
    rows = {row.region: row for row in region_z(z, LEFT)}
    (hit,) = (row for row in rows.values() if row.percent_above > 0)
    share = LEFT.areas_cm2[top] / LEFT.areas_cm2[here].sum()
    assert hit.peak == 7.0
    assert hit.mean == pytest.approx(3.0 + 4.0 * share)
    assert hit.percent_above == pytest.approx(100.0)
    others = [row for row in rows.values() if row is not hit]
    assert all(row.mean == pytest.approx(-1.0) and row.percent_above == 0.0 for row in others)


def test_regions_cover_everything_off_the_medial_wall() -> None:
    total = sum(row.area_cm2 for row in region_z(np.zeros(len(LEFT.vertices)), LEFT))
    assert total == pytest.approx(LEFT.areas_cm2[~LEFT.medial_wall].sum())
