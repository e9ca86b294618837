"""Regions as bars: value, 90 % interval, mean of age and sex, normal band, cut-offs.

The drawing holds no text, so that it may be as wide as the page; words stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ..colour_maps import ticks
from ..quantify import title_of
from ..tracers import Cutoff
from .report_content import RegionLine
from .report_parts import note
from .tables import NO_INTERVAL, interval_text, value_text

WIDTH, HEIGHT = 1000.0, 28.0
UNCALIBRATED = "uncalibrated spread"


@dataclass(frozen=True)
class Axis:
    """SUVR from the left to the right end of every bar."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Place of a value, 0 at the left end to 1 at the right, held between them."""
        return float(np.clip((value - self.low) / (self.high - self.low), 0.0, 1.0))

    def x(self, value: float) -> float:
        """The same in the drawing's units."""
        return round(WIDTH * self.share(value), 1)


def interval_of(line: RegionLine) -> tuple[float, float] | None:
    """The 90 % interval, or value and uncalibrated spread; None without either."""
    value = line.row.value
    if value is None:
        return None
    if value.interval is not None:
        return value.interval
    if line.spread is None:
        return None
    return max(value.mean - line.spread, 0.0), value.mean + line.spread


def interval_words(line: RegionLine) -> str:
    """The interval as it may be printed; an uncalibrated spread says so."""
    if line.row.value is None or line.row.value.interval is not None:
        return interval_text(line.row)
    spread = interval_of(line)
    return NO_INTERVAL if spread is None else f"{UNCALIBRATED} {spread[0]:.2f} to {spread[1]:.2f}"


def axis_of(lines: Iterable[RegionLine], cutoffs: Iterable[Cutoff] = ()) -> Axis:
    """An axis with round ends that holds all that is drawn."""
    values = [cut.value for cut in cutoffs]
    for line in lines:
        if line.row.value is not None:
            values += [line.row.value.mean, *(interval_of(line) or ()), *(line.normal or ())]
            values += [] if line.expected is None else [line.expected]
    if not values:
        return Axis(0.0, 1.0)
    low, high = min(values), max(values)
    margin = max(0.05 * (high - low), 0.05)
    return Axis(max(np.floor(10 * (low - margin)) / 10, 0.0), np.ceil(10 * (high + margin)) / 10)


def bars(lines: Sequence[RegionLine], cutoffs: Sequence[Cutoff], mean_words: str) -> str:
    """One bar a region, both sides together.

    Parameters
    ----------
    lines
        Lines of one side are left out: the table has them.
    cutoffs
        Markers; each stands on the bar of its region only.
    mean_words
        What ``expected`` is, for the legend.
    """
    shown = [line for line in lines if line.row.side in ("both", "B")]
    if not shown:
        return ""
    here = [cut for cut in cutoffs if any(cut.region == line.row.region for line in shown)]
    axis = axis_of(shown, here)
    rows = "".join(_bar(line, axis, here, mean_words) for line in shown)
    return (
        f'<div class=bars><div class="bar axis" aria-hidden=true><span></span>'
        f"<span class=scale>{_ticks(axis)}</span><span class=said>SUVR</span></div>{rows}</div>"
        + _legend(shown, here, mean_words)
    )


def _bar(line: RegionLine, axis: Axis, cutoffs: Sequence[Cutoff], mean_words: str) -> str:
    row = line.row
    mine = [cut for cut in cutoffs if cut.region == row.region]
    title = title_of(row.region)
    words = _words(line, mean_words, mine)
    short = interval_words(line).replace(UNCALIBRATED, "uncalibrated").replace(NO_INTERVAL, "")
    interval = f"<span class=quiet>{escape(short)}</span>"
    said = f"<b>{escape(value_text(row))}</b> {interval}"
    if row.value is None:
        said = f"<span class=quiet>{escape(row.instead)}</span>"
    flag = " <b>flagged</b>" if line.flagged else ""
    return (
        f"<div class=bar><span class=name>{escape(title)}</span>"
        f'<svg role=img aria-label="{escape(f"{title}: {words}", quote=True)}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio=none>'
        f"{_grid(axis)}{_drawn(line, axis, mine)}</svg>"
        f"<span class=said>{said}{flag}</span></div>"
    )


def _words(line: RegionLine, mean_words: str, cutoffs: Sequence[Cutoff]) -> str:
    row = line.row
    if row.value is None:
        return row.instead
    parts = [f"{value_text(row)} SUVR", f"90 %: {interval_words(line)}"]
    if line.expected is not None:
        parts.append(f"{mean_words} {line.expected:.2f}")
    if line.normal is not None:
        parts.append(f"normal {line.normal[0]:.2f} to {line.normal[1]:.2f}")
    parts += [f"{cut.words} {cut.value:g}" for cut in cutoffs]
    return "; ".join(parts)


def _drawn(line: RegionLine, axis: Axis, cutoffs: Sequence[Cutoff]) -> str:
    """The marks from back to front."""
    value = line.row.value
    parts = []
    if line.normal is not None:
        left, right = (axis.x(end) for end in line.normal)
        parts.append(_box("normal", left, 3.0, right - left, HEIGHT - 6.0))
    if value is None:
        return "".join(parts)
    interval = interval_of(line)
    if interval is not None:
        left, right = (axis.x(end) for end in interval)
        kind = "interval" if value.interval is not None else "spread"
        parts.append(_box(kind, left, 9.0, right - left, HEIGHT - 18.0))
    if line.expected is not None:
        parts.append(_tick("mean", axis.x(line.expected), 3.0, HEIGHT - 3.0))
    parts += [_tick("cutoff", axis.x(cut.value), 0.0, HEIGHT) for cut in cutoffs]
    parts.append(_tick("value", axis.x(value.mean), 5.0, HEIGHT - 5.0))
    return "".join(parts)


def _box(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class={kind} x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}"/>'


def _tick(kind: str, x: float, top: float, bottom: float) -> str:
    return f'<line class={kind} x1="{x:g}" x2="{x:g}" y1="{top:g}" y2="{bottom:g}"/>'


def _grid(axis: Axis) -> str:
    return "".join(_tick("grid", axis.x(v), 0.0, HEIGHT) for v in ticks(axis.low, axis.high))


def _ticks(axis: Axis) -> str:
    return "".join(
        f'<i style="left:{100 * axis.share(v):.1f}%">{v:.1f}</i>'
        for v in ticks(axis.low, axis.high)
    )


def _legend(shown: Sequence[RegionLine], cutoffs: Sequence[Cutoff], mean_words: str) -> str:
    calibrated = any(line.row.value and line.row.value.interval for line in shown)
    entries = [
        ("value", "this PET", any(line.row.value for line in shown)),
        ("interval", "90 % interval", calibrated),
        ("spread", f"{UNCALIBRATED}: nobody has checked how often it holds", _spread(shown)),
        ("mean", mean_words, any(line.expected is not None for line in shown)),
        ("normal", "90 % of the normals", any(line.normal for line in shown)),
        ("cutoff", "cut-off of the literature, a marker and no verdict", bool(cutoffs)),
    ]
    keys = "".join(
        f'<span><svg viewBox="0 0 28 28" aria-hidden=true>{_key(kind)}</svg>{escape(words)}</span>'
        for kind, words, there in entries
        if there
    )
    sources = [
        f"{cut.words}: {cut.value:g} SUVR in the {title_of(cut.region).lower()}, made for "
        f"{cut.pipeline} ({cut.source})."
        for cut in cutoffs
    ]
    return f"<p class=legend>{keys}</p>{note(*sources)}"


def _spread(shown: Sequence[RegionLine]) -> bool:
    return any(line.spread is not None for line in shown)


def _key(kind: str) -> str:
    if kind in ("value", "mean", "cutoff"):
        return _tick(kind, 14.0, 3.0, 25.0)
    return _box(kind, 1.0, 8.0, 26.0, 12.0)
