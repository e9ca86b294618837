"""The whole evaluation: run everything, judge it, write what was found."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import ErrorCode, PETSynthError
from ...run.memory import peak_memory_mb
from ...tracers import tracer as tracer_of
from ..store import Store, Subject
from ..tidy import Row, Section
from . import beside, sections, setting
from .controls import INFORMATION_OF
from .deviations import Deviation, as_facts, deviations, protocol_section
from .gather import Gathered, Plan, Tell, gather
from .judge import Comparison, Score, all_scores, comparisons
from .kept import KEPT, forget
from .predictor import Predictor, suited
from .primary import primary_section
from .protocol import Entries, Protocol
from .report import Report, html, markdown, tally
from .results import ORACLE, Results, configuration
from .strangers import strangers_claims
from .summary import subject_rows, summary_rows
from .write import require_room, write_files

NULL = "null"
CHECKS = ("clusters", "downstream", "sensitivity", "fairness")


@dataclass(frozen=True)
class Evaluation:
    """What is judged, and how.

    Attributes
    ----------
    split
        Which subjects.
    tracers
        Which tracers; empty for all that the store and a model share.
    primary
        Tracers of the primary family; empty for FDG where it is judged, else all.
    samples
        Random samples a subject.
    seed
        Of samples, shuffles and resampling.
    subjects
        At most so many; 0 for all.
    cohort
        Folder of the simulated cohort, for the oracle's effects; None when it is not there.
    checks
        Which of `CHECKS` are made; the report names those left out.
    sensitivity_subjects
        Subjects in the sensitivity check (each is run many times).
    protocol
        What was fixed in advance; None when nothing was.
    entries
        How each model takes part in the protocol, by label.
    """

    split: str = "test"
    tracers: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()
    samples: int = 16
    seed: int = 0
    subjects: int = 0
    cohort: Path | None = None
    checks: tuple[str, ...] = CHECKS
    sensitivity_subjects: int = 8
    protocol: Protocol | None = None
    entries: Entries = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What came out."""

    folder: Path
    report: Report
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]


def evaluate(
    store: Store,
    predictors: Sequence[Predictor],
    out: Path,
    plan: Evaluation,
    tell: Tell,
    training: Store | None = None,
) -> Evaluated:
    """Judge models beside controls and oracle; write `write.FILES` into ``out``.

    Parameters
    ----------
    store
        The data.
    predictors
        The models (`predictor.load_predictors`).
    out
        Folder; made when missing, written only when everything is known. An earlier report in it
        is replaced as `write_files` says. Until then finished parts lie in it (`kept`), so
        that a run that was stopped goes on where it was.
    plan
        What and how.
    tell
        Progress.
    training
        Store whose training split fits the controls; None: ``store``. A site that is only tested
        on has no training people of its own.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` for an empty split, or no tracer in common; ``BAD_OUTPUT`` when ``out`` cannot
        be written; ``BAD_REQUEST`` for an unknown check.
    """
    from ..checks.clusters import cluster_rows

    if unknown := sorted(set(plan.checks) - set(CHECKS)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"There is no check {unknown[0]!r}.",
            f"Choose from {', '.join(CHECKS)}.",
        )
    require_room(out)
    subjects, left_out = suited(store, plan.split, predictors)
    subjects = subjects[: plan.subjects] if plan.subjects else subjects
    tracers = _tracers(store, subjects, predictors, plan.tracers)
    primary = _primary(plan, tracers)
    gathered = gather(
        store,
        subjects,
        predictors,
        tracers,
        Plan(plan.samples, plan.seed, primary, out / KEPT),
        cluster_rows,
        tell,
        training,
    )
    tell("Scores and tests", 0, 1)
    results = gathered.results
    scores = all_scores(results)
    found = comparisons(results, primary)
    null = configuration(store) == NULL
    rows = [*gathered.rows, *subject_rows(results), *summary_rows(gathered)]
    check_rows, check_sections = _checks(gathered, predictors, plan, tell)
    rows += [*gathered.cluster_rows, *check_rows]
    sites = beside.site_section(results)
    strayed = _strayed(results, predictors, plan)
    parts = (
        *_protocol(plan, strayed, results),
        primary_section(results, scores, found, primary, null=null),
        sections.target_section(results, scores),
        sections.ladder_section(results, scores),
        sections.uncertainty_section(gathered, scores),
        beside.region_section(results, primary),
        beside.asymmetry_section(results, scores),
        beside.image_section(gathered, scores),
        beside.flag_section(gathered, rows),
        *check_sections,
        *([sites] if sites else []),
        setting.data_section(
            results, plan.split, strangers_claims(store, subjects, predictors), left_out
        ),
        setting.conventions_section(results),
        setting.cost_section(
            gathered, peak_memory_mb() / 1000.0, _provenance(store, predictors, plan)
        ),
    )
    report = Report(
        title=_title(store, results),
        banner=_banner(store),
        lead=_lead(results, plan, tracers, strayed),
        sections=parts,
    )
    tell("Writing", 0, 1)
    summary = _summary(store, results, plan, primary, scores, found, report)
    summary["models"] = [_named(predictor) for predictor in predictors]
    summary["left_out"] = left_out
    if plan.protocol is not None:
        summary["protocol"] = as_facts(plan.protocol, strayed, results, plan.entries)
    summary = _finite(summary)
    texts = {
        "summary.json": json.dumps(summary, indent=1, default=str) + "\n",
        "table.md": markdown(report),
        "report.html": html(report),
    }
    write_files(out, rows, texts)
    forget(out / KEPT)
    return Evaluated(out, report, tuple(scores), tuple(found))


def _strayed(
    results: Results, predictors: Sequence[Predictor], plan: Evaluation
) -> list[Deviation]:
    if plan.protocol is None:
        return []
    return deviations(
        plan.protocol,
        results,
        predictors,
        split=plan.split,
        samples=plan.samples,
        entries=plan.entries,
    )


def _protocol(plan: Evaluation, strayed: list[Deviation], results: Results) -> tuple[Section, ...]:
    if plan.protocol is None:
        return ()
    return (protocol_section(plan.protocol, strayed, results.models, plan.entries),)


def _tracers(
    store: Store,
    subjects: tuple[Subject, ...],
    predictors: Sequence[Predictor],
    wanted: tuple[str, ...],
) -> tuple[str, ...]:
    there = {t for s in subjects for t in s.tracers} & {t for p in predictors for t in p.tracers}
    chosen = tuple(t for t in store.tracers if t in there and (not wanted or t in wanted))
    missing = sorted(set(wanted) - set(chosen))
    if missing or not chosen:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"{', '.join(missing) or 'No tracer'} cannot be judged: data and models share "
            f"{', '.join(sorted(there)) or 'no tracer'}.",
            "Choose tracers with --tracers that the data hold and a model can make.",
        )
    return chosen


def _primary(plan: Evaluation, tracers: tuple[str, ...]) -> tuple[str, ...]:
    """Tracers of the primary family that are judged: the protocol's, else as `Evaluation` says."""
    named = plan.protocol.primary if plan.protocol else plan.primary
    chosen = named or (("fdg",) if "fdg" in tracers else tracers)
    return tuple(tracer for tracer in chosen if tracer in tracers)


def _checks(
    gathered: Gathered, predictors: Sequence[Predictor], plan: Evaluation, tell: Tell
) -> tuple[list[Row], list[Section]]:
    """The further checks, each with its rows and its section."""
    from ..checks import clusters, downstream, fairness, sensitivity

    results = gathered.results
    made: dict[str, Callable[[], tuple[list[Row], Section]]] = {
        "clusters": lambda: ([], clusters.section(gathered.cluster_rows, results)),
        "downstream": lambda: downstream.downstream(results, seed=plan.seed),
        "sensitivity": lambda: sensitivity.sensitivity(
            results, predictors, cohort=plan.cohort, subjects=plan.sensitivity_subjects
        ),
        "fairness": lambda: fairness.fairness(results, seed=plan.seed),
    }
    rows: list[Row] = []
    parts: list[Section] = []
    for name in plan.checks:
        tell(f"Check: {name}", 0, 1)
        found, part = made[name]()
        rows += found
        parts.append(part)
    left_out = [name for name in CHECKS if name not in plan.checks]
    if left_out:
        parts.append(
            Section("Left out", (f"Checks that were not asked for: {', '.join(left_out)}.",))
        )
    return rows, parts


def _title(store: Store, results: Results) -> str:
    kind = "SIMULATED" if store.simulated else "Real"
    return f"Synthetic PET judged on {kind} subjects: {', '.join(results.models)}"


def _banner(store: Store) -> tuple[str, ...]:
    if store.simulated:
        return (
            (
                "SIMULATED SUBJECTS - every MRI, every 'acquired' PET and every person here was "
                "made by a program."
            ),
            (
                "Claims re-tested on simulation: nothing here says how well the method works on "
                "people. Not to be set beside published numbers."
            ),
        )
    return ("Synthetic PET against acquired PET of real subjects. Not for diagnosis.",)


def _lead(
    results: Results, plan: Evaluation, tracers: tuple[str, ...], strayed: Sequence[Deviation]
) -> str:
    controls = len([label for label in results.labels if label in INFORMATION_OF])
    people = f"{len(results.subjects)} {sections.subjects_word(results)} subjects"
    warning = f" NOT run under the protocol: {len(strayed)} deviations." if strayed else ""
    return (
        f"{', '.join(results.models)} beside {controls} controls, shuffled inputs"
        f"{' and the oracle' if ORACLE in results.labels else ''}, on {people} of the split "
        f"{plan.split!r} ({len(set(results.anatomies))} anatomies): "
        f"{', '.join(tracer_of(t).label for t in tracers)}.{warning}"
    )


def _named(predictor: Predictor) -> dict[str, Any]:
    """Which bundle stands behind a label and a seed."""
    bundle = predictor.bundle
    training = bundle.config.get("training", {})
    return {
        "label": predictor.label,
        "seed": predictor.seed,
        "bundle": f"{bundle.name} {bundle.version}",
        "method": bundle.method,
        "sha256": bundle.sha256,
        "training": {k: training.get(k) for k in ("seed", "steps", "minutes")},
    }


def _provenance(store: Store, predictors: Sequence[Predictor], plan: Evaluation) -> dict[str, str]:
    models = {
        f"Model {p.label}, training seed {p.seed}": f"{p.bundle.name} {p.bundle.version}, method "
        f"{p.bundle.method}, learnt from {p.bundle.trained_on}, SHA-256 {p.bundle.sha256}"
        for p in predictors
    }
    return {
        **models,
        "Data": f"store {store.folder.name}, {store.facts['kind']} {configuration(store)}".strip(),
        "Protocol": f"{plan.protocol.name}, SHA-256 {plan.protocol.sha256}"
        if plan.protocol
        else "none: nothing was fixed in advance",
        "Samples a subject": str(plan.samples),
        "Seed": str(plan.seed),
        "PETSynth": __version__,
        "Made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _summary(
    store: Store,
    results: Results,
    plan: Evaluation,
    primary: tuple[str, ...],
    scores: Sequence[Score],
    found: Sequence[Comparison],
    report: Report,
) -> dict[str, Any]:
    return {
        "kind": store.facts["kind"],
        "configuration": configuration(store),
        "split": plan.split,
        "subjects": len(results.subjects),
        "anatomies": len(set(results.anatomies)),
        "primary_tracers": list(primary),
        "claims": tally(report.claims),
        "claim": [asdict(claim) for claim in report.claims],
        "scores": [asdict(score) for score in scores],
        "comparisons": [asdict(comparison) for comparison in found],
    }


def _finite(value: Any) -> Any:
    """The same with undefined numbers as null: JSON knows no NaN."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
