"""Is a synthetic PET good for anything? Diagnosis and test scores predicted from each evidence.

Simulated people have a true cause (aetiology) beside the clinician's diagnosis, which is sometimes
wrong: both are predicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS
from ..evaluate.regression import raw_fields, volume_features
from ..evaluate.results import simulation_record
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
    OTHER,
    RareClass,
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

TITLE = "What the PET is good for: diagnosis, cause and test scores"
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
DIAGNOSIS, AETIOLOGY = "diagnosis", "aetiology"
WORDS = {
    DIAGNOSIS: "Diagnosis",
    AETIOLOGY: "True cause",
    "mmse": "MMSE",
    "adas13": "ADAS-Cog-13",
}
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
        `DIAGNOSIS`, `AETIOLOGY` or the clinical field.
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
    """Predict diagnosis, cause, MMSE and ADAS-Cog-13 from every evidence, beside the clinic alone.

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
        try:
            trials = _trials(task, results, evidence, seed)
        except RareClass as rare:
            refusals.append(
                f"{WORDS[task.name]} is not predicted: {rare} is so rare that a fold leaves "
                "nobody with it to learn from."
            )
            continue
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
    for name, classes in _labels(results).items():
        task, words = _classification(name, classes, evidence.anatomies)
        tasks += [] if task is None else [task]
        refusals += words
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


def _labels(results: Results) -> dict[str, list[str]]:
    """Diagnosis of each person and, where the simulator wrote it down, the true cause."""
    labels = {DIAGNOSIS: [s.diagnosis for s in results.subjects]}
    records = [simulation_record(results.store, s) or {} for s in results.subjects]
    causes = [str(r.get("latents", {}).get(AETIOLOGY, "")) for r in records]
    return labels | ({AETIOLOGY: causes} if any(causes) else {})


def _classification(
    name: str, labels: list[str], anatomies: list[str]
) -> tuple[Task | None, list[str]]:
    """The task of telling the labels apart, and sentences on those that are too rare for it."""
    found = diagnosis_classes(labels, anatomies)
    classes = np.array(found)
    names = np.unique(classes[classes != ""])
    if len(names) < 2:
        words = "fewer than two diagnoses" if name == DIAGNOSIS else "fewer than two causes"
        return None, [f"{WORDS[name]} is not predicted: {words} have {MIN_CLASS} anatomies."]
    joined = Counter(a for a, b in zip(labels, found, strict=True) if b == OTHER != a)
    dropped = Counter(a for a, b in zip(labels, found, strict=True) if a and not b)
    said = [
        f"{WORDS[name]}: fewer than {MIN_CLASS} anatomies, so {fate}: "
        f"{', '.join(f'{label} ({n})' for label, n in sorted(rare.items()))}."
        for rare, fate in ((joined, f"counted as {OTHER!r}"), (dropped, "left out"))
        if rare
    ]
    people = np.flatnonzero(classes != "")
    measures = {
        "auc": lambda p, t: mean_auc(p, t, names),
        "balanced_accuracy": lambda p, t: balanced_accuracy(p, t, names),
    }
    return Task(name, people, classes[people], measures), said


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
        fit = predict_score if task.name in SCORES else classify
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
                made, values = _synthetic(results, model, model_seed, information)
                if len(made):
                    known = evidence.of_tracers(made)
                    found = synthetic_arms(known, information, values[task.people])
                    trials += [trial(arm, model, model_seed) for arm in found]
    return trials


def _synthetic(
    results: Results, model: str, seed: int, information: str
) -> tuple[NDArray[np.intp], Array]:
    """Which tracers (T,) a model made at an information set, and its regional SUVR (N, T, R)."""
    keys = [(model, seed, tracer, information) for tracer in results.acquired]
    there = np.flatnonzero([key in results.regional for key in keys])
    empty = np.empty((len(results.subjects), 0, 0))
    made = [results.regional[keys[t]].mean for t in there]
    return there, np.stack(made, axis=1) if made else empty


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
    if task.name not in SCORES:
        counts = Counter(str(name) for name in task.target)
        people = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        return f"{WORDS[task.name]} of {len(task.people)} people: {people}"
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
