"""What the report says beside the primary endpoint: images, asymmetry, flags, sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...quantify.regions import title_of
from ...tracers import tracer as tracer_of
from ..regions import region_index
from ..tidy import Row, Section, Table, number
from . import figures
from .agreement import agreement
from .gather import Gathered
from .judge import RIVALS, Score
from .results import ORACLE, Results, large_regions
from .sections import icc_words
from .voxel_controls import FEWEST_FOR_NORM
from .zmap import FEWEST_PEOPLE

IMAGE_COLUMNS = (
    ("mae_suvr", "MAE", 3),
    ("mse_suvr2", "MSE", 4),
    ("psnr_db", "PSNR, dB", 2),
    ("ssim_brain", "SSIM, brain", 3),
    ("ssim_grid", "SSIM, grid", 3),
    ("pearson_r", "r", 3),
    ("relative_bias_percent", "bias, %", 1),
    ("z_r", "r of z-maps", 3),
    ("z2_dice", "Dice, z > 2", 3),
)


def region_section(results: Results, primary: tuple[str, ...]) -> Section:
    """Agreement of the large regions, the models beside the oracle."""
    tables = []
    for tracer in primary:
        keys = (tracer_of(tracer).target_region, *large_regions())
        rows = []
        for key in keys:
            column = region_index(key)
            truth = results.truth[tracer][:, column]
            for label in (*results.models, ORACLE):
                if not results.information_of(label, tracer):
                    continue
                found = agreement(truth, results.best(label, 0, tracer).mean[:, column])
                rows.append(
                    (
                        _title(key),
                        label,
                        number(float(np.nanmean(truth))),
                        number(found.bias),
                        f"{number(found.limits[0], 2)} to {number(found.limits[1], 2)}",
                        number(found.mape, 1),
                        number(found.r, 2),
                        icc_words(found),
                        number(found.ccc, 2),
                        number(found.slope, 2),
                        number(found.trend, 2),
                    )
                )
        tables.append(
            Table(
                f"{tracer_of(tracer).label}: large regions, both sides, SUVR",
                (
                    "Region", "Estimator", "True mean", "Bias", "Limits of agreement", "MAPE, %",
                    "r", "ICC(2,1) (95 %)", "CCC", "Slope", "Bland-Altman trend",
                ),
                tuple(rows),
            )
        )  # fmt: skip
    words = "Every atlas region, left and right, stands in metrics.csv."
    return Section("Regions", (words,), tables=tuple(tables))


def _title(key: str) -> str:
    name, _, side = key.partition(".")
    return f"{title_of(name)} {side}".strip()


def asymmetry_section(results: Results, scores: Sequence[Score]) -> Section:
    """Is the side difference of the target kept?"""
    rows = tuple(
        (
            s.label,
            tracer_of(s.tracer).label,
            figures.INFORMATION_WORDS[s.information],
            number(s.asymmetry.bias, 2),
            number(s.asymmetry.sd, 2),
            number(s.asymmetry.r, 2),
            number(s.asymmetry.slope, 2),
        )
        for s in scores
        if s.label in (*results.models, ORACLE) or s.label in RIVALS
    )
    table = Table(
        "Asymmetry index of the target region, percent",
        ("Estimator", "Tracer", "Knows", "Bias", "sd", "r", "Slope"),
        rows,
    )
    words = "A slope near 0 draws both sides alike; 1 keeps the true side difference."
    return Section("Asymmetry", (words,), (), (table,))


def image_section(gathered: Gathered, scores: Sequence[Score]) -> Section:
    """Whole-image metrics and the agreement of z-maps."""
    results = gathered.results
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for row in gathered.rows:
        key = (row.model, row.tracer, row.information, row.metric)
        found.setdefault(key, []).append(row.value)

    def cell(label: str, tracer: str, info: str, metric: str, digits: int) -> str:
        values = np.array(found.get((label, tracer, info, metric), []))
        values = values[np.isfinite(values)]
        if not values.size:
            return ""
        sd = f" ± {number(float(values.std(ddof=1)), digits)}" if values.size > 1 else ""
        return f"{number(float(values.mean()), digits)}{sd}"

    tables = []
    for tracer in results.tracers:
        rows = []
        for label in results.labels:
            for info in results.information_of(label, tracer):
                cells = [cell(label, tracer, info, m, digits) for m, _, digits in IMAGE_COLUMNS]
                if any(cells):
                    rows.append((label, figures.INFORMATION_WORDS[info], *cells))
                rows += _sample_rows(cell, label, tracer, info)
        heads = tuple(words for _, words, _ in IMAGE_COLUMNS)
        tables.append(
            Table(
                f"{tracer_of(tracer).label}: mean ± sd over subjects",
                ("Picture", "Knows", *heads),
                tuple(rows),
            )
        )
    words = (
        (
            "A low image error is no evidence of a useful picture: the controls show how far the "
            "mean person goes. A single sample has a higher error than the mean by design."
        ),
    )
    shown = []
    for model in results.models:
        chosen = _chosen_examples(gathered, model)
        if chosen:
            shown.append(figures.examples(model, chosen))
    return Section("Images", words, (), tuple(tables), tuple(shown))


def _sample_rows(
    cell: Callable[[str, str, str, str, int], str], label: str, tracer: str, info: str
) -> list[tuple[str, ...]]:
    rows = []
    for suffix, words in (("one_sample", "one sample"), ("mean_of_samples", "mean of the samples")):
        cells = [
            cell(label, tracer, info, f"{metric}_{suffix}", digits)
            for metric, _, digits in IMAGE_COLUMNS
        ]
        if any(cells):
            rows.append((f"{label}, {words}", figures.INFORMATION_WORDS[info], *cells))
    return rows


def _chosen_examples(gathered: Gathered, model: str) -> list[figures.Example]:
    """The first tracer's subjects with the median and with the largest error."""
    results = gathered.results
    for tracer in results.tracers:
        info = results.information_of(model, tracer)
        if not info:
            continue
        error = results.absolute_error(model, tracer, info[-1])[:, 0]
        order = [int(n) for n in np.argsort(error) if np.isfinite(error[n])]
        order = [n for n in order if (model, tracer, n) in gathered.slices]
        if not order:
            continue
        picked = {"median error": order[len(order) // 2], "largest error": order[-1]}
        return [
            figures.Example(
                results.subjects[n].subject,
                tracer,
                f"{words}: {error[n]:.3f} SUVR",
                *gathered.slices[model, tracer, n],
            )
            for words, n in picked.items()
        ]
    return []


def site_section(results: Results) -> Section | None:
    """Error of the target region by site; None with a single one."""
    sites = sorted({s.site for s in results.subjects})
    if len(sites) < 2:
        return None
    rows = []
    for tracer in results.tracers:
        for label in results.labels:
            info = results.information_of(label, tracer)
            if not info:
                continue
            error = results.absolute_error(label, tracer, info[-1]).mean(1)
            cells = []
            for site in sites:
                here = np.array([s.site == site for s in results.subjects])
                values = error[here & np.isfinite(error)]
                cells.append(
                    f"{number(float(values.mean()))} ({len(values)})" if len(values) else ""
                )
            rows.append((tracer_of(tracer).label, label, *cells))
    table = Table(
        "Mean absolute error of the target region, SUVR (number of subjects)",
        ("Tracer", "Estimator", *(site or "unknown" for site in sites)),
        tuple(rows),
    )
    return Section("Sites", (), (), (table,))


def flag_section(gathered: Gathered, rows: Sequence[Row]) -> Section:
    """Region flags: would the same regions be marked abnormal? By whose norm?"""
    results = gathered.results
    names = (
        "flag_sensitivity", "flag_ppv", "any_flag_true_share", "any_flag_share",
        "peak_region_match",
    )  # fmt: skip
    found = {
        (r.model, r.seed, r.tracer, r.information, r.metric): r.value
        for r in rows
        if r.metric in names
    }
    table_rows = []
    for tracer in results.tracers:
        for label in (*results.models, *RIVALS, ORACLE):
            info = results.information_of(label, tracer)
            values = (
                [found.get((label, 0, tracer, info[-1], name)) for name in names] if info else []
            )
            if any(v is not None for v in values):
                table_rows.append((tracer_of(tracer).label, label, *(number(v, 2) for v in values)))
    thresholds = ", ".join(
        f"{tracer_of(t).label} {number(norm.threshold, 2)} ({norm.people} people)"
        for t, norm in gathered.norms.items()
    )
    words = (
        (
            "A region is flagged when its z exceeds one threshold, set so that 5 % of the "
            f"healthy training people get any flag (each judged by the others): {thresholds}. "
            f"n/a: fewer than {FEWEST_PEOPLE} healthy people."
        ),
        *_without_norm(gathered),
    )
    table = Table(
        "Region flags against those of the true PET",
        (
            "Tracer", "Estimator", "Sensitivity", "PPV", "Any flag, true PET", "Any flag",
            "Same most abnormal region",
        ),
        tuple(table_rows),
    )  # fmt: skip
    return Section("Region flags", words, (), (table,) if table_rows else ())


def _without_norm(gathered: Gathered) -> tuple[str, ...]:
    """Which tracers have no norm; people of unknown diagnosis are not taken for healthy."""
    names = [
        tracer_of(t).label for t, norm in gathered.norms.items() if norm.people < FEWEST_FOR_NORM
    ]
    if not names:
        return ()
    return (
        (
            f"{', '.join(names)}: of no training person with this PET, or of one alone, the "
            "diagnosis is known to be none. There is no norm: no z-map, no cluster and no flag."
        ),
    )
