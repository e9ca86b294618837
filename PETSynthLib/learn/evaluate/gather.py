"""Runs every estimator on every judged subject; regional values stay, images are seen once."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...errors import ErrorCode, PETSynthError
from ..store import Store, Subject
from .controls import Densities, People, measure_densities, some_of, with_enough
from .gathered import Gathered, Look, Plan, Tell
from .kept import Kept, facts_of
from .predictor import Predictor
from .results import Results, regional_table
from .walk import Walk

__all__ = ["Gathered", "Plan", "Tell", "gather"]


def gather(
    store: Store,
    subjects: tuple[Subject, ...],
    predictors: Sequence[Predictor],
    tracers: tuple[str, ...],
    plan: Plan,
    look: Look,
    tell: Tell,
    training: Store | None = None,
) -> Gathered:
    """Run models, controls and oracle.

    Parameters
    ----------
    store
        The judged data.
    subjects
        The judged people, N.
    predictors
        The models.
    tracers
        What is judged.
    plan
        How.
    look
        Called for every image of a model.
    tell
        Progress.
    training
        Store whose training split fits the controls; None: ``store``.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when a tracer has too few training people for the controls, or they lie on
        another grid: before anything is run. ``BAD_OUTPUT`` when a finished part cannot be kept.
    """
    started = time.perf_counter()
    training = training or store
    train = training.split("train")
    if not training.grid.same_as(store.grid):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The stores {store.folder.name} and {training.folder.name} have different grids.",
            "Prepare both on one grid.",
        )
    taught_by = {tracer: with_enough(train, tracer) for tracer in tracers}
    tell("Grey matter of the T1s, for the controls", 0, 1)
    judged = People(store, subjects, measure_densities(store, subjects))
    results = Results(
        store=store,
        subjects=subjects,
        truth={t: regional_table(store, subjects, t) for t in tracers},
        acquired={t: regional_table(store, subjects, t, acquired=True) for t in tracers},
        regional={},
        models=tuple(dict.fromkeys(p.label for p in predictors)),
        seeds={p.label: p.seed + 1 for p in predictors},
        training=training,
    )
    gathered = Gathered(results, norms={})
    kept = None if plan.keep is None else Kept(plan.keep, facts_of(store, subjects, training, plan))
    densities: Densities | None = None
    for tracer, people in taught_by.items():
        # Of each tracer's own people: those of a rare one may be missing among a spread of all.
        densities = measure_densities(training, some_of(people), densities)
        taught = People(training, people, densities)
        Walk(judged, taught, tracer, plan, gathered, look, tell, kept).run(predictors)
    gathered.total_seconds += time.perf_counter() - started
    return gathered
