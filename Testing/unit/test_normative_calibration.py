"""The numbers that say whether a z means what it says."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.checks import Verdict
from PETSynthLib.normative.calibration import (
    Calibration,
    calibration_finding,
    calibration_of,
)


def test_mean_sd_and_tail_are_counted_over_people_and_places() -> None:
    found = calibration_of(np.array([[-1.0, 1.0], [2.0, np.nan]]))
    # Three numbers: mean 2/3, variance (25 + 1 + 16) / 27.
    assert found.people == 2
    assert found.mean == pytest.approx(0.6667)
    assert found.sd == pytest.approx(np.sqrt(42 / 27), abs=1e-4)
    assert found.percent_above == pytest.approx(33.33)


@pytest.mark.parametrize(
    ("mean", "sd", "good"),
    [(0.0, 1.0, True), (0.1, 0.9, True), (0.11, 1.0, False), (0.0, 1.11, False), (0, 0.89, False)],
)
def test_the_limits_of_mean_and_sd(mean: float, sd: float, good: bool) -> None:
    found = Calibration(40, mean, sd, 5.0)
    assert found.good is good
    verdict = calibration_finding("regions", "regions", found).verdict
    assert verdict is (Verdict.GREEN if good else Verdict.AMBER)


def test_the_sentence_and_the_json_hold_all_numbers() -> None:
    found = Calibration(40, -0.012, 1.04, 5.5)
    assert found.sentence("Regions") == (
        "Regions: z of 40 normals has mean -0.01 and SD 1.04; 5.5 % lie above 1.64 (5 % expected)."
    )
    assert Calibration.from_dict(found.as_dict()) == found
