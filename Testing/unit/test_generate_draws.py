"""Mean and standard deviation of a method that only draws."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.generate import Effort, GeneratorInput, load_generator
from PETSynthLib.generate.draws import answer_of, seeds_of, spread_of
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import Grid, on_grid

GRID = Grid((24, 24, 24), np.diag([3.0, 3.0, 3.0, 1.0]), "test")


def test_a_seed_means_the_same_draw_in_any_company() -> None:
    assert seeds_of(Effort(samples=3, seed=5), 2) == (5, 6, 7)
    assert seeds_of(Effort(samples=0, seed=5), 4) == (5, 6, 7, 8)
    assert len(seeds_of(Effort(), 0)) == 2, "one draw has no spread"


@pytest.mark.parametrize("number", [2, 4])
def test_few_draws_have_the_spread_of_what_they_are_drawn_from(number: int) -> None:
    brain = np.zeros(GRID.shape, bool)
    brain[4:20, 4:20, 4:20] = True
    draws = np.random.default_rng(0).normal(1.0, 0.2, (number, *GRID.shape)).astype(np.float32)
    sd = spread_of(draws, brain, GRID)
    assert not sd[~brain].any()
    assert float(sd[brain].mean()) == pytest.approx(0.2, rel=0.05)
    # The plain root of two squares is on average 0.8 of it, and of any size.
    assert float(sd[brain].std()) < 0.5 * float(draws.std(0, ddof=1)[brain].std())
    # No darker rim: what lies outside the brain is not averaged in.
    rim = brain.copy()
    rim[5:19, 5:19, 5:19] = False
    assert float(sd[rim].mean()) == pytest.approx(0.2, rel=0.08)


def test_the_answer_holds_the_samples_that_were_asked_for_and_the_mean_of_all() -> None:
    volume = on_grid(np.ones(GRID.shape), GRID)
    inputs = GeneratorInput(volume, volume, None, tracer("pib"), ClinicalRecord())
    draws = np.stack([np.full(GRID.shape, v, np.float32) for v in (1.0, 2.0, 6.0)])
    bundle = load_generator("atlas", "cpu").bundle
    made = answer_of(draws, inputs, Effort(samples=1, seed=7), bundle, {"steps": 4})
    assert np.allclose(made.mean.data, 3.0)
    assert np.allclose(made.sd.data, 7.0**0.5, atol=1e-5)  # (4 + 1 + 9) / 2
    assert [s.quantity for s in made.samples] == ["sample"]
    assert made.samples[0].data.max() == 1.0
    assert made.details == {"steps": 4, "draws": 3, "seeds": [7, 8, 9]}
    assert (made.mean.tracer, made.mean.reference_region) == ("pib", "cerebellum_grey")
