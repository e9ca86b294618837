"""People and results made by hand for the tests of the checks and of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.evaluate.results import Regional, Results
from PETSynthLib.learn.regions import region_keys
from PETSynthLib.learn.store import Store, Subject

R = len(region_keys())
MODEL = "painter"


def person(row: int, **changes: object) -> Subject:
    """Somebody of 70 years whose brain is his own; ``changes`` replace fields."""
    plain = Subject(
        row=row,
        subject=f"sub-{row:04d}",
        anatomy=f"brain-{row:04d}",
        site="north",
        scanner="ge",
        split="test",
        diagnosis="CN",
        group="",
        clinical=ClinicalRecord(age=70, sex="F", education=12, mmse=28, adas13=10, apoe4=0),
        brain_ml=1200.0,
        flair=False,
        tracers=("fdg",),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Volumes:
    """A simulated store that knows regional volumes and nothing else (unless ``folder`` does)."""

    volumes: NDArray[np.float32]
    simulated: bool = True
    folder: Path = Path("nowhere")


def results_of(
    subjects: Sequence[Subject],
    truth: NDArray[np.float64],
    made: dict[str, NDArray[np.float64]],
    *,
    tracer: str = "fdg",
    volumes: NDArray[np.float32] | None = None,
    more: Sequence[Regional] = (),
    folder: Path = Path("nowhere"),
) -> Results:
    """Results of one model.

    Parameters
    ----------
    subjects
        N people; row i of the arrays is the person whose ``row`` is i.
    truth
        (N, R) SUVR, also the acquired values.
    made
        Information set -> (N, R) of the model `MODEL`.
    more
        Other estimators.
    folder
        Of the store, where the simulator's records lie.
    """
    values = [Regional(MODEL, 0, tracer, info, v, v) for info, v in made.items()]
    flat = np.ones((len(subjects), R), np.float32) if volumes is None else volumes
    return Results(
        store=cast(Store, Volumes(flat, folder=folder)),
        subjects=tuple(subjects),
        truth={tracer: truth},
        acquired={tracer: truth},
        regional={(v.model, v.seed, v.tracer, v.information): v for v in (*values, *more)},
        models=(MODEL,),
        seeds={MODEL: 1},
    )
