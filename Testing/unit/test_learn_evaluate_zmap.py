"""Agreement of z-maps and region flags, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from PETSynthLib.learn.evaluate.voxel_controls import Norm
from PETSynthLib.learn.evaluate.zmap import (
    FEWEST_PEOPLE,
    abnormal_sign,
    region_flags,
    regional_norm,
    single_regions,
    zmap_metrics,
)
from PETSynthLib.learn.regions import region_keys

R = len(region_keys())
SHAPE = (2, 2, 2)
NORM = Norm(np.ones(SHAPE, np.float32), np.full(SHAPE, 0.1, np.float32), 20)
BRAIN = np.ones(SHAPE, bool)


def image(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(SHAPE)


TRUE = image(0.7, 0.7, 0.75, 1.0, 1.0, 1.1, 1.0, 1.0)
"""z -3 -3 -2.5 0 0 1 0 0: three voxels beyond 2 in the direction of FDG."""


def test_disease_lowers_fdg_and_raises_the_others() -> None:
    assert abnormal_sign("fdg") == -1
    assert abnormal_sign("pib") == abnormal_sign("flortaucipir") == 1


def test_overlap_of_abnormal_voxels_by_hand() -> None:
    made = image(0.7, 1.0, 0.75, 0.7, 0.7, 1.1, 1.0, 1.0)  # 4 found, 2 of them right
    found = zmap_metrics(TRUE, made, NORM, BRAIN, -1.0)
    assert found["z2_dice"] == pytest.approx(2 * 2 / (3 + 4))
    assert found["z2_sensitivity"] == pytest.approx(2 / 3)
    assert found["z2_ppv"] == pytest.approx(2 / 4)


def test_equal_maps_agree_wholly_and_the_norm_itself_has_no_map() -> None:
    assert zmap_metrics(TRUE, TRUE, NORM, BRAIN, -1.0)["z_r"] == pytest.approx(1.0)
    flat = zmap_metrics(TRUE, NORM.mean, NORM, BRAIN, -1.0)
    assert math.isnan(flat["z_r"])
    assert flat["z2_sensitivity"] == 0.0
    assert math.isnan(flat["z2_ppv"])


def test_the_other_direction_is_not_abnormal() -> None:
    found = zmap_metrics(TRUE, TRUE, NORM, BRAIN, +1.0)
    assert math.isnan(found["z2_dice"])


def test_voxels_without_uptake_in_the_norm_do_not_count() -> None:
    empty = Norm(np.zeros(SHAPE, np.float32), NORM.sd, 20)
    assert math.isnan(zmap_metrics(TRUE, TRUE, empty, BRAIN, -1.0)["z_r"])


class TestFlags:
    @pytest.fixture
    def values(self) -> np.ndarray:
        return np.random.default_rng(0).normal(1.3, 0.1, (200, R))

    def test_a_twentieth_of_healthy_people_get_any_flag(self, values: np.ndarray) -> None:
        norm = regional_norm(values, "fdg")
        new = np.random.default_rng(1).normal(1.3, 0.1, (4000, R))
        flagged = (norm.z(new)[:, single_regions()] > norm.threshold).any(1).mean()
        assert flagged == pytest.approx(0.05, abs=0.03)
        assert norm.threshold > 2.5  # a maximum over many regions, not a single one's 1.64

    def test_the_threshold_is_the_38th_of_39_people_s_highest_z(self, values: np.ndarray) -> None:
        # ceil(0.95 x 40) = 38: a 40th person exceeds it with a probability of 2 in 40.
        people = values[:39]
        highest = []
        for n in range(39):
            others = np.delete(people, n, axis=0)
            z = -(people[n] - others.mean(0)) / others.std(0, ddof=1)
            highest.append(z[single_regions()].max())
        norm = regional_norm(people, "fdg")
        assert norm.threshold == pytest.approx(sorted(highest)[37], rel=1e-12)

    def test_nobody_healthy_makes_no_norm(self, values: np.ndarray) -> None:
        norm = regional_norm(values[:0], "fdg")
        assert norm.people == 0
        assert np.isnan(norm.mean).all()
        assert region_flags(values[:5], values[:5], norm) == {}

    def test_few_people_set_no_threshold(self, values: np.ndarray) -> None:
        norm = regional_norm(values[: FEWEST_PEOPLE - 1], "fdg")
        assert math.isnan(norm.threshold)
        assert region_flags(values[:5], values[:5], norm) == {}

    def test_flags_by_hand(self, values: np.ndarray) -> None:
        norm = regional_norm(values, "fdg")
        true, made = np.tile(norm.mean, (2, 1)), np.tile(norm.mean, (2, 1))
        a, b, c = single_regions()[:3]
        true[0, [a, b]] -= 10 * norm.sd[[a, b]]
        made[0, a] -= 9 * norm.sd[a]
        made[0, c] -= 8 * norm.sd[c]
        true[0, a] -= norm.sd[a]  # the most abnormal one, in both
        found = region_flags(true, made, norm)
        assert found["flag_sensitivity"] == pytest.approx(1 / 2)
        assert found["flag_ppv"] == pytest.approx(1 / 2)
        assert found["any_flag_true_share"] == pytest.approx(1 / 2)
        assert found["peak_region_match"] == 1.0
