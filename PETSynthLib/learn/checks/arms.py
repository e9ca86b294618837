"""What a diagnosis or a test score is predicted from: one arm a kind of evidence.

A clinic-only arm always stands beside the others: a synthetic PET that saw a test score has seen
the diagnosis's cause, and must be compared with somebody who saw the score as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS
from ..evaluate.regression import raw_fields
from ..evaluate.zmap import single_regions
from ..store import Subject

Array = NDArray[np.float64]

CLINIC, MRI, ACQUIRED, SYNTHETIC = "clinic", "mri", "acquired", "synthetic"
SCORES = ("mmse", "adas13")
"""Fields that measure cognition: what a prediction of a score must not be told."""
SEES_CLINIC = ("clinic", "both")
"""Information sets in which a synthetic PET has seen the scores."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of N people, for every arm the same people in the same order.

    Attributes
    ----------
    subjects
        The people; their anatomies are the unit of splitting and of statistics.
    volumes
        What the MRI shows (N, F): `regression.volume_features`.
    acquired
        Regional SUVR (N, T, R) of the acquired PETs, NaN where there is none.
    """

    subjects: tuple[Subject, ...]
    volumes: Array
    acquired: Array

    @property
    def anatomies(self) -> list[str]:
        """Whose brain it is (N,)."""
        return [s.anatomy for s in self.subjects]

    def take(self, people: NDArray[np.intp]) -> Evidence:
        """The evidence on some of the people."""
        chosen = tuple(self.subjects[int(i)] for i in people)
        return Evidence(chosen, self.volumes[people], self.acquired[people])

    def of_tracers(self, tracers: NDArray[np.intp]) -> Evidence:
        """The evidence with the acquired PETs of some of the tracers only."""
        return Evidence(self.subjects, self.volumes, self.acquired[:, tracers])


@dataclass(frozen=True, eq=False)
class Arm:
    """One kind of evidence as numbers.

    Attributes
    ----------
    key
        Name for rows.
    name
        Words for tables.
    information
        Information set of a synthetic PET, else empty.
    fit
        Matrices (N, F), same people each; a classifier is fitted on the rows of all of them.
    test
        Matrix (N, F) that the fitted classifier is asked about.
    saw_cognition
        Whether a test score went into the numbers.
    """

    key: str
    name: str
    information: str
    fit: tuple[Array, ...]
    test: Array
    saw_cognition: bool


def clinical_features(subjects: tuple[Subject, ...], hidden: Sequence[str]) -> Array:
    """Matrix (N, 6 or fewer) of the clinical fields, NaN where missing, without the ``hidden``."""
    kept = [i for i, name in enumerate(FIELDS) if name not in hidden]
    return raw_fields(subjects, "clinic")[:, kept]


def pet_features(values: Array) -> Array:
    """Matrix (N, T x single regions) of regional SUVR (N, T, R); composites repeat their parts."""
    chosen = values[:, :, single_regions()]
    return np.asarray(chosen.reshape(len(chosen), -1), dtype=np.float64)


def common_arms(evidence: Evidence, hidden: Sequence[str] = ()) -> list[Arm]:
    """The arms without any synthetic PET.

    Parameters
    ----------
    evidence
        What is known.
    hidden
        Clinical fields that no arm may use (those that are to be predicted).
    """
    clinic = clinical_features(evidence.subjects, hidden)
    saw = bool(set(SCORES) - set(hidden))
    mri = evidence.volumes
    acquired = pet_features(evidence.acquired)
    both = np.hstack([mri, clinic])
    return [
        Arm(CLINIC, "clinic only", "", (clinic,), clinic, saw),
        Arm(MRI, "MRI (regional volumes)", "", (mri,), mri, False),
        Arm("mri_clinic", "MRI + clinic", "", (both,), both, saw),
        Arm(ACQUIRED, "acquired PET", "", (acquired,), acquired, False),
    ]


def synthetic_arms(evidence: Evidence, information: str, values: Array) -> list[Arm]:
    """The arms of one model at one information set.

    Parameters
    ----------
    evidence
        What is known, with acquired PETs of the model's tracers.
    information
        What the model was given.
    values
        Its regional SUVR (N, T, R).
    """
    acquired, synthetic = pet_features(evidence.acquired), pet_features(values)
    saw = information in SEES_CLINIC
    name = f"synthetic PET from {'MRI + clinic' if saw else 'MRI'}"
    both = np.hstack([evidence.volumes, synthetic])
    return [
        Arm(SYNTHETIC, name, information, (synthetic,), synthetic, saw),
        Arm("mri_synthetic", f"MRI + {name}", information, (both,), both, saw),
        Arm(
            "acquired_synthetic_on_acquired",
            f"fitted on acquired and {name}, tested on acquired",
            information,
            (acquired, synthetic),
            acquired,
            saw,
        ),
        Arm(
            "synthetic_on_acquired",
            f"fitted on {name}, tested on acquired",
            information,
            (synthetic,),
            acquired,
            saw,
        ),
    ]
