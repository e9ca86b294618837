"""Numbers of a comparison: scores of every estimator and the tests of the primary family."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from ...tracers import tracer as tracer_of
from .agreement import Agreement, agreement
from .asymmetry import target_asymmetry
from .controls import (
    AGE_SEX,
    CLINIC,
    DENSITY,
    POPULATION,
    SHUFFLED_CLINIC,
    SHUFFLED_MRI,
    VOLUMES,
    VOLUMES_CLINIC,
)
from .forms import FORMS, MEAN, label_of, samples_of, words_of
from .results import ORACLE, Floats, Regional, Results
from .statistics import (
    by_anatomy,
    crps_gaussian,
    crps_samples,
    holm,
    paired_t_p,
    sign_flip_p,
    two_level_bootstrap,
)

BEATEN = (POPULATION, AGE_SEX, CLINIC, DENSITY, SHUFFLED_MRI, SHUFFLED_CLINIC)
"""Controls that a model has to beat: the primary family."""
SHUFFLED = (SHUFFLED_MRI, SHUFFLED_CLINIC)
RIVALS = (VOLUMES, VOLUMES_CLINIC)
"""Controls that are printed as they are: a model may or may not be better."""
FULL = "both"
ALPHA = 0.01

Interval = tuple[float, float]


@dataclass(frozen=True)
class Score:
    """How one estimator does on the tracer's target region.

    Attributes
    ----------
    label, tracer, information
        What it is.
    anatomies
        Number of anatomies judged.
    mae, mae_interval
        Mean absolute error in SUVR and its 95 % bootstrap interval.
    mae_acquired
        Mean absolute difference from the acquired PET, noise included.
    excess, excess_interval
        The same minus the oracle's with all information (the primary endpoint).
    excess_same
        Minus the oracle's with the estimator's own information.
    agreement
        Over the subjects, first training seed.
    asymmetry
        Agreement of the target's asymmetry index in percent, first training seed.
    crps
        Continuous ranked probability score, SUVR.
    skill
        (CRPS of the population mean - CRPS) / (CRPS of the population mean - CRPS of the oracle):
        0 is the population mean, 1 the oracle.
    coverage
        Share of subjects inside the 90 % interval.
    width
        Mean width of that interval, SUVR.
    sd_ratio
        Mean stated sd over the oracle's with the same information.
    """

    label: str
    tracer: str
    information: str
    anatomies: int
    mae: float
    mae_interval: Interval
    mae_acquired: float
    excess: float
    excess_interval: Interval
    excess_same: float
    agreement: Agreement
    asymmetry: Agreement
    crps: float
    skill: float
    coverage: float
    width: float
    sd_ratio: float


def per_subject_crps(values: Regional, truth: Floats, region: int) -> Floats:
    """(N,): CRPS of a region; from the stated Gaussian, else from draws, else NaN.

    The oracle's posterior is no Gaussian, so its draws are taken.
    """
    if values.draws is not None and (values.model == ORACLE or values.sd is None):
        return crps_samples(values.draws[:, :, region].astype(np.float64), truth)
    if values.sd is None:
        return np.full(len(truth), np.nan)
    return crps_gaussian(values.mean[:, region], values.sd[:, region], truth)


def probability_of_truth(values: Regional, truth: Floats, region: int) -> Floats:
    """(N,): share of the stated distribution below the truth: even on 0..1 when calibrated."""
    if values.draws is not None and (values.model == ORACLE or values.sd is None):
        draws = values.draws[:, :, region]
        below = (draws < truth[:, None]).sum(1) + 0.5
        return np.where(np.isnan(truth), np.nan, below / (draws.shape[1] + 1))
    if values.sd is None:
        return np.full(len(truth), np.nan)
    z = (truth - values.mean[:, region]) / values.sd[:, region]
    return np.asarray(stats.norm.cdf(z))


def _mean(values: Floats, results: Results) -> float:
    table = by_anatomy(values, results.anatomies)
    return float(table.mean()) if table.size else math.nan


def score(results: Results, label: str, tracer: str, information: str) -> Score:
    """Judge one estimator on the tracer's target region."""
    target = results.target(tracer)
    truth = results.truth[tracer][:, target]
    first = results.regional[label, 0, tracer, information]
    error = results.absolute_error(label, tracer, information)
    table = by_anatomy(error, results.anatomies)
    excess, excess_interval, excess_same = math.nan, (math.nan, math.nan), math.nan
    has_oracle = (ORACLE, 0, tracer, FULL) in results.regional
    if has_oracle:
        over = by_anatomy(error - results.absolute_error(ORACLE, tracer, FULL), results.anatomies)
        excess, excess_interval = _grand(over), two_level_bootstrap(over)
        if (ORACLE, 0, tracer, information) in results.regional:
            same = error - results.absolute_error(ORACLE, tracer, information)
            excess_same = _mean(same, results)
    seeds = range(results.seeds_of(label))
    runs = [results.regional[label, seed, tracer, information] for seed in seeds]
    crps = _mean(np.stack([per_subject_crps(r, truth, target) for r in runs], 1), results)
    return Score(
        label=label,
        tracer=tracer,
        information=information,
        anatomies=len(table),
        mae=_grand(table),
        mae_interval=two_level_bootstrap(table),
        mae_acquired=_mean(
            np.abs(
                np.stack([r.median[:, target] for r in runs], 1)
                - results.acquired[tracer][:, [target]]
            ),
            results,
        ),
        excess=excess,
        excess_interval=excess_interval,
        excess_same=excess_same,
        agreement=agreement(truth, first.mean[:, target]),
        asymmetry=_asymmetry(results, first),
        crps=crps,
        skill=_skill(results, tracer, crps) if has_oracle else math.nan,
        coverage=_mean(np.stack([_covered(r, truth, target) for r in runs], 1), results),
        width=_mean(np.stack([_width(r, target) for r in runs], 1), results),
        sd_ratio=_sd_ratio(results, runs, target),
    )


def _grand(table: Floats) -> float:
    return float(table.mean()) if table.size else math.nan


def _asymmetry(results: Results, values: Regional) -> Agreement:
    target = tracer_of(values.tracer).target_region
    return agreement(
        target_asymmetry(results.truth[values.tracer], target),
        target_asymmetry(values.mean, target),
    )


def _skill(results: Results, tracer: str, crps: float) -> float:
    target = results.target(tracer)
    truth = results.truth[tracer][:, target]
    worst, best = (
        _mean(per_subject_crps(results.regional[key], truth, target), results)
        for key in ((POPULATION, 0, tracer, "none"), (ORACLE, 0, tracer, FULL))
    )
    return (worst - crps) / (worst - best) if worst != best else math.nan


def _covered(values: Regional, truth: Floats, region: int) -> Floats:
    """(N,): 1 inside the 90 % interval, 0 outside, NaN where there is none."""
    if values.low is None or values.high is None:
        return np.full(len(truth), np.nan)
    low, high = values.low[:, region], values.high[:, region]
    known = np.isfinite(low) & np.isfinite(truth)
    return np.where(known, (low <= truth) & (truth <= high), np.nan)


def _width(values: Regional, region: int) -> Floats:
    if values.low is None or values.high is None:
        return np.full(len(values.mean), np.nan)
    return np.asarray(values.high[:, region] - values.low[:, region])


def _sd_ratio(results: Results, runs: list[Regional], region: int) -> float:
    key = (ORACLE, 0, runs[0].tracer, runs[0].information)
    if key not in results.regional or runs[0].sd is None:
        return math.nan
    oracle = results.regional[key].sd
    assert oracle is not None
    known = np.isfinite(results.truth[runs[0].tracer][:, region])
    stated = np.mean([r.sd[known, region] for r in runs if r.sd is not None], axis=0)
    return float(stated.mean() / oracle[known, region].mean())


def all_scores(results: Results) -> list[Score]:
    """Scores of every estimator at every information set it was run with."""
    return [
        score(results, label, tracer, info)
        for tracer in results.tracers
        for label in results.labels
        for info in results.information_of(label, tracer)
    ]


@dataclass(frozen=True)
class Comparison:
    """A model against one other estimator, both with the richest information they were given.

    Attributes
    ----------
    model, other, tracer
        Who against whom, on what.
    form, judged_as
        One of `FORMS`, and what that is here: ``mean of 16 samples``, ``single sample``, or
        ``its one picture`` where no samples were drawn.
    knows
        Information set of the other; the oracle's is the model's own.
    difference, interval
        Mean absolute error of the model minus the other's on the target region, SUVR, with its
        95 % bootstrap interval; negative is better.
    anatomies
        Number of pairs.
    p
        Two-sided sign-flip test over anatomies.
    p_t
        Paired t test, beside it.
    p_holm
        ``p`` corrected within the family of its form; NaN outside of it.
    """

    model: str
    other: str
    tracer: str
    form: str
    judged_as: str
    knows: str
    difference: float
    interval: Interval
    anatomies: int
    p: float
    p_t: float
    p_holm: float = math.nan

    @property
    def better(self) -> bool:
        """Whether the model's error is lower, by the corrected p."""
        return self.difference < 0 and self.p_holm < ALPHA


def compare(results: Results, model: str, other: str, tracer: str, form: str = MEAN) -> Comparison:
    """Paired comparison over anatomies.

    Each training seed of the model is held against the mean over the seeds of the other; the tests
    take the mean of the differences. A model's own shuffled control is judged in the same form as
    the model: where only one of the two was sampled, both are judged by their pictures.
    """
    count = samples_of(results, model, tracer)
    own_control = other in {name.format(model) for name in SHUFFLED}
    if own_control and samples_of(results, other, tracer) != count:
        count, labels = 0, [model, other]
    else:
        labels = [label_of(results, label, tracer, form) for label in (model, other)]
    information = results.information_of(model, tracer)[-1]
    there = results.information_of(other, tracer)
    knows = information if other == ORACLE and information in there else there[-1]
    mine = results.absolute_error(labels[0], tracer, information)
    others = results.absolute_error(labels[1], tracer, knows)
    table = by_anatomy(mine - others.mean(1, keepdims=True), results.anatomies)
    differences = table.mean(1)
    return Comparison(
        model=model,
        other=other,
        tracer=tracer,
        form=form,
        judged_as=words_of(count, form),
        knows=knows,
        difference=_grand(table),
        interval=two_level_bootstrap(table),
        anatomies=len(table),
        p=sign_flip_p(differences),
        p_t=paired_t_p(differences),
    )


def comparisons(results: Results, primary: tuple[str, ...]) -> list[Comparison]:
    """Every model against every control and the oracle; Holm within the primary family.

    A model's family is: tracers of ``primary`` x controls of `BEATEN`, for each form on its own.
    It does not grow with the number of models, so that no verdict depends on who else was judged
    that day. A model without samples has one form.
    """
    found = [
        compare(results, model, other, tracer, form)
        for form in FORMS
        for model in results.models
        for tracer in results.tracers
        if results.information_of(model, tracer)
        and (form == MEAN or samples_of(results, model, tracer))
        for other in [name.format(model) for name in (*BEATEN, *RIVALS)] + [ORACLE]
        if results.information_of(other, tracer)
    ]
    for form in FORMS:
        for model in results.models:
            family = [
                n
                for n, c in enumerate(found)
                if (c.form, c.model) == (form, model) and in_family(c, primary)
            ]
            for n, p in zip(family, holm([found[n].p for n in family]), strict=True):
                found[n] = replace(found[n], p_holm=p)
    return found


def in_family(comparison: Comparison, primary: tuple[str, ...]) -> bool:
    """Whether a comparison belongs to the family of its form."""
    beaten = {name.format(comparison.model) for name in BEATEN}
    return comparison.tracer in primary and comparison.other in beaten
