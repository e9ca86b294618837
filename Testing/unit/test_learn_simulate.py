"""The simulated cohort: exact conditional draws, known truth, same seed same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.learn.simulate.anatomy import Template, make_brain
from PETSynthLib.learn.simulate.fields import blur, smooth_field
from PETSynthLib.learn.simulate.mri import normalise
from PETSynthLib.learn.simulate.people import (
    RECORDED,
    RECORDED_SD,
    draw_people,
    draw_recorded,
    people_with,
)
from PETSynthLib.learn.simulate.store import (
    create,
    fill,
    open_cohort,
    simulate_one,
    training_grid,
)
from PETSynthLib.learn.simulate.uptake import (
    BASES,
    BASES_OF,
    TRACERS,
    basis_maps,
    coefficients,
)
from PETSynthLib.tracers import simulated_tracers
from PETSynthLib.volume import CANONICAL

pytestmark = pytest.mark.torch


class TestPeople:
    def test_what_the_mri_shows_is_the_hidden_state_plus_the_stated_noise(self) -> None:
        people = draw_people(20000, np.random.default_rng(0))
        noise = draw_recorded(people, np.random.default_rng(1)) - people.recorded_mean()
        assert noise.mean(0) == pytest.approx(np.zeros(5), abs=0.01)
        assert noise.std(0) == pytest.approx(RECORDED_SD, rel=0.03)

    def test_the_posterior_given_the_mri_covers_the_truth(self) -> None:
        # Calibration of exact draws: the truth's rank among them is uniform.
        rng = np.random.default_rng(3)
        prior = draw_people(30000, rng)
        truth = draw_people(120, rng)
        recorded = draw_recorded(truth, rng)
        ranks = []
        for i in range(120):
            drawn, effective = people_with(recorded[i], prior, 200, rng)
            assert effective > 10
            own = truth.neurodegeneration[i]
            # Many people have exactly none: ties are split at random.
            tied = rng.random() * (drawn.neurodegeneration == own).mean()
            ranks.append((drawn.neurodegeneration < own).mean() + tied)
        inside = np.mean([0.05 <= r <= 0.95 for r in ranks])
        assert 0.82 <= inside <= 0.97

    def test_more_atrophy_means_worse_cognition_on_average(self) -> None:
        rng = np.random.default_rng(0)
        prior = draw_people(30000, rng)
        column = RECORDED.index("atrophy_left")
        well, ill = np.zeros(len(RECORDED)), np.zeros(len(RECORDED))
        ill[[column, RECORDED.index("atrophy_right")]] = 0.7
        first, _ = people_with(well, prior, 500, rng)
        second, _ = people_with(ill, prior, 500, rng)
        assert second.mmse.mean() < first.mmse.mean() - 3
        assert second.adas13.mean() > first.adas13.mean() + 8


class TestUptake:
    def test_each_tracer_begins_with_its_base_and_the_rest_follow_the_disease(self) -> None:
        people = draw_people(50, np.random.default_rng(0))
        c = coefficients(people)
        assert c.shape == (50, len(BASES))
        for tracer in TRACERS:
            assert (c[:, BASES_OF[tracer][0]] == 1).all()
        assert c[:, BASES_OF["pib"][1]] == pytest.approx(people.amyloid, abs=1e-6)
        left, right = c[:, BASES_OF["fdg"][1]], c[:, BASES_OF["fdg"][2]]
        assert left + right == pytest.approx(2 * people.neurodegeneration, abs=1e-5)

    def test_the_reference_region_is_one(self) -> None:
        template = Template(training_grid())
        tissues = torch.stack([template.grey, template.white, template.csf])
        maps = basis_maps(
            tissues,
            template.territories.long(),
            template.deep > 0.5,
            torch.zeros(template.shape),
            template.reference,
            6.0,
            2.0,
        )
        for key in simulated_tracers():
            base = maps[BASES_OF[key][0]]
            assert float(base[template.reference[key]].mean()) == pytest.approx(1.0, abs=1e-5)
        # Neurodegeneration on the left lowers the left temporo-parietal cortex only.
        left_loss = maps[BASES_OF["fdg"][1]]
        half = left_loss.shape[0] // 2
        assert float(left_loss[:half].sum()) < 20 * float(left_loss[half:].sum()) < 0


class TestFields:
    def test_a_blur_keeps_the_sum_and_widens_by_its_sigma(self) -> None:
        point = torch.zeros(1, 21, 21, 21)
        point[0, 10, 10, 10] = 1.0
        seen = blur(point, (2.0, 2.0, 0.0))[0]
        assert float(seen.sum()) == pytest.approx(1.0, abs=1e-5)
        x = torch.arange(21) - 10.0
        assert float((seen.sum((1, 2)) * x**2).sum()) == pytest.approx(4.0, rel=0.05)
        assert float(seen[:, :, 9].abs().sum()) == 0.0

    def test_a_field_passes_through_its_nodes(self) -> None:
        rng = np.random.default_rng(5)
        nodes = np.random.default_rng(5).normal(size=(1, 1, 3, 3, 3)).astype(np.float32)
        field = smooth_field(rng, (3, 3, 3), (5, 5, 5))
        assert field[0, ::2, ::2, ::2].numpy() == pytest.approx(nodes[0, 0], abs=1e-6)

    def test_normalise_puts_the_97th_percentile_at_one(self) -> None:
        image = torch.rand(40, 40, 40)
        inside = normalise(image)
        assert float((inside > 1).float().mean()) == pytest.approx(0.03, abs=0.01)


class TestAnatomy:
    def test_tissue_fractions_are_fractions_and_atrophy_takes_grey_matter(self) -> None:
        template = Template(training_grid())
        well = make_brain(template, np.zeros(5), np.random.default_rng(7))
        ill = make_brain(template, np.array([0.9, 0.9, 0.0, 0.9, 0.3]), np.random.default_rng(7))
        assert float(well.tissues.min()) >= 0
        assert float(well.tissues.sum(0).max()) <= 1 + 1e-5
        assert float(ill.tissues[0].sum()) < 0.97 * float(well.tissues[0].sum())
        assert float(ill.tissues[2].sum()) > 1.05 * float(well.tissues[2].sum())

    def test_two_seeds_are_two_foldings(self) -> None:
        template = Template(training_grid())
        first, second = (
            make_brain(template, np.zeros(5), np.random.default_rng(s)).tissues[0] for s in (1, 2)
        )
        inside = template.grey > 0.5
        r = np.corrcoef(first[inside].numpy(), second[inside].numpy())[0, 1]
        assert r < 0.6


def test_same_seed_same_bytes_and_an_interrupted_cohort_goes_on(tmp_path: Path) -> None:
    create(tmp_path, 2)
    fill(tmp_path, 1, 2, seed=11)
    half = open_cohort(tmp_path)
    assert half.done.tolist() == [False, True]
    fill(tmp_path, 0, 1, seed=11)
    cohort = open_cohort(tmp_path)
    assert cohort.done.all()
    again = simulate_one(Template(training_grid()), 11, 1)
    assert cohort.t1[1].tobytes() == again["t1"].tobytes()
    assert cohort.basis[1].tobytes() == again["basis"].tobytes()
    assert cohort.size == 2


def test_the_training_grid_is_part_of_the_canonical_one_and_divides_by_eight() -> None:
    grid = training_grid()
    assert grid.shape[0] % 8 == grid.shape[1] % 8 == 0
    offset = (grid.affine[:3, 3] - CANONICAL.affine[:3, 3]) / 2
    assert np.array_equal(offset, offset.round())
