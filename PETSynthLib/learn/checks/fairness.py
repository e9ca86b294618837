"""Does the model serve everybody alike? Errors of the target region by sex, age, scanner, ...

Groups of fewer than `MIN_GROUP` anatomies get no claim. The silence about a group means something
only when this code finds a bias that is there: `planted` plants one. A simulated cohort carries a
group of its own as well (low T1 contrast, rare in training), which is judged where it is large
enough for a gap of that size to be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evaluate.statistics import Floats, by_anatomy, holm, two_level_bootstrap
from ..tidy import ALL, Claim, Row, Section, Table, number
from .planted import (
    ALPHA,
    NEEDED,
    PLANTED_SD,
    POWER,
    Planting,
    fewest_beside,
    permuted_gap,
    plant,
    planting_rows,
    planting_table,
)

if TYPE_CHECKING:
    from ..evaluate.results import Results
    from ..store import Subject

TITLE = "Whom the model serves worse"
MIN_GROUP = 20
"""Anatomies below which nothing is said about a group."""
PERMUTATIONS = 1999
PLANTED = "planted group"
MEASURES = ("absolute_error", "bias")
WORDS = {"absolute_error": "mean absolute error", "bias": "mean signed error"}
METHOD = (
    "Error of the tracer's target region in SUVR, by group. The gap is the largest difference "
    "between two groups' means; its p comes from shuffling whole anatomies between the groups and "
    "is corrected (Holm) over all groupings, tracers and both kinds of error of a model; the "
    "planted group, named in advance, is a family of its own. The last column is the gap that a "
    "sample of this size and spread would reveal four times out of five, were it the only one "
    "tested. "
    "On simulated subjects this is a check of the tool, not evidence about people."
)


@dataclass(frozen=True, eq=False)
class Gap:
    """Difference between the groups of one grouping.

    Attributes
    ----------
    groups
        Group -> (anatomies, mean, low, high) of those that are large enough.
    refused
        Group -> anatomies of those that are too small.
    gap
        Largest difference of two means; NaN with fewer than two groups.
    ratio
        Largest mean over the smallest.
    p
        Of the permutation test, uncorrected.
    detectable
        The gap that would be found with a chance of 80 %.
    """

    groups: dict[str, tuple[int, float, float, float]]
    refused: dict[str, int]
    gap: float
    ratio: float
    p: float
    detectable: float


Key = tuple[str, str, str]
"""Tracer, grouping, measure."""
Gaps = dict[Key, Gap]


def groupings(subjects: Sequence[Subject], *, simulated: bool) -> dict[str, list[str]]:
    """Grouping -> group of each subject; empty where it is unknown.

    A grouping in which everybody is alike is left out; ages are split at the subjects' tertiles.
    The groups of simulated subjects are the planted control, those of real ones the user's.
    """
    sexes = {None: "", "F": "women", "M": "men"}
    found = {
        "sex": [sexes[s.clinical.sex] for s in subjects],
        "age": _age_tertiles([s.clinical.age for s in subjects]),
        "scanner": [s.scanner for s in subjects],
        "diagnosis": [s.diagnosis for s in subjects],
    }
    if any(s.group for s in subjects):
        name = PLANTED if simulated else "group"
        found[name] = [s.group or "the others" for s in subjects]
    return {name: groups for name, groups in found.items() if len(set(groups) - {""}) > 1}


def _age_tertiles(ages: Sequence[float | None]) -> list[str]:
    known = [age for age in ages if age is not None]
    if len(known) < 3:
        return [""] * len(ages)
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    names = (f"up to {low:.0f} years", f"{low:.0f} to {high:.0f} years", f"over {high:.0f} years")
    return ["" if age is None else names[int(age > low) + int(age > high)] for age in ages]


def gap_between(
    errors: Floats,
    groups: Sequence[str],
    anatomies: Sequence[str],
    seed: int,
    fewest: int | None = MIN_GROUP,
) -> Gap:
    """Compare the mean error of groups of people.

    Parameters
    ----------
    errors
        (N, S): one row a subject, one column a training seed; NaN where there is no such PET.
    groups
        Group of each subject, empty where unknown.
    anatomies
        Whose brain it is. Somebody who changes group between visits counts in each.
    seed
        Of the resampling.
    fewest
        Anatomies below which a group is refused; None: however many there are beside the largest
        group, a gap of `PLANTED_SD` would not be found (all are refused).
    """
    tables = by_group(errors, groups, anatomies)
    refused = {g: len(t) for g, t in tables.items() if fewest is None or len(t) < fewest}
    judged = {group: t for group, t in tables.items() if group not in refused}
    described = {
        group: (len(t), float(t.mean()), *two_level_bootstrap(t, seed=seed))
        for group, t in judged.items()
    }
    if len(judged) < 2:
        nothing = float("nan")
        return Gap(described, refused, nothing, nothing, nothing, nothing)
    values = [t.mean(1) for t in judged.values()]
    means = [float(v.mean()) for v in values]
    gap, p = permuted_gap(values, seed, PERMUTATIONS)
    # Between the two groups that are known least well.
    errors_of = sorted((float(v.var(ddof=1)) / len(v) for v in values), reverse=True)
    detectable = NEEDED * float(np.sqrt(errors_of[0] + errors_of[1]))
    low = min(abs(m) for m in means)
    ratio = max(abs(m) for m in means) / low if low > 0 else float("inf")
    return Gap(described, refused, gap, ratio, p, detectable)


def by_group(errors: Floats, groups: Sequence[str], anatomies: Sequence[str]) -> dict[str, Floats]:
    """Group -> errors (A, S) of its anatomies; parameters as `gap_between`."""
    return {
        group: by_anatomy(
            np.where(np.array(groups)[:, None] == group, errors, np.nan), list(anatomies)
        )
        for group in dict.fromkeys(g for g in sorted(groups) if g)
    }


def fairness(results: Results, *, seed: int) -> tuple[list[Row], Section]:
    """Compare the errors of every model between groups of subjects, after a positive control.

    Parameters
    ----------
    results
        Regional values of the models on the judged people.
    seed
        Of permutations, resampling and plantings.
    """
    found = groupings(results.subjects, simulated=results.store.simulated)
    rows: list[Row] = []
    tables: list[Table] = []
    claims: list[Claim] = []
    refused: dict[str, int] = {}
    plantings: dict[tuple[str, str], Planting] = {}
    for model in results.models:
        richest = {
            tracer: known[-1]
            for tracer in results.tracers
            if (known := results.information_of(model, tracer))
        }
        for tracer, information in richest.items():
            planting = plant(_errors(results, model, tracer, "bias"), results.anatomies, seed)
            plantings[model, tracer] = planting
            rows += planting_rows(model, tracer, information, planting)
        gaps = {
            (tracer, grouping, measure): _gap(
                grouping, _errors(results, model, tracer, measure), groups, results.anatomies, seed
            )
            for tracer in richest
            for grouping, groups in found.items()
            for measure in MEASURES
        }
        corrected = _corrected(gaps)
        for (tracer, grouping, measure), gap in gaps.items():
            head = (model, 0, tracer, richest[tracer], ALL, ALL, ALL, "")
            p = corrected[tracer, grouping, measure]
            rows += _rows(head, grouping, measure, gap, p)
            refused |= {f"{grouping}: {g} ({n})": n for g, n in gap.refused.items()}
        if not all(np.isnan(gap.gap) for gap in gaps.values()):
            tables.append(_table(model, gaps, corrected))
        claims += _planted(model, gaps, corrected)
    tables.insert(0, planting_table(plantings))
    nothing = () if found else ("No grouping is known in which these subjects differ.",)
    paragraphs = (METHOD, *nothing, *_refusals(refused))
    return rows, Section(TITLE, paragraphs, tuple(claims), tuple(tables))


def _gap(
    grouping: str, errors: Floats, groups: Sequence[str], anatomies: Sequence[str], seed: int
) -> Gap:
    """The gap of a grouping; the planted group may be small if the others are many."""
    if grouping != PLANTED:
        return gap_between(errors, groups, anatomies, seed)
    sizes = [len(t) for t in by_group(errors, groups, anatomies).values()]
    return gap_between(errors, groups, anatomies, seed, fewest_beside(max(sizes, default=0)))


def _errors(results: Results, model: str, tracer: str, measure: str) -> Floats:
    """(N, S): errors of the target region with the richest information, over training seeds."""
    column = results.target(tracer)
    truth = results.truth[tracer][:, column]
    signed = np.stack(
        [
            results.best(model, seed, tracer).mean[:, column] - truth
            for seed in range(results.seeds_of(model))
        ],
        axis=1,
    )
    return np.abs(signed) if measure == "absolute_error" else signed


def _rows(
    head: tuple[str, int, str, str, str, str, str, str],
    grouping: str,
    measure: str,
    gap: Gap,
    p: float,
) -> list[Row]:
    name = f"fairness_{measure}.{grouping.replace(' ', '_')}"
    rows = [
        Row(*head, f"{name}.{statistic}", value)
        for statistic, value in (("gap", gap.gap), ("ratio", gap.ratio), ("p_holm", p))
    ]
    for group, (n, mean, low, high) in gap.groups.items():
        for statistic, value in (("n", n), ("mean", mean), ("low", low), ("high", high)):
            rows.append(Row(*head, f"{name}.{group.replace(' ', '_')}.{statistic}", value))
    return rows


def _corrected(gaps: Gaps) -> dict[Key, float]:
    """p of each gap, corrected within its family: the planted group's, and all the others."""
    corrected: dict[Key, float] = {}
    for planted in (True, False):
        family = [key for key in gaps if (key[1] == PLANTED) is planted]
        corrected |= dict(zip(family, holm([gaps[key].p for key in family]), strict=True))
    return corrected


def _table(model: str, gaps: Gaps, corrected: dict[Key, float]) -> Table:
    rows = []
    for key, gap in gaps.items():
        if np.isnan(gap.gap):
            continue
        tracer, grouping, measure = key
        means = "; ".join(
            f"{group} (n {n}) {number(mean)} ({number(low)} to {number(high)})"
            for group, (n, mean, low, high) in gap.groups.items()
        )
        figures = (number(gap.gap), number(gap.ratio, 2), number(corrected[key]))
        rows.append((tracer, grouping, WORDS[measure], means, *figures, number(gap.detectable)))
    return Table(
        f"{model}: errors by group, SUVR (95 % interval)",
        ("Tracer", "Grouping", "Error", "Groups", "Gap", "Ratio", "p (Holm)", "Detectable gap"),
        tuple(rows),
    )


def _planted(model: str, gaps: Gaps, corrected: dict[Key, float]) -> list[Claim]:
    """Whether the group that the simulator planted is found, where there are enough of it."""
    planted = {key: gap for key, gap in gaps.items() if key[1] == PLANTED}
    if not planted:
        return []
    words = f"{model}: the group that the simulator planted is found"
    if all(np.isnan(gap.p) for gap in planted.values()):
        sizes = [(*gap.refused.values(), *(n for n, *_ in gap.groups.values()))
                 for gap in planted.values()]  # fmt: skip
        small, large = max(((min(s), max(s)) for s in sizes), default=(0, 0))
        least = fewest_beside(large)
        needed = "no number is" if least is None else f"{least} are"
        evidence = (
            f"it has {small} anatomies beside {large}; {needed} needed to find a gap of "
            f"{PLANTED_SD:g} sd with a chance of {POWER:.0%}"
        )
        return [Claim(words, None, evidence)]
    best = min(planted, key=lambda key: np.nan_to_num(corrected[key], nan=2.0))
    gap = planted[best]
    evidence = (
        f"{best[0]}, {WORDS[best[2]]}: gap {number(gap.gap)} SUVR, p {number(corrected[best])} "
        f"after correction; a gap of {number(gap.detectable)} would have been seen"
    )
    return [Claim(words, corrected[best] < ALPHA, evidence)]


def _refusals(refused: dict[str, int]) -> tuple[str, ...]:
    if not refused:
        return ()
    named = "; ".join(refused)
    words = (
        f"Nothing is said about groups of fewer than {MIN_GROUP} anatomies (the planted group: "
        f"than are needed to find a gap of {PLANTED_SD:g} sd): {named}."
    )
    return (words,)
