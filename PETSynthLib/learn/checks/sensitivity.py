"""What each clinical fact does to the picture, and whether it should.

Shares of the target region's value are worked out exactly (`attribution`). On a simulated cohort
the oracle knows how much the expected PET changes when one fact changes and all else stays: the
model's change is held against it, in the target region (slope) and outside (excess).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS, ClinicalRecord
from ...tracers import tracer as tracer_of
from ..regions import membership, region_index
from ..tidy import ALL, Claim, Figure, Row, Section, Table, number
from .attribution import Array, every_subset, occlusion, shapley
from .effects import Effect, effects_of
from .pictures import effects_figure
from .resampling import interval, resamples

if TYPE_CHECKING:
    from ..evaluate.results import Results
    from ..store import Store, Subject

TITLE = "What each clinical fact does to the picture"
CHANGES: dict[str, tuple[float, float]] = {"mmse": (20, 29), "adas13": (10, 35), "apoe4": (0, 2)}
"""Fact -> the two values between which it is changed: to the one farther from the person's own."""
SLOPE = (0.8, 1.2)
EXCESS_SUVR = 0.02
SMALLEST_EFFECT_SUVR = 0.01
"""Root mean square of the oracle's own effect below which a slope is a ratio of noise."""
SHAPLEY_SHARE = 4
"""Shapley values are worked out for every so manieth person: 64 pictures each instead of ten."""
METHOD = (
    "Each fact's share of the value of the target region: exact Shapley values over all subsets of "
    f"the known facts (of every {SHAPLEY_SHARE}th person), and what hiding one fact alone takes "
    "away. Means of the absolute shares."
)
EFFECT = (
    "One fact at a time was changed (MMSE to 20 or 29, ADAS-Cog-13 to 10 or 35, APOE4 to 0 or 2 "
    "alleles, whichever is farther) with all else the same. Slope: the model's change of the "
    "target region on the oracle's, through the origin. Excess outside: by how much the change of "
    "a region without a part in the target leaves the range from nothing to the oracle's change. "
    "The oracle's change is scaled to the grid as the true picture is."
)
NO_ORACLE = (
    "There is no oracle for these people, so nobody knows how much the picture should change."
)


class Model(Protocol):
    """What is asked of a model: `learn.evaluate.predictor.Predictor`, or a stand-in in tests."""

    @property
    def label(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def tracers(self) -> tuple[str, ...]: ...
    @property
    def fields(self) -> tuple[str, ...]: ...
    def regional(
        self, store: Store, subject: Subject, tracer: str, clinical: ClinicalRecord
    ) -> Array:
        """Regional SUVR (R,) of the mean image."""


@dataclass(frozen=True, eq=False)
class Change:
    """One fact of one person changed.

    Attributes
    ----------
    subject, field
        Whose fact, and which.
    model, oracle
        Change of the regional SUVR (R,).
    """

    subject: Subject
    field: str
    model: Array
    oracle: Array


def changed(record: ClinicalRecord, field: str) -> float:
    """The field's other value: the one of `CHANGES` that is farther from the person's own."""
    own = record.numbers()[field]
    assert own is not None
    return max(CHANGES[field], key=lambda value: abs(value - own))


def slope_through_origin(model: Array, oracle: Array) -> float:
    """Least-squares slope of the model's changes (n,) on the oracle's; NaN when those are 0."""
    scale = float((oracle**2).sum())
    return float((model * oracle).sum()) / scale if scale > 0 else float("nan")


def excess(model: Array, oracle: Array) -> Array:
    """How far each change lies outside the range between 0 and the oracle's change, SUVR."""
    low, high = np.minimum(oracle, 0), np.maximum(oracle, 0)
    return np.asarray(np.maximum(np.maximum(low - model, model - high), 0))


def outside(tracer: str) -> NDArray[np.bool_]:
    """Which of the R regions have no label in common with the tracer's target region."""
    members = membership()
    target = members[region_index(tracer_of(tracer).target_region)]
    return np.asarray(~(members & target).any(axis=1))


def sensitivity(
    results: Results, predictors: Sequence[Model], *, cohort: Path | None, subjects: int
) -> tuple[list[Row], Section]:
    """Shares of each clinical fact, and the model's changes against the oracle's.

    Parameters
    ----------
    results
        The judged people and their store.
    predictors
        The models; of each label the first training seed is asked.
    cohort
        Folder of the simulated cohort, for a store that holds no oracle of its own.
    subjects
        How many people are asked about; each costs about ten pictures a tracer, and every
        `SHAPLEY_SHARE`-th up to 64 more.
    """
    effect = effects_of(results, cohort)
    rows: list[Row] = []
    shares: list[tuple[str, ...]] = []
    effects: list[tuple[str, ...]] = []
    claims: list[Claim] = []
    refusals: list[str] = []
    figures: list[Figure] = []
    for model in (p for p in predictors if p.seed == 0):
        if not model.fields:
            refusals.append(f"{model.label} uses no clinical fact.")
            continue
        of_tracer: dict[str, list[Change]] = {}
        for tracer in (t for t in results.tracers if t in model.tracers):
            people = chosen_people(results.subjects, tracer, subjects)
            if not people:
                refusals.append(
                    f"{model.label}: nobody here has a {tracer} PET and a clinical fact."
                )
                continue
            asked = [
                _ask(model, results.store, who, tracer, effect, exact=n % SHAPLEY_SHARE == 0)
                for n, who in enumerate(people)
            ]
            for part in asked:
                rows += part.rows
            shares.append(_shares_row(model, tracer, asked))
            changes = [change for part in asked for change in part.changes]
            if changes:
                of_tracer[tracer] = changes
                found, row, judged = _judge(model, tracer, changes)
                rows += found
                effects.append(row)
                claims += judged
        if of_tracer:
            figures.append(_figure(model, of_tracer))
    paragraphs = [METHOD, *dict.fromkeys(refusals)]
    paragraphs.append(NO_ORACLE if effect is None else EFFECT)
    tables = []
    if shares:
        head = ("Model", "Tracer", "People", *(field.label for field in FIELDS.values()))
        tables.append(
            Table("Share of each fact in the target region: Shapley / hidden alone, SUVR", head,
                  tuple(shares))
        )  # fmt: skip
    if effects:
        head = ("Model", "Tracer", "Changes", "Slope (95 % interval)", "Oracle's effect, rms SUVR",
                "Excess outside, mean SUVR",
                "Excess outside, worst region SUVR (95 % interval)")  # fmt: skip
        tables.append(Table("The model's change against the oracle's", head, tuple(effects)))
    return rows, Section(TITLE, tuple(paragraphs), tuple(claims), tuple(tables), tuple(figures))


def _figure(model: Model, changes: dict[str, list[Change]]) -> Figure:
    """The target region's changes by tracer and fact."""
    table: dict[str, dict[str, tuple[Array, Array]]] = {}
    for tracer, found in changes.items():
        column = region_index(tracer_of(tracer).target_region)
        for field in dict.fromkeys(change.field for change in found):
            pairs = [(c.oracle[column], c.model[column]) for c in found if c.field == field]
            oracle, mine = np.array(pairs).T
            table.setdefault(tracer, {})[field] = (oracle, mine)
    caption = (
        f"{model.label}: change of the target region when one fact changes. Line: as much as the "
        f"oracle; shaded: slopes of {SLOPE[0]} to {SLOPE[1]}."
    )
    return effects_figure(caption, list(changes), table, SLOPE)


def chosen_people(people: Sequence[Subject], tracer: str, count: int) -> list[Subject]:
    """The ``count`` people of whom most facts are known, one of an anatomy, with such a PET."""
    there = [s for s in people if tracer in s.tracers and s.clinical.known()]
    first = {s.anatomy: s for s in reversed(there)}
    ranked = sorted(first.values(), key=lambda s: (-len(s.clinical.known()), s.row))
    return ranked[:count]


@dataclass(frozen=True, eq=False)
class Asked:
    """What a model said of one person: rows, shares of the known facts, changes."""

    rows: list[Row]
    shapley: dict[str, float]
    occlusion: dict[str, float]
    changes: list[Change]


def _ask(
    model: Model, store: Store, subject: Subject, tracer: str, effect: Effect | None, exact: bool
) -> Asked:
    target = tracer_of(tracer).target_region
    column = region_index(target)
    players = [name for name in subject.clinical.known() if name in model.fields]

    def ask(record: ClinicalRecord) -> Array:
        return model.regional(store, subject, tracer, record)

    def in_target(record: ClinicalRecord) -> Array:
        return ask(record)[[column]]

    shares: dict[str, float] = {}
    if exact:
        worth = shapley(every_subset(subject.clinical, players, in_target))
        shares = dict(zip(players, worth[:, 0].tolist(), strict=True))
    lost = occlusion(subject.clinical, players, in_target)
    hidden = dict(zip(players, lost[:, 0].tolist(), strict=True))
    changes = []
    if effect is not None:
        now = ask(subject.clinical)
        for field in (name for name in CHANGES if name in players):
            to = changed(subject.clinical, field)
            should = effect(subject, field, to).get(tracer)
            if should is not None:
                difference = ask(_with(subject.clinical, field, to)) - now
                changes.append(Change(subject, field, difference, should))
    head = (model.label, model.seed, tracer, "both", subject.subject, subject.anatomy,
            subject.site, target)  # fmt: skip
    rows = [Row(*head, f"shapley_suvr.{name}", value) for name, value in shares.items()]
    rows += [Row(*head, f"occlusion_suvr.{name}", value) for name, value in hidden.items()]
    for change in changes:
        for who, values in (("model", change.model), ("oracle", change.oracle)):
            metric = f"clinical_effect_{who}_suvr.{change.field}"
            rows.append(Row(*head, metric, float(values[column])))
    return Asked(rows, shares, hidden, changes)


def _with(record: ClinicalRecord, field: str, value: float) -> ClinicalRecord:
    typed = int(value) if field == "apoe4" else value
    return replace(record, **{field: typed})  # type: ignore[arg-type]


def _shares_row(model: Model, tracer: str, asked: Sequence[Asked]) -> tuple[str, ...]:
    def mean(parts: list[dict[str, float]], field: str) -> str:
        known = [abs(part[field]) for part in parts if field in part]
        return number(float(np.mean(known)) if known else None)

    cells = [
        f"{mean([a.shapley for a in asked], name)} / {mean([a.occlusion for a in asked], name)}"
        for name in FIELDS
    ]
    return (model.label, tracer, str(len(asked)), *cells)


def _judge(
    model: Model, tracer: str, changes: Sequence[Change]
) -> tuple[list[Row], tuple[str, ...], list[Claim]]:
    """Slope and excess over all changes of a tracer, with the claims that they are in bounds."""
    target = tracer_of(tracer).target_region
    column = region_index(target)
    mine = np.array([change.model[column] for change in changes])
    right = np.array([change.oracle[column] for change in changes])
    apart = outside(tracer)
    beyond = np.stack([excess(change.model[apart], change.oracle[apart]) for change in changes])
    beyond = beyond[:, np.isfinite(beyond).all(axis=0)]
    cohorts = resamples([change.subject.anatomy for change in changes], seed=0)
    slope = _spread(slope_through_origin(mine, right),
                    [slope_through_origin(mine[c], right[c]) for c in cohorts])  # fmt: skip
    worst = _spread(_worst(beyond), [_worst(beyond[c]) for c in cohorts])
    size = float(np.sqrt((right**2).mean()))
    mean = float(beyond.mean()) if beyond.size else float("nan")
    head = (model.label, model.seed, tracer, "both", ALL, ALL, ALL)
    ends = ("", ".low", ".high")
    rows = [
        *(Row(*head, target, f"clinical_effect_slope{e}", v) for e, v in zip(ends, slope,
                                                                              strict=True)),
        Row(*head, target, "clinical_effect_oracle_rms_suvr", size),
        Row(*head, "", "excess_outside_mean_suvr", mean),
        *(Row(*head, "", f"excess_outside_worst_suvr{e}", v) for e, v in zip(ends, worst,
                                                                             strict=True)),
    ]  # fmt: skip
    words = (_words(slope, 2), number(size), number(mean), _words(worst, 3))
    row = (model.label, tracer, str(len(changes)), *words)
    return rows, row, _claims(model, tracer, slope, size, worst)


Spread = tuple[float, float, float]
"""A value and its 95 % interval, from resampled anatomies."""


def _spread(value: float, draws: Sequence[float]) -> Spread:
    return (value, *interval(np.array(draws)))


def _worst(beyond: Array) -> float:
    """The largest of the regions' mean excesses (n, regions)."""
    return float(beyond.mean(axis=0).max()) if beyond.size else float("nan")


def _words(value: Spread, digits: int) -> str:
    middle, low, high = (number(v, digits) for v in value)
    return f"{middle} ({low} to {high})"


def _claims(model: Model, tracer: str, slope: Spread, size: float, worst: Spread) -> list[Claim]:
    about = f"{model.label}, {tracer}: a changed fact changes"
    steep = (
        f"slope {_words(slope, 2)}; the oracle's own effect is {number(size)} SUVR (root mean "
        "square)"
    )
    held: bool | None = SLOPE[0] <= slope[0] <= SLOPE[1]
    if size < SMALLEST_EFFECT_SUVR:
        held, steep = None, f"the oracle's own effect is {number(size)} SUVR, too small for a slope"
    return [
        Claim(f"{about} the target {SLOPE[0]} to {SLOPE[1]} times as much as it should",
              held, steep),
        Claim(f"{about} no region outside the target by more than {EXCESS_SUVR} SUVR beyond the "
              "oracle, on average",
              worst[0] <= EXCESS_SUVR if np.isfinite(worst[0]) else None,
              f"worst region {_words(worst, 3)} SUVR"),
    ]  # fmt: skip
