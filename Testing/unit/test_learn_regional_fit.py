"""The fit of flow's regional model: moments with gaps, people held out, shared errors."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.generate.flow.reading import OWN, REGIONS, variable_names
from PETSynthLib.generate.flow.regional import RegionalModel
from PETSynthLib.learn.methods.regional_fit import (
    FOLDS,
    OWN_PENALTIES,
    SHARED_ERRORS,
    fit_folds,
    folds,
    held_out_error,
    moments,
    of_strangers,
    split_errors,
)
from PETSynthLib.learn.methods.regional_kinds import kinds
from PETSynthLib.request import SCANNERS

pytestmark = pytest.mark.torch
NAMES = variable_names(list(SCANNERS))
MMSE = NAMES.index("mmse")


def people(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One latent N; region 3's first number falls with it (noise 0.5), its uptake by 0.1 N."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=n)
    known = np.zeros((n, len(REGIONS), len(NAMES)))
    known[:, 3, 0] = -latent + 0.5 * rng.normal(size=n)
    known[:, :, MMSE] = (24 - latent + 0.5 * rng.normal(size=n))[:, None]
    uptake = 1.0 + 0.001 * rng.normal(size=(n, 1, len(REGIONS)))
    uptake[:, 0, 3] -= 0.1 * latent
    return known, uptake, latent


def of_one_kind(uptake: np.ndarray) -> np.ndarray:
    """Everybody is of the lower kind."""
    return kinds(uptake, np.zeros(uptake.shape[1], bool))


class TestMoments:
    def test_with_gaps_they_are_those_of_the_known(self) -> None:
        known, uptake, _ = people(400)
        full = moments(known, uptake, of_one_kind(uptake))
        gaps = known.copy()
        gaps[::2, 3, 0] = np.nan
        half = moments(gaps, uptake, of_one_kind(uptake))
        assert half.mean[3, 0] == pytest.approx(known[1::2, 3, 0].mean())
        assert half.cross[0, 0, 3, 0] == pytest.approx(full.cross[0, 0, 3, 0], rel=0.2)

    def test_a_missing_pet_counts_for_nothing(self) -> None:
        known, uptake, _ = people(40)
        gaps = uptake.copy()
        gaps[20:] = np.nan
        half = moments(known, gaps, of_one_kind(gaps))
        first = moments(known[:20], uptake[:20], of_one_kind(uptake[:20]))
        assert half.expected == pytest.approx(first.expected)
        assert half.variance == pytest.approx(first.variance)


class TestFolds:
    def test_held_out_people_are_predicted_nearly_as_well_as_they_can_be(self) -> None:
        known, uptake, latent = people(300)
        fold = folds([f"p{k}" for k in range(300)], 0)
        _, parts = fit_folds(known, uptake, fold)
        error = held_out_error(parts, known, uptake, fold)[:, 0, 3]
        # Two measurements of noise 0.5 of a unit normal latent leave a variance of 1 / 9.
        assert error.std() == pytest.approx(0.1 / 3, rel=0.2)
        known[:, :, MMSE] = np.nan
        alone = held_out_error(parts, known, uptake, fold)[:, 0, 3]
        assert alone.std() == pytest.approx(0.1 * np.sqrt(1 / 5), rel=0.2)
        assert error.std() < 0.5 * 0.1 * latent.std()

    def test_what_is_drawn_is_as_wide_as_the_errors_on_people_held_out(self) -> None:
        known, uptake, _ = people(300)
        fold = folds([f"p{k}" for k in range(300)], 0)
        whole, parts = fit_folds(known, uptake, fold)
        error = held_out_error(parts, known, uptake, fold)[:, 0, 3]
        rng = np.random.default_rng(0)
        drawn = [whole.draw(known[0], 0, rng)[3] for _ in range(500)]
        assert np.std(drawn) == pytest.approx(error.std(), rel=0.1)

    def test_many_numbers_that_say_nothing_are_held_down(self) -> None:
        """Noise in every number of the MRI asks for a penalty far above the least one."""
        rng = np.random.default_rng(1)
        known, uptake, _ = people(60)
        known[:, :, : 2 * len(OWN)] = rng.normal(size=(60, len(REGIONS), 2 * len(OWN)))
        fold = folds([f"p{k}" for k in range(60)], 0)
        whole, _ = fit_folds(known, uptake, fold)
        assert whole.ridge[0, 0] >= 10 * OWN_PENALTIES[0]
        assert whole.ridge[0, MMSE] < 1.0

    def test_one_person_s_sessions_share_a_fold(self) -> None:
        names = [f"p{k // 2}" for k in range(20)]
        fold = folds(names, 1)
        assert (fold[::2] == fold[1::2]).all()
        assert set(fold) == set(range(FOLDS))


def test_shared_and_own_errors_make_up_each_region_s_variance() -> None:
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(50, 2, 1, 30))
    errors[:, :, :, :15] += rng.normal(size=(50, 2, 1, 1))
    errors[0, 1] = np.nan
    shared, own = split_errors(errors, np.ones((50, 2, 1)))
    assert shared.shape == (2, 1, 30, SHARED_ERRORS)
    moment = (np.nan_to_num(errors) ** 2).mean(0)
    assert (shared**2).sum(3) + own**2 == pytest.approx(moment)
    # The one direction that fifteen regions share is among the leading ones.
    together = shared[0, 0] @ shared[0, 0].T
    assert together[:15, :15][~np.eye(15, dtype=bool)].mean() == pytest.approx(1.0, abs=0.3)


class TestTwoKinds:
    def people(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every third has uptake 1.6 (sd 0.1), the others 1.0 (sd 0.05), and 6 MMSE points less."""
        rng = np.random.default_rng(3)
        upper = np.arange(n) % 3 == 0
        known = 0.1 * rng.normal(size=(n, len(REGIONS), len(NAMES)))
        known[:, :, MMSE] = np.where(upper, 22, 28)[:, None] + 2 * rng.normal(size=(n, 1))
        own = np.where(upper, 1.6, 1.0) + np.where(upper, 0.1, 0.05) * rng.normal(size=n)
        uptake = own[:, None, None] + 0.01 * rng.normal(size=(n, 1, len(REGIONS)))
        return known, uptake, upper

    def test_they_are_found_and_told_by_what_is_known(self) -> None:
        known, uptake, upper = self.people(150)
        fold = folds([f"p{k}" for k in range(150)], 0)
        whole, parts = fit_folds(known, uptake, fold)
        assert whole.share[0] == pytest.approx([2 / 3, 1 / 3], abs=0.02)
        assert whole.level[0, :, 5] == pytest.approx([1.0, 1.6], abs=0.03)
        chance = of_strangers(parts, known, fold, RegionalModel.chances)[:, 0, 1]
        # Three sd lie between: by Bayes some 6 % are taken for the other kind.
        assert ((chance > 0.5) == upper).mean() > 0.85
        known[:, :, MMSE] = np.nan
        blind = of_strangers(parts, known, fold, RegionalModel.chances)[:, 0, 1]
        assert blind.mean() == pytest.approx(1 / 3, abs=0.03)
        # Not better than calling everybody what most are.
        assert ((blind > 0.5) == upper).mean() < 0.72

    def test_draws_of_people_held_out_are_one_or_the_other(self) -> None:
        known, uptake, _ = self.people(150)
        fold = folds([f"p{k}" for k in range(150)], 0)
        _, parts = fit_folds(known, uptake, fold)
        known[:, :, MMSE] = np.nan
        rng, model = np.random.default_rng(0), parts[int(fold[0])]
        middle = model.expected[0, 5] + model.deviation(known[0])[0, 5]
        drawn = np.array([middle + model.draw(known[0], 0, rng)[5] for _ in range(500)])
        between = (drawn > 1.2) & (drawn < 1.35)
        assert between.mean() < 0.05
        assert np.median(drawn[drawn < 1.2]) == pytest.approx(1.0, abs=0.03)
        assert np.median(drawn[drawn > 1.35]) == pytest.approx(1.6, abs=0.05)
