"""Healthy people who are not in the database: 200 of them must look normal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from normative_case import REFERENCES, SD, database, drawn_people

from PETSynthLib.errors import PETSynthError
from PETSynthLib.normative.calibration import Calibration
from PETSynthLib.normative.check import Fresh, check_fresh, own_sentences, usual_mean
from PETSynthLib.normative.measure import Measured
from PETSynthLib.quantify.region_means import region_keys


def fresh(n: int, lower: float = 0.0) -> list[tuple]:
    """People drawn like the database's, regions alone; all lower by ``lower``."""
    rng = np.random.default_rng(77)
    return [
        (
            person,
            Measured(
                1.5 - 0.004 * (person.age - 70) - lower + SD * rng.normal(size=len(region_keys())),
                {},
                REFERENCES,
                np.zeros(0, np.float32),
            ),
        )
        for person in drawn_people(n)
    ]


@pytest.mark.parametrize("n", [25, 40])
def test_200_fresh_normals_have_mean_0_sd_1_and_few_flags(n: int) -> None:
    found = check_fresh(database(n), fresh(200))
    assert found.calibration.good
    assert found.calibration.people == 200
    assert found.flags_as_usual, "a small database's threshold is itself uncertain"
    assert "by chance with so many normals and fresh people)." in found.sentences()[2]


def test_people_who_are_not_like_the_normals_are_noticed() -> None:
    found = check_fresh(database(), fresh(50, lower=SD))
    assert found.calibration.mean == pytest.approx(1.0, abs=0.1)
    assert not found.calibration.good
    assert "Fresh people: z of 50 normals" in found.sentences()[0]
    assert found.flagged_percent > found.usual_percent[1]
    assert "chance does not explain it" in found.sentences()[2]


def test_how_far_the_mean_lies_by_chance_is_known() -> None:
    # People whose regions rise and fall together, SD 0.8; 60 normals and 200 others:
    # 2.576 x 0.8 x sqrt(1 / 60 + 1 / 200) = 0.303.
    means = 0.8 * np.sqrt(199 / 200) * np.repeat([-1.0, 1.0], 100)
    assert usual_mean(means, 60) == pytest.approx(0.303, abs=5e-4)
    assert usual_mean(np.array([3.0]), 60) == 0.0


def test_what_chance_explains_is_told_and_excuses_nothing() -> None:
    found = Fresh(Calibration(200, 0.12, 1.0, 5.0), 5.0, (0.0, 16.0), 0.3)
    assert "within 0.30 of 0" in found.sentences()[1]
    assert not found.calibration.good


def test_too_few_normals_and_nobody_are_refused() -> None:
    with pytest.raises(PETSynthError, match="Only 19 normals"):
        check_fresh(database(19), fresh(3))
    with pytest.raises(PETSynthError, match="no people"):
        check_fresh(database(), [])


def test_a_region_that_no_pet_shows_is_left_out() -> None:
    made = database()
    own = made.roi["SUVR"]
    sd = own.sd.copy()
    sd[0] = 0.0
    found = check_fresh(replace(made, roi={"SUVR": replace(own, sd=sd)}), fresh(50))
    assert found.calibration.good


def test_the_stored_calibrations_are_told_with_their_verdict() -> None:
    told = own_sentences(database())
    assert len(told) == 5
    assert all(line.startswith("[green]") for line in told)
