"""The evidence from which a diagnosis or a score is predicted."""

from __future__ import annotations

import numpy as np
from checks_case import R, person

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.checks.arms import (
    SCORES,
    Evidence,
    clinical_features,
    common_arms,
    pet_features,
    synthetic_arms,
)
from PETSynthLib.learn.regions import region_keys
from PETSynthLib.quantify import COMPOSITES

SINGLE = R - len(COMPOSITES)
PEOPLE = (
    person(0, clinical=ClinicalRecord(age=60, sex="M", mmse=29)),
    person(1, clinical=ClinicalRecord(age=80, adas13=30, apoe4=2)),
)
EVIDENCE = Evidence(PEOPLE, np.full((2, 5), 2.0), np.full((2, 2, R), 3.0))
MADE = np.full((2, 2, R), 4.0)


def test_clinical_facts_keep_their_order_and_missing_ones_are_nan() -> None:
    expected = [[60, 1, np.nan, 29, np.nan, np.nan], [80, np.nan, np.nan, np.nan, 30, 2]]
    assert np.array_equal(clinical_features(PEOPLE, ()), expected, equal_nan=True)


def test_scores_are_hidden_where_they_are_to_be_predicted() -> None:
    assert clinical_features(PEOPLE, SCORES).shape == (2, 4)
    clinic = common_arms(EVIDENCE, SCORES)[0]
    assert clinic.test[0, :2].tolist() == [60, 1]
    assert not clinic.saw_cognition


def test_composites_are_left_out_of_the_pet() -> None:
    values = np.zeros((1, 2, R))
    values[:, :, [key in COMPOSITES for key in region_keys()]] = 1.0
    assert pet_features(values).shape == (1, 2 * SINGLE)
    assert not pet_features(values).any()


def test_arms_hold_what_their_names_say() -> None:
    by_key = {
        arm.key: arm for arm in (*common_arms(EVIDENCE), *synthetic_arms(EVIDENCE, "both", MADE))
    }
    assert set(by_key) == {
        "clinic", "mri", "mri_clinic", "acquired", "synthetic", "mri_synthetic",
        "acquired_synthetic_on_acquired", "synthetic_on_acquired",
    }  # fmt: skip
    assert by_key["mri_clinic"].test.shape == (2, 5 + 6)
    assert by_key["mri_synthetic"].test[0].tolist() == [2.0] * 5 + [4.0] * 2 * SINGLE
    tested_elsewhere = by_key["synthetic_on_acquired"]
    assert (tested_elsewhere.fit[0] == 4.0).all()
    assert (tested_elsewhere.test == 3.0).all()
    both = by_key["acquired_synthetic_on_acquired"]
    assert [m[0, 0] for m in both.fit] == [3.0, 4.0]
    assert (both.test == 3.0).all()


def test_a_pet_drawn_with_the_clinic_has_seen_the_scores() -> None:
    saw = {arm.key: arm.saw_cognition for arm in synthetic_arms(EVIDENCE, "both", MADE)}
    assert all(saw.values())
    assert not any(arm.saw_cognition for arm in synthetic_arms(EVIDENCE, "mri", MADE))
