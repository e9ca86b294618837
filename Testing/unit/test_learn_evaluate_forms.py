"""Forms in which a model is judged: the labels they are kept under."""

from __future__ import annotations

from typing import Any

import numpy as np

from PETSynthLib.learn.evaluate.forms import (
    MEAN,
    SINGLE,
    label_of,
    sample_estimators,
    samples_of,
    words_of,
)
from PETSynthLib.learn.evaluate.results import ORACLE, Regional, Results
from PETSynthLib.learn.regions import region_keys

R = len(region_keys())


def estimator(label: str, *samples: float) -> Regional:
    """One person; every sample has its one value in all regions, the picture shows 9."""
    picture = np.full((1, R), 9.0)
    draws = np.stack([np.full((1, R), v, np.float32) for v in samples], 1) if samples else None
    return Regional(label, 0, "fdg", "both", picture, picture, draws=draws)


def results(*regional: Regional) -> Results:
    nobody: Any = None
    table = {(r.model, 0, "fdg", "both"): r for r in regional}
    return Results(nobody, (), {}, {}, table, ("flow",), {"flow": 1})


def test_the_first_sample_and_the_mean_of_all_are_estimators_of_their_own() -> None:
    found = sample_estimators(estimator("flow", 1.0, 2.0, 6.0))
    assert {r.model: float(r.median[0, 0]) for r in found} == {
        "flow (one sample)": 1.0,
        "flow (mean of 3 samples)": 3.0,
    }
    assert sample_estimators(estimator("unet")) == []


def test_labels_follow_the_number_of_samples() -> None:
    cohort = results(estimator("flow", 1.0, 2.0), estimator("unet"))
    assert label_of(cohort, "flow", "fdg", MEAN) == "flow (mean of 2 samples)"
    assert label_of(cohort, "flow", "fdg", SINGLE) == "flow (one sample)"
    assert (
        label_of(cohort, "unet", "fdg", MEAN) == label_of(cohort, "unet", "fdg", SINGLE) == "unet"
    )
    assert samples_of(cohort, "flow", "pib") == 0


def test_the_oracle_s_draws_are_its_posterior_and_no_pictures() -> None:
    cohort = results(estimator(ORACLE, 1.0, 2.0))
    assert label_of(cohort, ORACLE, "fdg", SINGLE) == ORACLE


def test_a_form_is_called_what_it_is() -> None:
    assert [words_of(16, MEAN), words_of(16, SINGLE), words_of(0, MEAN)] == [
        "mean of 16 samples",
        "single sample",
        "its one picture",
    ]
