"""Is a synthetic PET good for anything? Diagnosis and test scores predicted from each evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS
from ..evaluate.regression import raw_fields, volume_features
from ..tidy import ALL, Claim, Figure, Row, Section, Table, number
from .arms import (
    ACQUIRED,
    CLINIC,
    SCORES,
    SYNTHETIC,
    Arm,
    Array,
    Evidence,
    common_arms,
    synthetic_arms,
)
from .nested import (
    MIN_CLASS,
    balanced_accuracy,
    classify,
    diagnosis_classes,
    mean_auc,
    predict_score,
)
from .pictures import arms_figure
from .resampling import interval, resamples

if TYPE_CHECKING:
    from ..evaluate.results import Results

TITLE = "What the PET is good for: diagnosis and test scores"
MIN_SCORED = 20
"""Anatomies with a score that a prediction of it needs."""
METHOD = (
    "Ridge-penalised linear models on regional values, nested five-fold cross-validation by "
    "anatomy; intervals are 95 %, from resampled anatomies. A synthetic PET that saw a test score "
    "has seen what a diagnosis is made of: compare it with the clinic, not with the MRI. First "
    "training seed of each model."
)
LADDER = ("mri", "both")
"""Information sets of the synthetic PET: without the clinic, and with it."""
WORDS = {"mmse": "MMSE", "adas13": "ADAS-Cog-13"}
DIAGNOSIS = "diagnosis"
GAIN = f"{DIAGNOSIS}_auc_over_clinic"
"""Metric of a row: AUC of an arm minus that of the clinic alone."""
MEASURES = {
    "auc": "AUC",
    "balanced_accuracy": "Balanced accuracy",
    "r": "r",
    "absolute_error": "Mean absolute error, points",
}

Interval = tuple[float, float, float]
Measure = Callable[[Array, NDArray[Any]], float]


@dataclass(frozen=True, eq=False)
class Task:
    """Something to be predicted.

    Attributes
    ----------
    name
        ``"diagnosis"`` or the clinical field.
    people
        Positions of the people who enter it.
    target
        Class or score of each of them.
    measures
        Name -> measure of (predicted, target); the first is the one that is compared.
    """

    name: str
    people: NDArray[np.intp]
    target: NDArray[Any]
    measures: Mapping[str, Measure]


@dataclass(frozen=True, eq=False)
class Trial:
    """One arm on one task.

    Attributes
    ----------
    model, seed
        Whose synthetic PET; the arm's key and 0 where there is none.
    arm
        The evidence.
    values
        Measure -> value.
    draws
        Measure -> its values on the resampled cohorts, the same cohorts for every arm.
    """

    model: str
    seed: int
    arm: Arm
    values: dict[str, float]
    draws: dict[str, Array]

    def interval(self, measure: str) -> Interval:
        """Value and 95 % interval of a measure."""
        return (self.values[measure], *interval(self.draws[measure]))

    def over(self, other: Trial, measure: str) -> Interval:
        """Difference to another arm in a measure, paired by resampled cohort."""
        difference = self.values[measure] - other.values[measure]
        return (difference, *interval(self.draws[measure] - other.draws[measure]))


def downstream(results: Results, *, seed: int) -> tuple[list[Row], Section]:
    """Predict diagnosis, MMSE and ADAS-Cog-13 from every evidence, beside the clinic alone.

    Parameters
    ----------
    results
        Regional values of the models on the judged people.
    seed
        Of the folds and the resampling.
    """
    rows: list[Row] = []
    claims: list[Claim] = []
    tables: list[Table] = []
    figures: list[Figure] = []
    evidence = _evidence(results)
    tasks, refusals = _tasks(results, evidence)
    for task in tasks:
        trials = _trials(task, results, evidence, seed)
        rows += _rows(task, trials)
        shown = [trial for trial in trials if trial.seed == 0]
        tables.append(_table(task, shown))
        figures.append(_figure(task, shown))
        if task.name == DIAGNOSIS:
            claims += _claims(shown)
    return rows, Section(TITLE, (METHOD, *refusals), tuple(claims), tuple(tables), tuple(figures))


def _evidence(results: Results) -> Evidence:
    acquired = np.stack(list(results.acquired.values()), axis=1)
    return Evidence(results.subjects, volume_features(results.store, results.subjects), acquired)


def _tasks(results: Results, evidence: Evidence) -> tuple[list[Task], list[str]]:
    """What can be predicted, and a sentence on everything that cannot."""
    tasks, refusals = [], []
    classes = np.array(
        diagnosis_classes([s.diagnosis for s in results.subjects], evidence.anatomies)
    )
    names = np.unique(classes[classes != ""])
    if len(names) < 2:
        refusals.append(
            f"Diagnosis is not predicted: fewer than two diagnoses have {MIN_CLASS} anatomies."
        )
    else:
        people = np.flatnonzero(classes != "")
        measures = {
            "auc": lambda p, t: mean_auc(p, t, names),
            "balanced_accuracy": lambda p, t: balanced_accuracy(p, t, names),
        }
        tasks.append(Task(DIAGNOSIS, people, classes[people], measures))
    for field in SCORES:
        scores = raw_fields(results.subjects, "clinic")[:, list(FIELDS).index(field)]
        people = np.flatnonzero(np.isfinite(scores))
        found = len({evidence.anatomies[int(i)] for i in people})
        if found < MIN_SCORED or np.ptp(scores[people]) == 0:
            refusals.append(
                f"{WORDS[field]} is not predicted: {found} anatomies have a score, "
                f"{MIN_SCORED} with different scores are needed."
            )
        else:
            measures = {"r": _correlation, "absolute_error": _absolute_error}
            tasks.append(Task(field, people, scores[people], measures))
    return tasks, refusals


def _correlation(predicted: Array, target: NDArray[Any]) -> float:
    if np.ptp(predicted) == 0 or np.ptp(target) == 0:
        return float("nan")
    return float(np.corrcoef(predicted, target)[0, 1])


def _absolute_error(predicted: Array, target: NDArray[Any]) -> float:
    return float(np.abs(predicted - target).mean())


def _trials(task: Task, results: Results, evidence: Evidence, seed: int) -> list[Trial]:
    """Every arm of a task: the common ones first, then those of each model."""
    evidence = evidence.take(task.people)
    anatomies = np.array(evidence.anatomies)
    cohorts = resamples(evidence.anatomies, seed)

    def trial(arm: Arm, model: str, model_seed: int) -> Trial:
        fit = classify if task.name == DIAGNOSIS else predict_score
        predicted = fit(arm, task.target, anatomies, seed)
        values, draws = {}, {}
        for name, measure in task.measures.items():
            values[name] = measure(predicted, task.target)
            draws[name] = np.array([measure(predicted[c], task.target[c]) for c in cohorts])
        return Trial(model, model_seed, arm, values, draws)

    hidden = SCORES if task.name in SCORES else ()
    trials = [trial(arm, arm.key, 0) for arm in common_arms(evidence, hidden)]
    for model in results.models:
        for model_seed in range(results.seeds[model]):
            for information in LADDER:
                values = _synthetic(results, model, model_seed, information)
                if values is not None:
                    found = synthetic_arms(evidence, information, values[task.people])
                    trials += [trial(arm, model, model_seed) for arm in found]
    return trials


def _synthetic(results: Results, model: str, seed: int, information: str) -> Array | None:
    """Regional SUVR (N, T, R) of a model at an information set; None when it was not run so."""
    keys = [(model, seed, tracer, information) for tracer in results.acquired]
    there = [results.regional[key].mean for key in keys if key in results.regional]
    return np.stack(there, axis=1) if there else None


def _rows(task: Task, trials: list[Trial]) -> list[Row]:
    """Every measure with its interval, and the first one against the clinic alone."""
    main, clinic = next(iter(task.measures)), _arm(trials, CLINIC)
    rows = []
    for trial in trials:
        where = (trial.model, trial.seed, "", trial.arm.information, ALL, ALL, ALL, "")
        figures = {f"{task.name}_{name}": trial.interval(name) for name in task.measures}
        figures[f"{task.name}_{main}_over_clinic"] = trial.over(clinic, main)
        for name, values in figures.items():
            for end, value in zip(("", ".low", ".high"), values, strict=True):
                rows.append(Row(*where, f"{name}.{trial.arm.key}{end}", value))
    return rows


def _table(task: Task, trials: list[Trial]) -> Table:
    main, *others = task.measures
    clinic = _arm(trials, CLINIC)
    rows = [
        (
            trial.arm.name,
            trial.model if trial.arm.information else "",
            "yes" if trial.arm.saw_cognition else "no",
            _words(trial.interval(main)),
            *(_words(trial.interval(name)) for name in others),
            "" if trial is clinic else _words(trial.over(clinic, main)),
        )
        for trial in trials
    ]
    head = ("Evidence", "Model", "Saw a test score")
    measures = tuple(MEASURES[name] for name in task.measures)
    return Table(
        f"{_title(task)} (95 % interval)",
        (*head, *measures, f"{MEASURES[main]}, more than the clinic alone"),
        tuple(rows),
    )


def _figure(task: Task, trials: list[Trial]) -> Figure:
    main = next(iter(task.measures))
    lines = [
        (
            f"{trial.arm.name} ({trial.model})" if trial.arm.information else trial.arm.name,
            *trial.interval(main),
            bool(trial.arm.information),
        )
        for trial in trials
    ]
    clinic = _arm(trials, CLINIC).values[main]
    caption = f"{_title(task)}. Dashed: the clinic alone. Blue: with a synthetic PET."
    return arms_figure(MEASURES[main], caption, lines, clinic)


def _title(task: Task) -> str:
    if task.name == DIAGNOSIS:
        counts = Counter(str(name) for name in task.target)
        people = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        return f"Diagnosis of {len(task.people)} people: {people}"
    told = "age, sex, education and APOE4 only"
    return f"{WORDS[task.name]} of {len(task.people)} people; the clinic here is {told}"


def _claims(trials: list[Trial]) -> list[Claim]:
    """A synthetic PET that tells the diagnosis better than the acquired one has been told it."""
    acquired = _arm(trials, ACQUIRED)
    claims = []
    for trial in trials:
        if trial.arm.key == SYNTHETIC:
            over = trial.over(acquired, "auc")
            words = (
                f"Diagnosis: the {trial.arm.name} of {trial.model} is not better than the acquired "
                "PET (else it knows the diagnosis from elsewhere)"
            )
            held = None if np.isnan(over[1]) else over[1] <= 0
            claims.append(Claim(words, held, f"AUC {_words(over)} above the acquired PET"))
    return claims


def _arm(trials: list[Trial], key: str) -> Trial:
    return next(trial for trial in trials if trial.arm.key == key)


def _words(value: Interval) -> str:
    middle, low, high = (number(v, 2) for v in value)
    return f"{middle} ({low} to {high})"
