"""The plots of the report (matplotlib, drawn off screen)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from ...export import marks
from ...tracers import tracer as tracer_of
from ..tidy import INFORMATION, Figure
from .controls import INFORMATION_OF
from .judge import FULL, Score, probability_of_truth
from .results import ORACLE, Floats, Image, Results

DPI = 110
INK, QUIET, GRID = "#1d2329", "#7d8790", "#e2e5e8"
ORACLE_COLOUR, CONTROL_COLOUR = "#1d2329", "#9aa4ad"
MODEL_COLOURS = ("#0b6bb5", "#c4500a", "#5b3fa0", "#1b7f5c", "#a3195b", "#8a6d00")
INFORMATION_WORDS = {
    "none": "nothing",
    "base": "age, sex",
    "clinic": "clinic",
    "mri": "MRI",
    "both": "MRI + clinic",
}
RANK_BINS = 10


def png(figure: Canvas) -> bytes:
    """A matplotlib figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def _panels(count: int, width: float = 3.3, height: float = 3.1) -> tuple[Canvas, list[Axes]]:
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    figure = Canvas(figsize=(width * columns, height * rows), layout="constrained")
    axes = [figure.add_subplot(rows, columns, n + 1) for n in range(count)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8, colors=INK)
        axis.grid(True, color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, axes


def colour_of(results: Results, label: str) -> str:
    """The colour of an estimator in every plot."""
    if label == ORACLE:
        return ORACLE_COLOUR
    if label in results.models:
        return MODEL_COLOURS[results.models.index(label) % len(MODEL_COLOURS)]
    return CONTROL_COLOUR  # also for a model's own variants: only its mean picture is coloured


def ladder(results: Results, scores: Sequence[Score]) -> Figure:
    """Error of the target region at each information set: is the method poor, or the MRI mute?"""
    figure, axes = _panels(len(results.tracers))
    place = {info: n for n, info in enumerate(INFORMATION)}
    for axis, tracer in zip(axes, results.tracers, strict=True):
        for label in (*results.models, ORACLE):
            found = [s for s in scores if (s.label, s.tracer) == (label, tracer)]
            if not found:
                continue
            x = np.array([place[s.information] for s in found], float)
            x += 0.0 if label == ORACLE else 0.08 * (1 + results.models.index(label))
            y = np.array([s.mae for s in found])
            ends = np.array([s.mae_interval for s in found]).T
            colour = colour_of(results, label)
            axis.errorbar(
                x, y, np.abs(ends - y), color=colour, marker="o", markersize=4, linewidth=1.4,
                elinewidth=0.9, label=label,
            )  # fmt: skip
        controls = [
            s for s in scores
            if s.tracer == tracer and s.label not in (*results.models, ORACLE)
            and s.label in INFORMATION_OF
        ]  # fmt: skip
        axis.plot(
            [place[s.information] - 0.1 for s in controls],
            [s.mae for s in controls],
            "D", color=CONTROL_COLOUR, markersize=4, label="controls",
        )  # fmt: skip
        axis.set_xticks(range(len(INFORMATION)), [INFORMATION_WORDS[i] for i in INFORMATION])
        axis.tick_params(axis="x", labelrotation=30)
        axis.set_ylim(bottom=0)
        axis.set_title(tracer_of(tracer).label, fontsize=10)
        axis.set_ylabel("mean absolute error, SUVR", fontsize=8)
    axes[0].legend(fontsize=7, frameon=False, loc="lower left")
    return Figure(
        png(figure),
        "Error of the target region against what an estimator knows, one panel a tracer.",
        "Information ladder. Where the oracle itself stays high, MRI and clinic do not know the "
        "tracer's uptake, and no method can. Bars: 95 % bootstrap intervals over anatomies.",
    )


def forest(results: Results, scores: Sequence[Score]) -> Figure | None:
    """Excess over the oracle of every estimator, the primary endpoint; None without an oracle."""
    tracers = [t for t in results.tracers if (ORACLE, 0, t, FULL) in results.regional]
    if not tracers:
        return None
    rows = [
        (label, [s for s in scores if s.label == label])
        for label in results.labels
        if label != ORACLE
    ]
    figure = Canvas(
        figsize=(2.2 + 2.3 * len(tracers), 0.6 + 0.27 * len(rows)), layout="constrained"
    )
    first: Axes | None = None
    for n, tracer in enumerate(tracers):
        axis = figure.add_subplot(1, len(tracers), n + 1, sharey=first)
        first = first or axis
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.axvline(0.0, color=ORACLE_COLOUR, linewidth=1.0)
        for y, (label, found) in enumerate(rows):
            mine = [s for s in found if s.tracer == tracer]
            if mine:
                best = mine[-1]
                low, high = best.excess_interval
                colour = colour_of(results, label)
                axis.plot([low, high], [y, y], color=colour, linewidth=1.6)
                axis.plot(best.excess, y, "o", color=colour, markersize=4.5)
        axis.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=8)
        axis.tick_params(axis="y", length=0, labelleft=n == 0)
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(True, axis="x", color=GRID, linewidth=0.6)
        axis.set_title(tracer_of(tracer).label, fontsize=10)
        axis.set_xlabel("excess error, SUVR", fontsize=8)
    assert first is not None
    first.invert_yaxis()
    return Figure(
        png(figure),
        "Mean absolute error of the target region minus the oracle's, with intervals.",
        "Primary endpoint: error of the target region in excess of the oracle that knows MRI and "
        "clinic (vertical line: the oracle). Each estimator with the richest information it "
        "takes. Bars: 95 % bootstrap intervals over anatomies (and training seeds).",
    )


def scatter(results: Results, model: str) -> Figure:
    """Synthetic on true target values, with the line of identity and the fitted slope."""
    tracers = [t for t in results.tracers if results.information_of(model, t)]
    figure, axes = _panels(len(tracers))
    for axis, tracer in zip(axes, tracers, strict=True):
        target = results.target(tracer)
        x = results.truth[tracer][:, target]
        y = results.best(model, 0, tracer).mean[:, target]
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        ends = _identity(axis, x, y)
        axis.plot(x, y, "o", color=colour_of(results, model), markersize=4, alpha=0.75)
        if len(x) > 2 and np.ptp(x) > 0:
            slope, start = np.polyfit(x, y, 1)
            axis.plot(ends, slope * ends + start, color=QUIET, linewidth=1.2)
            axis.text(0.04, 0.93, f"slope {slope:.2f}", transform=axis.transAxes, fontsize=8)
        axis.set_title(tracer_of(tracer).label, fontsize=10)
        axis.set_xlabel("true target SUVR", fontsize=8)
        axis.set_ylabel("synthetic target SUVR", fontsize=8)
    return Figure(
        png(figure),
        f"Synthetic against true target values of {model}, one panel a tracer.",
        f"{model}: synthetic on true SUVR of each tracer's target region, one dot a subject. "
        "Dashed: identity. A slope below 1 is regression to the mean.",
    )


def _identity(axis: Axes, x: Floats, y: Floats) -> Floats:
    if len(x) == 0:
        return np.array([0.0, 1.0])
    both = np.concatenate([x, y])
    margin = 0.05 * max(float(np.ptp(both)), 0.1)
    ends = np.array([both.min() - margin, both.max() + margin])
    axis.plot(ends, ends, "--", color=INK, linewidth=0.8)
    axis.set_xlim(*ends)
    axis.set_ylim(*ends)
    return ends


def bland_altman(results: Results, model: str) -> Figure:
    """Difference against mean of true and synthetic target values, with limits of agreement."""
    tracers = [t for t in results.tracers if results.information_of(model, t)]
    figure, axes = _panels(len(tracers))
    for axis, tracer in zip(axes, tracers, strict=True):
        target = results.target(tracer)
        x = results.truth[tracer][:, target]
        y = results.best(model, 0, tracer).mean[:, target]
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        axis.plot(
            (x + y) / 2, y - x, "o", color=colour_of(results, model), markersize=4, alpha=0.75
        )
        if len(x) > 1:
            bias, sd = float((y - x).mean()), float((y - x).std(ddof=1))
            for height, style in ((bias, "-"), (bias - 1.96 * sd, "--"), (bias + 1.96 * sd, "--")):
                axis.axhline(height, color=QUIET, linestyle=style, linewidth=1.0)
        axis.axhline(0.0, color=INK, linewidth=0.6)
        axis.set_title(tracer_of(tracer).label, fontsize=10)
        axis.set_xlabel("mean of true and synthetic, SUVR", fontsize=8)
        axis.set_ylabel("synthetic - true, SUVR", fontsize=8)
    return Figure(
        png(figure),
        f"Bland-Altman plot of {model}, one panel a tracer.",
        f"{model}: Bland-Altman plot of the target region; bias and limits of agreement (bias -+ "
        "1.96 sd). A trend means that high and low values are drawn together.",
    )


def rank_histograms(results: Results) -> Figure | None:
    """Where the truth falls in the stated distribution; flat is calibrated."""
    labels = [*results.models, ORACLE]
    panels = []
    for label in labels:
        values = []
        for tracer in results.tracers:
            if not results.information_of(label, tracer):
                continue
            target = results.target(tracer)
            truth = results.truth[tracer][:, target]
            for seed in range(results.seeds_of(label)):
                best = results.best(label, seed, tracer)
                values.append(probability_of_truth(best, truth, target))
        pooled = np.concatenate(values) if values else np.empty(0)
        if np.isfinite(pooled).any():
            panels.append((label, pooled[np.isfinite(pooled)]))
    if not panels:
        return None
    figure, axes = _panels(len(panels), height=2.5)
    for axis, (label, pooled) in zip(axes, panels, strict=True):
        axis.hist(
            pooled, bins=RANK_BINS, range=(0, 1), color=colour_of(results, label), rwidth=0.92
        )
        axis.axhline(len(pooled) / RANK_BINS, color=INK, linestyle="--", linewidth=0.9)
        axis.set_title(label, fontsize=10)
        axis.set_xlabel("share of the stated distribution below the truth", fontsize=8)
        axis.set_ylabel("subjects x tracers", fontsize=8)
    return Figure(
        png(figure),
        "Rank histograms of models and oracle.",
        "Rank histograms over all tracers' target regions. Flat (dashed): calibrated. U-shaped: "
        "over-confident. Hump: too wide. Sloping: biased.",
    )


@dataclass(frozen=True, eq=False)
class Example:
    """One axial slice (I, J) of a subject: MRI, true and synthetic PET."""

    subject: str
    tracer: str
    words: str
    t1: Image
    truth: Image
    synthetic: Image


DIFFERENCE_SUVR = 0.5
"""End of the colour scale of a difference."""


def examples(model: str, shown: Sequence[Example]) -> Figure:
    """Slices beside each other: T1, true, synthetic, difference; one row a subject."""
    heads = ("T1 MRI", "true PET", f"{marks.WORD} PET", "synthetic - true")
    figure = Canvas(figsize=(8.6, 2.35 * len(shown)), layout="constrained")
    for row, example in enumerate(shown):
        low, high = tracer_of(example.tracer).window
        end = DIFFERENCE_SUVR
        difference = example.synthetic - example.truth
        for column, (image, limits, colours) in enumerate(
            (
                (example.t1, (0.0, 1.2), "gray"),
                (example.truth, (low, high), "inferno"),
                (example.synthetic, (low, high), "inferno"),
                (difference, (-end, end), "RdBu_r"),
            )
        ):
            axis = figure.add_subplot(len(shown), 4, 4 * row + column + 1)
            drawn = axis.imshow(
                image.T, origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1]
            )
            axis.set_xticks([])
            axis.set_yticks([])
            if row == 0:
                axis.set_title(heads[column], fontsize=8)
            if column == 0:
                axis.set_ylabel(
                    f"{tracer_of(example.tracer).label}\n{example.subject}\n{example.words}",
                    fontsize=7,
                )
            if column in (2, 3):
                bar = figure.colorbar(drawn, ax=axis, shrink=0.85)
                bar.ax.tick_params(labelsize=7)
    return Figure(
        png(figure),
        f"Axial slices of MRI, true PET and PET made by {model}.",
        f"{model}: one axial slice of the subjects with the median and with the largest error of "
        "the target region. Left of the image is the subject's left. SUVR; the last column shows "
        f"differences up to {DIFFERENCE_SUVR:g} SUVR. The synthetic PET is the expected PET: it "
        "is smoother than any single one by design.",
    )
