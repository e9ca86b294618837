"""What the report says, part by part: the target regions, the ladder, the intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...quantify.regions import title_of
from ...tracers import tracer as tracer_of
from ..tidy import Claim, Section, Table, number
from . import figures
from .agreement import Agreement
from .controls import INFORMATION_OF
from .gather import Gathered
from .judge import FULL, Interval, Score
from .results import ORACLE, Results
from .statistics import coverage_band

SD_RIGHT = (1.0, 1.5)
SD_OVERCONFIDENT = 0.9


def span(ends: Interval, digits: int = 3) -> str:
    """``0.012 to 0.034``."""
    return "" if math.isnan(ends[0]) else f"{number(ends[0], digits)} to {number(ends[1], digits)}"


def icc_words(found: Agreement) -> str:
    """``0.81 (0.60 to 0.91)``."""
    icc = found.icc
    return f"{number(icc.value, 2)} ({number(icc.low, 2)} to {number(icc.high, 2)})"


def p_words(p: float) -> str:
    """A p value with two significant digits, never 0."""
    if math.isnan(p):
        return "n/a"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"


def subjects_word(results: Results) -> str:
    """``simulated`` or ``real``: where the subjects come from."""
    return "simulated" if results.store.simulated else "real"


def target_section(results: Results, scores: Sequence[Score]) -> Section:
    """Error and agreement of the target region, every estimator, tracer by tracer."""
    tables = []
    for tracer in results.tracers:
        rows = tuple(
            (
                s.label,
                figures.INFORMATION_WORDS[s.information],
                number(s.mae),
                span(s.mae_interval),
                number(s.mae_acquired),
                number(s.excess),
                span(s.excess_interval),
                number(s.agreement.bias),
                f"{number(s.agreement.limits[0], 2)} to {number(s.agreement.limits[1], 2)}",
                number(s.agreement.r, 2),
                icc_words(s.agreement),
                number(s.agreement.slope, 2),
            )
            for s in scores
            if s.tracer == tracer
        )
        region = title_of(tracer_of(tracer).target_region)
        tables.append(
            Table(
                f"{tracer_of(tracer).label}: {region}, SUVR",
                (
                    "Estimator", "Knows", "MAE", "95 %", "MAE to acquired", "Excess over oracle",
                    "95 %", "Bias", "Limits of agreement", "r", "ICC(2,1) (95 %)", "Slope",
                ),
                rows,
            )
        )  # fmt: skip
    shown = []
    for model in results.models:
        shown += [figures.scatter(results, model), figures.bland_altman(results, model)]
    return Section("Target regions", tables=tuple(tables), figures=tuple(shown))


def ladder_section(results: Results, scores: Sequence[Score]) -> Section:
    """Error at each information set."""
    rows = []
    for tracer in results.tracers:
        for label in (*results.models, ORACLE):
            cells = {s.information: s for s in scores if (s.label, s.tracer) == (label, tracer)}
            if cells:
                rows.append(
                    (
                        tracer_of(tracer).label,
                        label,
                        *(
                            number(cells[i].mae) if i in cells else ""
                            for i in ("base", "clinic", "mri", FULL)
                        ),
                        *(
                            number(cells[i].excess_same) if i in cells else ""
                            for i in ("mri", FULL)
                        ),
                    )
                )
    table = Table(
        "Mean absolute error of the target region, SUVR",
        (
            "Tracer", "Estimator", "Age, sex", "Clinic", "MRI", "MRI + clinic",
            "MRI: excess over the oracle with MRI", "Both: excess over the oracle with both",
        ),
        tuple(rows),
    )  # fmt: skip
    words = (
        (
            "Each model is run with the MRI alone (and age and sex) and, when it takes them, "
            "with the clinical facts too. The oracle's row is the floor: what lies above it is "
            "the method's doing, what lies below it nobody can know."
        ),
    )
    return Section("Information ladder", words, (), (table,), (figures.ladder(results, scores),))


def uncertainty_section(gathered: Gathered, scores: Sequence[Score]) -> Section:
    """Are the stated spreads true?"""
    results = gathered.results
    rows, claims = [], []
    for s in scores:
        if math.isnan(s.coverage):
            continue
        people = gathered.calibration_people.get((s.label, s.tracer, s.information))
        low, high = coverage_band(people, s.anatomies)
        rows.append(
            (
                s.label,
                tracer_of(s.tracer).label,
                figures.INFORMATION_WORDS[s.information],
                f"{100 * s.coverage:.1f} %",
                f"{100 * low:.1f} to {100 * high:.1f} %",
                _calibrated_on(s, people),
                number(s.width),
                number(s.sd_ratio, 2),
                number(s.crps, 4),
                number(s.skill, 2),
            )
        )
        if s.label in results.models:
            name = f"{s.label}, {tracer_of(s.tracer).label}, {_knows(s)}"
            claims.append(
                Claim(
                    f"{name}: coverage of the 90 % interval inside its acceptance band",
                    low <= s.coverage <= high,
                    f"{100 * s.coverage:.1f} %, band {100 * low:.1f} to {100 * high:.1f} %",
                )
            )
            if not math.isnan(s.sd_ratio):
                claims.append(
                    Claim(
                        f"{name}: not over-confident (regional sd at least {SD_OVERCONFIDENT:g} "
                        "of the oracle's)",
                        s.sd_ratio >= SD_OVERCONFIDENT,
                        f"ratio {number(s.sd_ratio, 2)}; right is {SD_RIGHT[0]:g} to "
                        f"{SD_RIGHT[1]:g}",
                    )
                )
    silent = [
        m for m in results.models if all(math.isnan(s.coverage) for s in scores if s.label == m)
    ]
    words = [
        (
            "The band is the exact beta-binomial 99 % acceptance band for the sizes of "
            "calibration and test set (500 and 500: 84.8 to 94.4 % at nominal 90 %); binomial "
            "where the calibration's size is not stated. CRPS skill: 0 is the population mean, 1 "
            "the oracle with MRI and clinic."
        ),
        *(f"{model} states no regional uncertainty." for model in silent),
    ]
    histograms = figures.rank_histograms(results)
    table = Table(
        "90 % intervals of the target region",
        (
            "Estimator", "Tracer", "Knows", "Coverage", "Acceptance band", "Calibrated on",
            "Width, SUVR", "sd over oracle's", "CRPS, SUVR", "CRPS skill",
        ),
        tuple(rows),
    )  # fmt: skip
    pictures = (histograms,) if histograms else ()
    return Section("Uncertainty", tuple(words), tuple(claims), (table,), pictures)


def _calibrated_on(s: Score, people: int | None) -> str:
    if s.label == ORACLE:
        return "exact posterior"
    if s.label in INFORMATION_OF:
        return "its own leave-one-out errors"
    return "not stated" if people is None else str(people)


def _knows(s: Score) -> str:
    return figures.INFORMATION_WORDS[s.information]
