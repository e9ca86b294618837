"""What the oracle would say if a clinical value were another: the conditional effect."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ErrorCode, PETSynthError
from ..oracle import read_oracle
from .evidence import RECORDED, Scores, Shown
from .parameters import CONFIGURATIONS
from .people import Facts
from .posterior import believe
from .transfer import Law

FIELDS = ("age", "education", "mmse", "adas13", "apoe4")
"""Clinical values whose effect the oracle knows."""
SEED = 271828


def oracle_effect(
    folder: Path, changes: dict[str, float], information: str = "both"
) -> NDArray[np.float32]:
    """Change of the posterior mean SUVR when clinical values are set, all else as it was.

    Parameters
    ----------
    folder
        ``derivatives/simulation/sub-XXXX`` of a simulated subject.
    changes
        New values of ``age``, ``education``, ``mmse``, ``adas13`` or ``apoe4``.
    information
        Key of `oracle.INFORMATION`.

    Returns
    -------
    Array (T, R): E[R | changed] - E[R | as it was]; both from the same random numbers.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for a field that the oracle does not know, ``BAD_DATA`` for a damaged
        subject.
    """
    if unknown := sorted(set(changes) - set(FIELDS)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The oracle knows no effect of {', '.join(unknown)}.",
            f"Choose among {', '.join(FIELDS)}.",
        )
    body = _latents(folder)
    oracle = read_oracle(folder / f"{folder.name}_oracle.npz")
    facts, shown, scores = evidence_of(body)
    other_facts = replace(
        facts,
        age=changes.get("age", facts.age),
        education=changes.get("education", facts.education),
        apoe4=changes.get("apoe4", facts.apoe4),
    )
    other_scores = Scores(changes.get("mmse", scores.mmse), changes.get("adas13", scores.adas13))
    means = [
        believe(
            information,
            facts_,
            shown,
            scores_,
            Law(oracle.transfer, oracle.reference),
            oracle.tracers,
            CONFIGURATIONS[body["config"]],
            # The same also where one of the two needs more proposals than the other.
            np.random.default_rng([SEED, body["index"]]),
            np.random.default_rng([SEED, body["index"], 1]),
        ).mean
        for facts_, scores_ in ((facts, scores), (other_facts, other_scores))
    ]
    return np.asarray(means[1] - means[0])


def evidence_of(body: dict[str, Any]) -> tuple[Facts, Shown, Scores]:
    """What was known of a subject, from its ``latents.json``."""
    row, recorded = body["participant"], body["recorded"]
    facts = Facts(
        age=row["age"],
        sex=float(row["sex"] == "M"),
        site=body["site"],
        scanner=row["manufacturer"].lower(),
        education=row["education"],
        apoe4=row["apoe4"],
    )
    numbers = tuple(float(recorded[name]) for name in RECORDED)
    shown = Shown(numbers, recorded["focal_label"], recorded["focal_extent"])
    return facts, shown, Scores(row["mmse"], row["adas13"])


def _latents(folder: Path) -> dict[str, Any]:
    try:
        file = folder / f"{folder.name}_latents.json"
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The hidden state of {folder.name} cannot be read.",
            "Give derivatives/simulation/sub-XXXX of a simulated data set.",
        ) from problem
    return body
