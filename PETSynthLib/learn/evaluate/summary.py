"""Regional values as tidy rows: one number a subject, and summaries over subjects."""

from __future__ import annotations

import math

from ...quantify import COMPOSITES
from ..regions import region_index, region_keys
from ..tidy import ALL, Row
from .agreement import agreement
from .gather import Gathered
from .judge import per_subject_crps
from .results import Results, large_regions
from .zmap import region_flags


def subject_rows(results: Results) -> list[Row]:
    """Per subject: value, error and CRPS of the target region, for every estimator."""
    rows = []
    for (label, seed, tracer, info), values in results.regional.items():
        target = results.target(tracer)
        region = region_keys()[target]
        truth = results.truth[tracer][:, target]
        columns = {
            "suvr": values.mean[:, target],
            "error": values.mean[:, target] - truth,
            "absolute_error": abs(values.median[:, target] - truth),
            "crps": per_subject_crps(values, truth, target),
        }
        if values.low is not None and values.high is not None:
            columns |= {"interval_low": values.low[:, target]}
            columns |= {"interval_high": values.high[:, target]}
        for metric, numbers in columns.items():
            rows += [
                Row(
                    label,
                    seed,
                    tracer,
                    info,
                    s.subject,
                    s.anatomy,
                    s.site,
                    region,
                    metric,
                    float(v),
                )
                for s, v in zip(results.subjects, numbers, strict=True)
                if math.isfinite(v)
            ]
    for tracer, table in results.truth.items():
        target = results.target(tracer)
        region = region_keys()[target]
        for name, known in (("true", table), ("acquired", results.acquired[tracer])):
            rows += [
                Row(
                    name, 0, tracer, "", s.subject, s.anatomy, s.site, region, "suvr",
                    float(known[n, target]),
                )
                for n, s in enumerate(results.subjects)
                if math.isfinite(known[n, target])
            ]  # fmt: skip
    return rows


def summary_rows(gathered: Gathered) -> list[Row]:
    """Over subjects: agreement of every large region, and region flags."""
    results = gathered.results
    keys = (*COMPOSITES, *(key for key in large_regions() if key not in COMPOSITES))
    rows = []
    for (label, seed, tracer, info), values in results.regional.items():

        def row(region: str, metric: str, value: float) -> Row:
            return Row(label, seed, tracer, info, ALL, ALL, ALL, region, metric, value)  # noqa: B023

        every = region_keys() if label in results.models else keys
        for key in every:
            column = region_index(key)
            found = agreement(results.truth[tracer][:, column], values.mean[:, column])
            numbers = {
                "bias": found.bias,
                "sd_of_difference": found.sd,
                "limit_low": found.limits[0],
                "limit_high": found.limits[1],
                "trend": found.trend,
                "mape_percent": found.mape,
                "pearson_r": found.r,
                "ccc": found.ccc,
                "icc_2_1": found.icc.value,
                "icc_2_1_low": found.icc.low,
                "icc_2_1_high": found.icc.high,
                "slope": found.slope,
            }
            rows += [row(key, k, v) for k, v in numbers.items() if math.isfinite(v)]
        flags = region_flags(results.truth[tracer], values.mean, gathered.norms[tracer])
        rows += [row("", metric, value) for metric, value in flags.items()]
    return rows
