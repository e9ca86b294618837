"""The oracle is calibrated: its prior is the law of the subjects, its intervals cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort import posterior
from PETSynthLib.learn.cohort.evidence import Scores, draw_focal, draw_scores, draw_shown
from PETSynthLib.learn.cohort.parameters import CONFIGURATIONS, Configuration
from PETSynthLib.learn.cohort.people import Facts, People, draw_facts, draw_people, take
from PETSynthLib.learn.cohort.posterior import beliefs, regional, sampled
from PETSynthLib.learn.cohort.transfer import Law
from PETSynthLib.learn.cohort.uptake import CLASSES
from PETSynthLib.learn.oracle import INFORMATION, Belief

DEFAULT = CONFIGURATIONS["default"]
TRACERS = ("fdg", "pib", "flortaucipir")
PRECUNEUS, INFERIOR_TEMPORAL, CEREBELLUM = 24, 8, 84


def toy_law() -> Law:
    """Two regions, each seeing its own class and some white matter; the reference is fixed."""
    regions = np.zeros((2, CLASSES), np.float32)
    regions[0, [PRECUNEUS, 86]] = 0.7, 0.3
    regions[1, [INFERIOR_TEMPORAL, 86]] = 0.6, 0.4
    reference = np.zeros((5, CLASSES), np.float32)
    reference[:, CEREBELLUM] = 1.0
    return Law(regions, reference)


def simulated(
    index: int, configuration: Configuration = DEFAULT
) -> tuple[np.ndarray, dict[str, Belief]]:
    rng = np.random.default_rng([77, index])
    facts = draw_facts("clinic", rng)
    people = draw_people(facts, 1, rng)
    focal = draw_focal(rng)
    shown = draw_shown(people, focal, configuration, rng)
    scores = Scores(*draw_scores(people, configuration, rng))
    known = replace(facts, education=float(people.education[0]), apoe4=float(people.apoe4[0]))
    losses = np.array([focal.label]), np.array([focal.depth])
    truth = regional(people, losses, toy_law(), TRACERS, configuration)[0]
    found = beliefs(known, shown, scores, toy_law(), TRACERS, configuration, (78, index))
    return truth, found


@pytest.fixture(scope="module")
def cohort() -> list[tuple[np.ndarray, dict[str, Belief]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "PROPOSALS", 3000)
        patch.setattr(posterior, "RESAMPLED", 600)
        patch.setattr(posterior, "ENOUGH", 150.0)
        return [simulated(k) for k in range(50)]


class TestCalibration:
    @pytest.mark.parametrize("information", INFORMATION)
    def test_nine_of_ten_true_values_lie_inside_and_z_has_sd_one(
        self, cohort: list[tuple[np.ndarray, dict[str, Belief]]], information: str
    ) -> None:
        truth = np.array([t for t, _ in cohort])
        known = [b[information] for _, b in cohort]
        low, high = np.array([b.q05 for b in known]), np.array([b.q95 for b in known])
        mean, sd = np.array([b.mean for b in known]), np.array([b.sd for b in known])
        # 50 people, regions and tracers partly dependent: a wrong sd of 25 % would show.
        assert 0.84 <= ((low <= truth) & (truth <= high)).mean() <= 0.96
        assert 0.82 <= np.sqrt((((truth - mean) / sd) ** 2).mean()) <= 1.18

    def test_more_information_never_explains_less_on_average(
        self, cohort: list[tuple[np.ndarray, dict[str, Belief]]]
    ) -> None:
        variance = {
            name: np.mean([b[name].sd[0, 0] ** 2 for _, b in cohort]) for name in INFORMATION
        }
        assert variance["both"] < min(variance["mri"], variance["clinic"])
        assert max(variance["mri"], variance["clinic"]) < 0.9 * variance["base"]

    def test_enough_proposals_stand_behind_it(
        self, cohort: list[tuple[np.ndarray, dict[str, Belief]]]
    ) -> None:
        ess = [b["both"].ess for _, b in cohort]
        assert np.median(ess) > 150
        assert all(b["base"].ess == pytest.approx(3000) for _, b in cohort)


class TestWeights:
    def test_the_posterior_of_one_score_agrees_with_rejection(self) -> None:
        # Keep those of the prior whose drawn score is the one observed: the definition.
        rng = np.random.default_rng(5)
        facts = Facts(72.0, 1.0, "clinic", "ge", 16.0, 1.0)
        prior = draw_people(facts, 6000, rng)
        scores = np.array(
            [draw_scores(take(prior, np.array([k])), DEFAULT, rng)[0] for k in range(6000)]
        )
        kept = take(prior, np.flatnonzero(scores == 24.0))
        weighed, ess = sampled(facts, None, Scores(24.0, None), DEFAULT, 4000, rng)
        assert ess > 500
        error = kept.tau.std() / np.sqrt(len(kept))
        assert weighed.tau.mean() == pytest.approx(kept.tau.mean(), abs=4 * error)
        assert weighed.tau.mean() > prior.tau.mean() + 4 * error

    def test_what_nothing_speaks_of_stays_as_it_was(self) -> None:
        rng = np.random.default_rng(6)
        people, _ = sampled(
            Facts(72.0, 1.0, "clinic", "ge"), None, Scores(20.0, 40.0), DEFAULT, 4000, rng
        )
        assert people.factors.std() == pytest.approx(1.0, abs=0.02)
        assert people.mixed_binder.mean() == pytest.approx(0.45, abs=0.04)


def test_more_proposals_change_no_chance_that_comes_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posterior, "PROPOSALS", 700)
    facts = Facts(70.0, 0.0, "clinic", "ge", 12.0, 1)
    drawn, proposals = [], []

    def counted(facts: Facts, n: int, rng: np.random.Generator) -> People:
        proposals.append(n)
        return draw_people(facts, n, rng)

    monkeypatch.setattr(posterior, "draw_people", counted)
    for mmse in (28.0, 5.0):
        before = len(proposals)
        rngs = (np.random.default_rng(3), np.random.default_rng(4))
        drawn.append(sampled(facts, None, Scores(mmse, None), DEFAULT, 50, *rngs)[0])
        proposals[before:] = [len(proposals) - before]
    assert proposals[1] > proposals[0]
    assert np.array_equal(drawn[0].factors, drawn[1].factors)


def test_null_knows_nothing_more_than_age_and_sex() -> None:
    truth, found = simulated(3, CONFIGURATIONS["null"])
    for name in INFORMATION:
        assert found[name].mean == pytest.approx(found["base"].mean, abs=0.01)
        assert found[name].sd == pytest.approx(found["base"].sd, rel=0.08)
    assert np.abs((truth - found["base"].mean) / found["base"].sd).max() < 4
