"""The regional model of flow: one covariance, the right regression for whatever is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.generate.flow.regional import RegionalModel

pytestmark = pytest.mark.torch
R, D, K = 4, 6, 2


def model(covariance: np.ndarray, cross: np.ndarray, ridge: float = 0.0) -> RegionalModel:
    """One tracer, variance 1 everywhere, D variables of mean 0 and sd 1."""
    return RegionalModel(
        mean=np.zeros((R, D)),
        sd=np.ones((R, D)),
        covariance=np.tile(covariance, (R, 1, 1)),
        cross=cross,
        expected=np.ones((1, R)),
        variance=np.ones((1, R)),
        ridge=np.full((1, D), ridge),
        shared=np.zeros((1, R, K)),
        own=np.zeros((1, R)),
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
                plain = z @ np.linalg.solve(inner, regional.cross[0, r, there])
                assert found[0, r] == pytest.approx(plain, abs=1e-9)

    def test_an_outlandish_scan_is_held_within_four_standard_deviations(self) -> None:
        cross = np.zeros((1, R, D))
        cross[0, 0, 0] = 1.0
        regional = model(np.eye(D), cross)
        assert regional.deviation(nobody(v0=1000.0))[0, 0] == pytest.approx(4.0)

    def test_it_survives_the_bundle(self) -> None:
        rng = np.random.default_rng(1)
        regional = replace(
            model(np.eye(D), rng.normal(size=(1, R, D)), 0.5), own=rng.random((1, R))
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
        shared, own = np.zeros((1, R, K)), np.zeros((1, R))
        shared[0, :2, 0] = 0.3, -0.3  # as much less as the other has more
        own[0, 1:3] = 0.4, 0.2
        regional = replace(model(np.eye(D), np.zeros((1, R, D))), shared=shared, own=own)
        found = np.cov(self.drawn(regional, np.zeros((R, D))).T)
        expected = shared[0] @ shared[0].T + np.diag(own[0] ** 2)
        assert found == pytest.approx(expected, abs=0.015)

    def test_who_tells_less_leaves_more_unknown(self) -> None:
        # The last variable explains three quarters of region 0: without it the sd is doubled.
        cross = np.zeros((1, R, D))
        cross[0, 0, -1] = np.sqrt(0.75)
        regional = replace(model(np.eye(D), cross), own=np.full((1, R), 0.1))
        known = np.zeros((R, D))
        assert self.drawn(regional, known).std(0) == pytest.approx(np.full(R, 0.1), rel=0.05)
        known[:, -1] = np.nan
        spread = self.drawn(regional, known).std(0)
        assert spread == pytest.approx([0.2, 0.1, 0.1, 0.1], rel=0.05)
