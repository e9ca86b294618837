"""The audit: gather once, ask every suspicion, keep the worst light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...checks import Finding, Verdict, worst
from ...errors import ErrorCode, PETSynthError
from ..checks.downstream import downstream
from ..evaluate.gather import Plan, Tell, gather
from ..evaluate.predictor import Predictor
from ..store import Store
from ..tidy import Section
from .judged import circularity, coverage, diagnosis_circularity, flags
from .leakage import leakage

FAULT = 1
"""Exit status when a light is red."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found.

    Attributes
    ----------
    model, sha256
        Name and digest of the model's bundle.
    store
        Name of the store's folder.
    simulated
        Whether its subjects are simulated.
    split
        Which of its splits was judged.
    people, anatomies
        How many that were.
    findings
        Every check with its light, in the order of the suspicions.
    sections
        Tables behind them.
    """

    model: str
    sha256: str
    store: str
    simulated: bool
    split: str
    people: int
    anatomies: int
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]

    @cached_property
    def verdict(self) -> Verdict:
        """The worst light."""
        return worst(list(self.findings))

    @property
    def exit_status(self) -> int:
        """0, or `FAULT` when a light is red."""
        return FAULT if self.verdict is Verdict.RED else 0


def audit(
    store: Store,
    predictor: Predictor,
    *,
    split: str,
    tracers: Sequence[str] | None,
    tell: Tell,
    seed: int = 0,
) -> Audit:
    """Judge a model on one split of a store.

    Parameters
    ----------
    store
        Pairs of MRI and PET, with a training split for the norm and the clinic's regression.
    predictor
        The model.
    split
        Whom to judge.
    tracers
        Which tracers; None: all that store and model share.
    tell
        Progress.
    seed
        Of folds, resampling and shuffled controls.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the split is empty or no control can be fitted, ``UNSUPPORTED_TRACER``
        when store and model share none of the tracers.
    """
    subjects = store.split(split)
    chosen = shared_tracers(store, predictor, tracers)
    gathered = gather(
        store, subjects, [predictor], chosen, Plan(samples=0, seed=seed), lambda _: [], tell
    )
    rows, predicted = downstream(gathered.results, seed=seed)
    findings = [*leakage(store, subjects, predictor.bundle)]
    findings += [circularity(gathered, predictor.label, tracer) for tracer in chosen]
    findings += diagnosis_circularity(rows)
    findings += [coverage(gathered, predictor.label, tracer) for tracer in chosen]
    for tracer in chosen:
        findings += flags(gathered, predictor.label, tracer)
    return Audit(
        model=f"{predictor.bundle.name} {predictor.bundle.version}",
        sha256=predictor.bundle.sha256,
        store=store.folder.resolve().name,
        simulated=store.simulated,
        split=split,
        people=len(subjects),
        anatomies=len({s.anatomy for s in subjects}),
        findings=tuple(findings),
        sections=(predicted,),
    )


def shared_tracers(
    store: Store, predictor: Predictor, wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """Tracers to be judged: those that both have, and that are wanted.

    Raises
    ------
    PETSynthError
        ``UNSUPPORTED_TRACER`` when there is none, or a wanted one is missing.
    """
    both = tuple(t for t in store.tracers if t in predictor.tracers)
    missing = [t for t in wanted or () if t not in both]
    if missing or not both:
        named = missing[0] if missing else "of this store"
        raise PETSynthError(
            ErrorCode.UNSUPPORTED_TRACER,
            f"Store and model share no tracer {named}.",
            f"The store has {', '.join(store.tracers)}; the model makes "
            f"{', '.join(predictor.tracers)}.",
        )
    return tuple(t for t in both if wanted is None or t in wanted)
