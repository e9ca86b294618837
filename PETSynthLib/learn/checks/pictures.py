"""The plots of the checks (matplotlib, drawn off screen)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas

from ...clinical import FIELDS
from ..evaluate.figures import CONTROL_COLOUR, GRID, INK, MODEL_COLOURS, png
from ..tidy import Figure, number
from .arms import Array

ROW_INCHES = 0.26
Line = tuple[str, float, float, float, bool]
"""Words, value, ends of its interval, and whether a synthetic PET is part of it."""


def arms_figure(measure: str, caption: str, lines: Sequence[Line], clinic: float) -> Figure:
    """A measure of every evidence with its interval; the clinic alone is the dashed line."""
    canvas = Canvas(figsize=(8.6, 0.9 + ROW_INCHES * len(lines)), layout="constrained")
    axis = canvas.add_subplot()
    for place, (_, value, low, high, synthetic) in enumerate(reversed(lines)):
        colour = MODEL_COLOURS[0] if synthetic else CONTROL_COLOUR
        axis.plot([low, high], [place, place], color=colour, linewidth=1.6)
        axis.plot([value], [place], "o", color=colour, markersize=5)
    axis.axvline(clinic, color=INK, linewidth=0.9, linestyle="--")
    axis.set_yticks(range(len(lines)), [line[0] for line in reversed(lines)], fontsize=8)
    axis.set_xlabel(measure, fontsize=9)
    axis.tick_params(axis="x", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(True, axis="x", color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    words = "; ".join(f"{line[0]} {number(line[1], 2)}" for line in lines)
    return Figure(png(canvas), f"{measure}: {words}", caption)


def effects_figure(
    caption: str,
    tracers: Sequence[str],
    changes: dict[str, dict[str, tuple[Array, Array]]],
    bounds: tuple[float, float],
) -> Figure:
    """The model's change of the target region against the oracle's, a panel a tracer.

    Parameters
    ----------
    changes
        Tracer -> clinical field -> (oracle's changes, model's changes), SUVR.
    bounds
        Slopes between which the model should lie: the shaded wedge.
    """
    canvas = Canvas(figsize=(3.1 * len(tracers), 3.2), layout="constrained")
    for n, tracer in enumerate(tracers):
        axis = canvas.add_subplot(1, len(tracers), n + 1)
        found = changes[tracer]
        reach = max(float(np.abs(np.concatenate(pair)).max()) for pair in found.values())
        ends = np.array([-1.05, 1.05]) * max(reach, 1e-3)
        axis.fill_between(ends, bounds[0] * ends, bounds[1] * ends, color=GRID, linewidth=0)
        axis.plot(ends, ends, color=INK, linewidth=0.9)
        for colour, (field, (oracle, model)) in zip(MODEL_COLOURS, found.items(), strict=False):
            label = FIELDS[field].label
            axis.plot(oracle, model, "o", color=colour, markersize=4, alpha=0.8, label=label)
        axis.set_title(tracer, fontsize=9)
        axis.set_xlabel("oracle's change, SUVR", fontsize=8)
        axis.set_ylabel("model's change, SUVR", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize=7, frameon=False)
    return Figure(
        png(canvas), f"Model's change against the oracle's: {', '.join(tracers)}", caption
    )
