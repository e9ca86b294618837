"""Gain over the age/sex mean against how strongly MRI and clinic are linked to the PET.

``python Testing/benchmark/link_strength.py OUT --null REPORT --default REPORT --strong REPORT``
takes the folders that `petsynth evaluate` wrote for the three cohorts and makes
``link-strength.png`` and ``link-strength.md``. A method that has learnt the link gains nothing
where there is none, and more the stronger it is; one that gains on the null cohort has a leak.
`v1.py` calls it as soon as the three reports are there.

Gain: absolute error of the age/sex mean minus the method's, target region, SUVR, mean over
anatomies and training seeds; bars are two-level bootstrap intervals (95 %). A method is judged by
the mean of its samples, by its picture where it draws none. All subjects are simulated.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rows import Values, form_labels, richest

from PETSynthLib.learn.evaluate.controls import AGE_SEX
from PETSynthLib.learn.evaluate.figures import (
    GRID,
    INFORMATION_WORDS,
    MODEL_COLOURS,
    ORACLE_COLOUR,
    png,
)
from PETSynthLib.learn.evaluate.results import ORACLE
from PETSynthLib.learn.evaluate.statistics import by_anatomy, two_level_bootstrap
from PETSynthLib.learn.tidy import read_rows
from PETSynthLib.tracers import tracer as tracer_of

STRENGTHS = ("null", "default", "strong")
"""Configurations in the order of the link: cut, as published data suggest, strengthened."""
WORDS = {"null": "null (no link)", "default": "default", "strong": "strong"}
TITLE = "SIMULATED subjects: gain over the age/sex mean against link strength"


@dataclass(frozen=True)
class Gain:
    """Gain of one estimator on one cohort and tracer.

    Attributes
    ----------
    label, tracer, strength
        Who, on what, on which cohort.
    information
        What the estimator knew.
    value, low, high
        SUVR, with the 95 % interval.
    anatomies
        How many were judged.
    """

    label: str
    tracer: str
    strength: str
    information: str
    value: float
    low: float
    high: float
    anatomies: int


def gains_of(report: Path, strength: str) -> list[Gain]:
    """Gains of every model of a report and of the oracle."""
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    if summary["configuration"] != strength:
        raise SystemExit(
            f"The report {report} judges the configuration {summary['configuration']!r}, "
            f"not {strength!r}."
        )
    values: Values = {}
    anatomy: dict[str, str] = {}
    for row in read_rows(report / "metrics.csv"):
        if row.metric == "absolute_error":
            place = (row.model, row.seed, row.tracer, row.information, row.subject, row.metric)
            values[place] = row.value
            anatomy[row.subject] = row.anatomy
    labels = dict.fromkeys(model["label"] for model in summary["models"])
    tracers = sorted({key[2] for key in values})
    return [
        gain
        for tracer in tracers
        for label in (*labels, ORACLE)
        if (gain := _gain(values, anatomy, label, tracer, strength)) is not None
    ]


def _gain(
    values: Values, anatomy: dict[str, str], label: str, tracer: str, strength: str
) -> Gain | None:
    mine = [key for key in values if (key[0], key[2]) == (label, tracer)]
    if not mine:
        return None
    information = richest(values, label, tracer)
    judged = label if label == ORACLE else form_labels(values, label)["mean_of_samples"]
    seeds = sorted({key[1] for key in mine})
    people = sorted(anatomy)
    metric = "absolute_error"
    table = np.array(
        [
            [
                values.get((AGE_SEX, 0, tracer, "base", person, metric), math.nan)
                - values.get((judged, seed, tracer, information, person, metric), math.nan)
                for seed in seeds
            ]
            for person in people
        ]
    )
    by_brain = by_anatomy(table, [anatomy[person] for person in people])
    value = float(by_brain.mean()) if by_brain.size else math.nan
    low, high = two_level_bootstrap(by_brain)
    return Gain(label, tracer, strength, information, value, low, high, len(by_brain))


def draw(gains: list[Gain]) -> bytes:
    """The figure as PNG: a panel a tracer, a line an estimator."""
    tracers = list(dict.fromkeys(g.tracer for g in gains))
    labels = list(dict.fromkeys(g.label for g in gains if g.label != ORACLE))
    figure = Figure(figsize=(3.4 * len(tracers), 3.6), layout="constrained")
    figure.suptitle(TITLE, fontsize=10)
    for n, tracer in enumerate(tracers):
        axis = figure.add_subplot(1, len(tracers), n + 1)
        axis.axhline(0.0, color=ORACLE_COLOUR, linewidth=0.8)
        for place, label in enumerate((*labels, ORACLE)):
            mine = [g for s in STRENGTHS for g in gains if _is(g, label, tracer, s)]
            x = np.array([STRENGTHS.index(g.strength) for g in mine]) + 0.06 * place
            y = np.array([g.value for g in mine])
            bars = np.abs(np.array([(g.low, g.high) for g in mine]).T - y) if mine else None
            colour = ORACLE_COLOUR if label == ORACLE else MODEL_COLOURS[place % len(MODEL_COLOURS)]
            axis.errorbar(
                x, y, bars, color=colour, marker="o", markersize=4, linewidth=1.4, label=label,
                linestyle="--" if label == ORACLE else "-",
            )  # fmt: skip
        axis.set_xticks(range(len(STRENGTHS)), [WORDS[s] for s in STRENGTHS], fontsize=8)
        axis.set_title(tracer_of(tracer).label, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, axis="y", color=GRID, linewidth=0.6)
        axis.tick_params(labelsize=8)
    figure.axes[0].set_ylabel("gain over the age/sex mean, SUVR", fontsize=8)
    figure.axes[0].legend(fontsize=7, frameon=False)
    return png(figure)


def _is(gain: Gain, label: str, tracer: str, strength: str) -> bool:
    return (gain.label, gain.tracer, gain.strength) == (label, tracer, strength)


def table(gains: list[Gain]) -> str:
    """The same as Markdown."""
    lines = [f"# {TITLE}", "", *(__doc__ or "").split("\n\n")[2].strip().split("\n"), ""]
    lines += [
        f"| Tracer | Estimator | Knows | {' | '.join(WORDS[s] for s in STRENGTHS)} |",
        "|---|---|---|---|---|---|",
    ]
    for tracer, label in dict.fromkeys((g.tracer, g.label) for g in gains):
        mine = [[g for g in gains if _is(g, label, tracer, s)] for s in STRENGTHS]
        knows = next(g.information for found in mine for g in found)
        cells = [_cell(found[0]) if found else "" for found in mine]
        name = tracer_of(tracer).label
        lines.append(f"| {name} | {label} | {INFORMATION_WORDS[knows]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(gain: Gain) -> str:
    return f"{gain.value:.3f} ({gain.low:.3f} to {gain.high:.3f}), n = {gain.anatomies}"


def write(out: Path, reports: dict[str, Path]) -> tuple[Path, Path]:
    """Write figure and table of the three reports (configuration -> folder) into ``out``."""
    gains = [gain for strength in STRENGTHS for gain in gains_of(reports[strength], strength)]
    out.mkdir(parents=True, exist_ok=True)
    picture, words = out / "link-strength.png", out / "link-strength.md"
    picture.write_bytes(draw(gains))
    words.write_text(table(gains), encoding="utf-8")
    return picture, words


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    for strength in STRENGTHS:
        parser.add_argument(f"--{strength}", type=Path, required=True, metavar="REPORT")
    chosen = vars(parser.parse_args())
    for path in write(chosen["out"], {s: chosen[s] for s in STRENGTHS}):
        print(path)


if __name__ == "__main__":
    main()
