"""The regional model of flow: one covariance, the right regression for whatever is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.assets import atlas_volume
from PETSynthLib.clinical import FIELDS
from PETSynthLib.generate.atlas.forward import atlas_labels, grid_key_of
from PETSynthLib.generate.flow.regional import (
    REGIONS,
    Anchor,
    RegionalModel,
    levels,
    paint,
    paint_levels,
    paint_slices,
    read_mri,
    variable_names,
    variables,
)
from PETSynthLib.preprocess.atlas_grid import atlas_on
from PETSynthLib.volume import CANONICAL, Grid, Volume, on_grid

pytestmark = pytest.mark.torch
R = len(REGIONS)
SCANNERS = ["ge", "philips", "siemens"]
D = 2 * R + 2 + len(FIELDS) + 3


def coarse() -> Grid:
    affine = CANONICAL.affine.copy()
    affine[:3, :3] *= 4
    affine[:3, 3] += 3
    return Grid((24, 28, 24), affine, CANONICAL.name)


def model(covariance: np.ndarray, cross: np.ndarray, ridge: float = 0.0) -> RegionalModel:
    return RegionalModel(
        np.zeros(D), np.ones(D), covariance, cross, np.ones((1, R)), np.full((1, D), ridge)
    )


class TestModel:
    def test_a_known_fact_moves_the_regions_by_its_regression(self) -> None:
        # Age (column 2R + 2) has variance 1 and covariance 0.3 with region 5, nothing else.
        cross = np.zeros((1, D, R))
        cross[0, 2 * R + 2, 5] = 0.3
        known = np.full(D, np.nan)
        known[: 2 * R] = 0.0
        regional = model(np.eye(D), cross)
        assert regional.deviation(known).max() == 0.0
        known[2 * R + 2] = 2.0
        deviation = regional.deviation(known)[0]
        assert deviation[5] == pytest.approx(0.6)
        assert np.delete(deviation, 5).max() == 0.0
        # A ridge of 1 on a variance of 1 halves it.
        assert model(np.eye(D), cross, 1.0).deviation(known)[0, 5] == pytest.approx(0.3)

    def test_what_two_facts_share_counts_once(self) -> None:
        # Two facts that are the same number (correlation 0.999) tell no more than one of them.
        covariance, cross = np.eye(D), np.zeros((1, D, R))
        a, b = 2 * R + 2, 2 * R + 5
        covariance[a, b] = covariance[b, a] = 0.999
        cross[0, [a, b], 0] = 0.5
        known = np.full(D, np.nan)
        known[: 2 * R] = 0.0
        known[a] = 1.0
        alone = model(covariance, cross).deviation(known)[0, 0]
        known[b] = 1.0
        assert alone == pytest.approx(0.5)
        assert model(covariance, cross).deviation(known)[0, 0] == pytest.approx(0.5, abs=1e-3)

    def test_elimination_equals_the_plain_solve(self) -> None:
        rng = np.random.default_rng(0)
        root = rng.normal(size=(2 * D, D))
        covariance, cross = root.T @ root / len(root), rng.normal(size=(2, D, R))
        ridge = rng.random((2, D)) + 0.1
        regional = RegionalModel(
            rng.normal(size=D), rng.random(D) + 0.5, covariance, cross, np.ones((2, R)), ridge
        )
        known = rng.normal(size=D)
        known[[2 * R, 2 * R + 3, D - 1]] = np.nan
        z = np.clip((known - regional.mean) / regional.sd, -4, 4)
        s = np.isfinite(z)
        for t in range(2):
            inner = covariance[np.ix_(s, s)] + np.diag(ridge[t, s])
            plain = z[s] @ np.linalg.solve(inner, cross[t, s])
            assert regional.deviation(known)[t] == pytest.approx(plain, abs=1e-9)

    def test_it_survives_the_bundle(self) -> None:
        rng = np.random.default_rng(1)
        regional = model(np.eye(D), rng.normal(size=(1, D, R)), 0.5)
        back = RegionalModel.from_arrays(regional.arrays())
        known = rng.normal(size=D)
        assert back.deviation(known) == pytest.approx(regional.deviation(known), abs=1e-5)

    def test_an_outlandish_scan_is_held_within_four_standard_deviations(self) -> None:
        cross = np.zeros((1, D, R))
        cross[0, 0, 0] = 1.0
        known = np.full(D, np.nan)
        known[: 2 * R] = 0.0
        known[0] = 1000.0
        assert model(np.eye(D), cross).deviation(known)[0, 0] == pytest.approx(4.0)


class TestVariables:
    def test_every_variable_has_its_place_and_unknown_is_nan(self) -> None:
        numbers = dict.fromkeys(FIELDS) | {"mmse": 24.0}
        row = variables(np.arange(2 * R + 2.0), numbers, "philips", SCANNERS)
        names = variable_names(SCANNERS)
        assert len(row) == len(names) == D
        assert row[names.index("mmse")] == 24.0
        assert np.isnan(row[names.index("age")])
        assert row[names.index("scanner_philips")] == 1.0
        assert row[names.index("scanner_ge")] == 0.0
        assert np.isnan(variables(np.zeros(2 * R + 2), numbers, None, SCANNERS)[-3:]).all()

    def test_the_shares_of_a_thinner_cortex_are_smaller_where_it_is_thin(self) -> None:
        grid = coarse()
        brain = atlas_on("template_brain", grid)
        t1 = atlas_on("template_t1", grid)
        t1 = Volume(t1.data / np.percentile(t1.data[brain.mask], 97), t1.affine, t1.space)
        territories, _ = atlas_labels(grid_key_of(grid))
        label = REGIONS[20]
        thin = t1.data.copy()
        thin[territories == label] *= 0.4  # as dark as CSF
        before = read_mri(t1, brain, None).numbers
        after = read_mri(Volume(thin, t1.affine, t1.space), brain, None).numbers
        change = after - before
        assert change[R + 20] > 0.3  # more CSF there
        assert np.abs(np.delete(change[: 2 * R], [20, R + 20])).max() < 0.1
        assert np.isnan(before[-2:]).all()

    def test_bright_spots_in_the_flair_raise_its_load(self) -> None:
        grid = coarse()
        brain = atlas_on("template_brain", grid)
        t1 = atlas_on("template_t1", grid)
        t1 = Volume(t1.data / np.percentile(t1.data[brain.mask], 97), t1.affine, t1.space)
        even = np.where(brain.mask, 1.0, 0.0)
        spotted = even.copy()
        spotted[10:13, 12:15, 14:17] = 2.0
        calm = read_mri(t1, brain, on_grid(even, grid)).numbers[-1]
        busy = read_mri(t1, brain, on_grid(spotted, grid)).numbers[-1]
        assert calm == 0.0
        assert busy > 0.03


class TestAnchor:
    def test_half_the_trust_goes_half_the_way(self) -> None:
        centre = np.ones((1, R))
        level, deviation = np.full(R, 1.3), np.full(R, 0.1)
        # The network stands 0.3 above its average, the regional model says 0.1.
        for trust, added in ((1.0, 0.0), (0.5, -0.1), (0.0, -0.2)):
            anchor = Anchor(centre, np.array([trust]), np.zeros((1, R)))
            assert anchor.correction(level, deviation, 0) == pytest.approx(np.full(R, added))

    def test_what_a_smooth_image_lacks_is_given_back(self) -> None:
        offset = np.linspace(0, 0.1, R)[None]
        anchor = Anchor(np.ones((1, R)), np.zeros(1), offset)
        assert anchor.correction(np.full(R, 1.1), np.full(R, 0.1), 0) == pytest.approx(offset[0])

    def test_a_region_without_grey_matter_is_left_alone(self) -> None:
        anchor = Anchor(np.ones((1, R)), np.zeros(1), np.zeros((1, R)))
        level = np.full(R, np.nan)
        assert anchor.correction(level, np.full(R, 0.1), 0).tolist() == [0.0] * R

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
