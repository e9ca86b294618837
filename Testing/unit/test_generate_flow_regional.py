"""The regional model of flow: one covariance, the right regression for whatever is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.generate.flow.regional import KINDS, RegionalModel

pytestmark = pytest.mark.torch
R, D, E = 4, 6, 2


def model(covariance: np.ndarray, cross: np.ndarray, ridge: float = 0.0) -> RegionalModel:
    """One tracer, one kind, variance 1 everywhere, D variables of mean 0 and sd 1."""
    return RegionalModel(
        mean=np.zeros((R, D)),
        sd=np.ones((R, D)),
        covariance=np.tile(covariance, (R, 1, 1)),
        share=np.array([[1.0, 0.0]]),
        shift=np.zeros((1, KINDS, R, D)),
        cross=np.stack([cross, np.zeros_like(cross)], 1),
        level=np.ones((1, KINDS, R)),
        variance=np.ones((1, KINDS, R)),
        ridge=np.full((1, D), ridge),
        kind_ridge=np.full((1, D), np.inf),
        shared=np.zeros((1, KINDS, R, E)),
        own=np.zeros((1, KINDS, R)),
    )


def two_kinds() -> RegionalModel:
    """Variable 0 is 2 higher in the upper kind (a quarter), whose uptake is 1.5 and not 1.

    Within a kind variable 0 has a variance of 1 and says nothing of the uptake.
    """
    share, shift = np.array([[0.75, 0.25]]), np.zeros((1, KINDS, R, D))
    shift[0, :, :, 0] = np.array([-0.5, 1.5])[:, None]
    covariance = np.eye(D)
    covariance[0, 0] = 1.75  # 1 within, 0.75 * 0.25 * 2^2 between the kinds
    kind_ridge = np.full((1, D), np.inf)
    kind_ridge[0, 0] = 0.0
    return replace(
        model(covariance, np.zeros((1, R, D))),
        share=share,
        shift=shift,
        level=np.stack([np.ones((1, R)), np.full((1, R), 1.5)], 1),
        kind_ridge=kind_ridge,
        own=np.full((1, KINDS, R), 0.1),
    )


def nobody(**known: float) -> np.ndarray:
    """(R, D): nothing but ``v<column>=value`` is known."""
    row = np.full((R, D), np.nan)
    for name, value in known.items():
        row[:, int(name[1:])] = value
    return row


class TestExpectation:
    def test_a_known_fact_moves_a_region_by_its_regression(self) -> None:
        cross = np.zeros((1, R, D))
        cross[0, 2, 1] = 0.3
        regional = model(np.eye(D), cross)
        assert not regional.deviation(nobody()).any()
        deviation = regional.deviation(nobody(v1=2.0))[0]
        assert deviation.tolist() == [0, 0, pytest.approx(0.6), 0]
        # A ridge of 1 on a variance of 1 halves it.
        halved = model(np.eye(D), cross, 1.0).deviation(nobody(v1=2.0))
        assert halved[0, 2] == pytest.approx(0.3)

    def test_what_two_facts_share_counts_once(self) -> None:
        # Two facts that are the same number (correlation 0.999) tell no more than one of them.
        covariance, cross = np.eye(D), np.zeros((1, R, D))
        covariance[1, 4] = covariance[4, 1] = 0.999
        cross[0, 0, [1, 4]] = 0.5
        regional = model(covariance, cross)
        assert regional.deviation(nobody(v1=1.0))[0, 0] == pytest.approx(0.5)
        assert regional.deviation(nobody(v1=1.0, v4=1.0))[0, 0] == pytest.approx(0.5, abs=1e-3)

    def test_people_with_different_facts_are_each_solved_as_alone(self) -> None:
        rng = np.random.default_rng(0)
        root = rng.normal(size=(2 * D, D))
        regional = replace(
            model(root.T @ root, rng.normal(size=(1, R, D)), 0.2),
            mean=rng.normal(size=(R, D)),
            sd=rng.random((R, D)) + 0.5,
        )
        known = rng.normal(size=(5, R, D))
        known[1:3, :, 4] = known[3, :, :2] = np.nan
        together = regional.deviations(known)
        for person, found in zip(known, together, strict=True):
            there = np.isfinite(person[0])
            inner = (root.T @ root)[np.ix_(there, there)] + 0.2 * np.eye(there.sum())
            for r in range(R):
                z = np.clip((person[r] - regional.mean[r]) / regional.sd[r], -4, 4)[there]
                plain = z @ np.linalg.solve(inner, regional.cross[0, 0, r, there])
                assert found[0, r] == pytest.approx(plain, abs=1e-9)

    def test_an_outlandish_scan_is_held_within_four_standard_deviations(self) -> None:
        cross = np.zeros((1, R, D))
        cross[0, 0, 0] = 1.0
        regional = model(np.eye(D), cross)
        assert regional.deviation(nobody(v0=1000.0))[0, 0] == pytest.approx(4.0)

    def test_it_survives_the_bundle(self) -> None:
        rng = np.random.default_rng(1)
        regional = replace(
            model(np.eye(D), rng.normal(size=(1, R, D)), 0.5), own=rng.random((1, KINDS, R))
        )
        back = RegionalModel.from_arrays(regional.arrays())
        known = rng.normal(size=(R, D))
        assert back.deviation(known) == pytest.approx(regional.deviation(known), abs=1e-5)
        first, second = (m.draw(known, 0, np.random.default_rng(2)) for m in (regional, back))
        assert first == pytest.approx(second, abs=1e-5)


class TestDraw:
    def drawn(self, regional: RegionalModel, known: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(0)
        return np.stack([regional.draw(known, 0, rng) for _ in range(4000)])

    def test_regions_err_together_and_alone_as_they_did(self) -> None:
        shared, own = np.zeros((1, KINDS, R, E)), np.zeros((1, KINDS, R))
        shared[0, 0, :2, 0] = 0.3, -0.3  # as much less as the other has more
        own[0, 0, 1:3] = 0.4, 0.2
        regional = replace(model(np.eye(D), np.zeros((1, R, D))), shared=shared, own=own)
        found = np.cov(self.drawn(regional, np.zeros((R, D))).T)
        expected = shared[0, 0] @ shared[0, 0].T + np.diag(own[0, 0] ** 2)
        assert found == pytest.approx(expected, abs=0.015)

    def test_who_tells_less_leaves_more_unknown(self) -> None:
        # The last variable explains three quarters of region 0: without it the sd is doubled.
        cross = np.zeros((1, R, D))
        cross[0, 0, -1] = np.sqrt(0.75)
        regional = replace(model(np.eye(D), cross), own=np.full((1, KINDS, R), 0.1))
        known = np.zeros((R, D))
        assert self.drawn(regional, known).std(0) == pytest.approx(np.full(R, 0.1), rel=0.05)
        known[:, -1] = np.nan
        spread = self.drawn(regional, known).std(0)
        assert spread == pytest.approx([0.2, 0.1, 0.1, 0.1], rel=0.05)


class TestKinds:
    def test_a_number_tells_the_kind_by_bayes_rule(self) -> None:
        regional = two_kinds()
        # Nothing known: as many as there are. Half way between the kinds' means: the same.
        assert regional.chances(nobody()[None])[0, 0] == pytest.approx([0.75, 0.25])
        assert regional.chances(nobody(v0=0.5)[None])[0, 0, 1] == pytest.approx(0.25)
        # 0.5 further, two Gaussians of sd 1 that lie 2 apart differ by a factor of e.
        odds = np.e / 3
        found = regional.chances(nobody(v0=1.0)[None])[0, 0, 1]
        assert found == pytest.approx(odds / (1 + odds))
        # A variable of infinite penalty does not speak of the kind.
        assert regional.chances(nobody(v1=3.0)[None])[0, 0, 1] == pytest.approx(0.25)

    def test_the_mean_lies_between_the_kinds_and_the_spread_covers_both(self) -> None:
        regional = two_kinds()
        assert regional.expected == pytest.approx(np.full((1, R), 1.125))
        assert regional.deviation(nobody()) == pytest.approx(np.zeros((1, R)))
        between = 0.25 * 0.75 * 0.5**2
        assert regional.spread(nobody())[0] == pytest.approx(np.sqrt(between + 0.1**2))
        sure = nobody(v0=4.0)
        assert regional.deviation(sure)[0] == pytest.approx(1.5 - 1.125, abs=0.005)
        assert regional.spread(sure)[0] == pytest.approx(0.1, abs=0.01)

    def test_a_draw_is_one_kind_or_the_other_in_all_regions(self) -> None:
        regional, rng = two_kinds(), np.random.default_rng(0)
        drawn = np.stack([regional.draw(nobody(), 0, rng) for _ in range(4000)])
        upper = drawn.mean(1) > 0.125
        assert upper.mean() == pytest.approx(0.25, abs=0.03)
        assert drawn[upper].mean(0) == pytest.approx(np.full(R, 0.375), abs=0.01)
        assert drawn[~upper].mean(0) == pytest.approx(np.full(R, -0.125), abs=0.01)
        assert drawn.mean(0) == pytest.approx(np.zeros(R), abs=0.015)
        assert drawn.std(0) == pytest.approx(regional.spread(nobody())[0], rel=0.05)

    def test_one_kind_spreads_as_its_errors_do(self) -> None:
        regional = replace(model(np.eye(D), np.zeros((1, R, D))), own=np.full((1, KINDS, R), 0.2))
        assert regional.spread(np.zeros((R, D)))[0] == pytest.approx(0.2)
