"""The report: one HTML file that needs nothing else, calm, and honest in its first line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from ..checks import Finding, Verdict
from ..quantify import RegionValue, title_of
from ..quantify.regions import SIDE_WORDS
from . import marks
from .report_bars import bars, interval_of, interval_words
from .report_content import UPTAKE_PAGE, RegionLine, ReportContent
from .report_parts import (
    definitions,
    details,
    note,
    number,
    pairs,
    picture,
    plain_row,
    section,
    table,
)
from .report_script import BUTTON, SCRIPT, TEXT, content_policy
from .report_style import REPORT_STYLE, STYLE
from .tables import value_text

REPORT = "report.html"

_LIGHTS = {
    Verdict.RED: ("#b3261e", "stop"),
    Verdict.AMBER: ("#d98a00", "caution"),
    Verdict.GREEN: ("#2e7d4f", "in order"),
}
_UNDECIDED = ("#7a7f87", "no verdict")
_SURFACE_TITLES = {UPTAKE_PAGE: "Uptake", "ssp-decrease": "Decrease", "ssp-increase": "Increase"}


def write_report(path: Path, content: ReportContent) -> None:
    """Write the report as self-contained HTML (UTF-8; nothing is loaded from elsewhere).

    Parameters
    ----------
    path
        New file.
    content
        What it says.
    """
    path.write_text(report_html(content), encoding="utf-8")


def report_html(content: ReportContent) -> str:
    """The report's HTML."""
    name = marks.TITLE if content.release.synthetic else marks.ACQUIRED_TITLE
    banner = "".join(f"<p>{escape(line)}</p>" for line in content.banner)
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{content_policy()}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(name)} - {escape(content.tracer.label)}</title>",
            f"<style>{STYLE}{REPORT_STYLE}</style></head><body>",
            f"<div class=banner>{banner}</div>",
            f"<div class=ribbon aria-hidden=true>{escape(content.ribbon)}</div>",
            f"<main><header><h1>{escape(content.title)}</h1>",
            f"<p class=lead>{escape(content.lead)}</p></header>",
            *filter(None, _sections(content)),
            f"<footer>{''.join(f'<p>{escape(line)}</p>' for line in content.footer)}</footer>",
            f"</main><script>{SCRIPT}</script></body></html>\n"
            if content.copy
            else "</main></body></html>\n",
        ]
    )


def _sections(content: ReportContent) -> list[str]:
    return [
        picture(content.slices) if content.slices else "",
        section("Checks of input and output", _lights(content.findings)),
        section(
            "Regions",
            note(content.flags),
            bars(content.headline, content.cutoffs, _mean_words(content)),
            _region_table(content.headline, content),
            note(*content.region_notes),
            note(content.normals),
        ),
        section("Scales", definitions(content.scales)),
        _added(content),
        _surface(content),
        section(content.facts_title, definitions(content.facts)),
        section(
            "Text to copy",
            f'<button type=button id="{BUTTON}" hidden>Copy this text</button>'
            f'<pre class=copy id="{TEXT}">{escape(content.copy)}</pre>',
        )
        if content.copy
        else "",
        section("Limits", f"<p class=stop>{escape(content.do_not_use)}</p>")
        if content.do_not_use
        else "",
        details(
            f"All regions ({content.atlas})" if content.atlas else "All regions",
            _region_table(content.regions, content),
            note(content.all_regions_note),
        )
        if content.regions
        else "",
        details("How the images were prepared", _steps(content)) if content.steps else "",
        details("How it was made", definitions(content.provenance, "mono")),
    ]


def _mean_words(content: ReportContent) -> str:
    return content.added.mean_words if content.added else "mean of this age and sex"


def _lights(findings: Iterable[Finding]) -> str:
    order = list(_LIGHTS)
    rows = []
    for finding in sorted(findings, key=lambda f: order.index(f.verdict)):
        colour, word = _UNDECIDED if finding.undecided else _LIGHTS[finding.verdict]
        value = finding.value if isinstance(finding.value, str) else f"{finding.value:g}"
        rows.append(
            f'<tr><td class=light><svg class=disc viewBox="0 0 16 16" aria-hidden=true>'
            f'<circle cx="8" cy="8" r="7" fill="{colour}"/></svg><b>{word}</b></td>'
            f"<td>{escape(finding.sentence)}</td>{number(value)}"
            f"<td class=quiet>{escape(finding.limit)}</td></tr>"
        )
    if not rows:
        return ""
    amber = sum(f.verdict is not Verdict.GREEN for f in findings)
    count = "1 check" if len(rows) == 1 else f"{len(rows)} checks"
    caption = f"{count}, {amber} of them to be read" if amber else count
    return table(("Verdict", "What was found", "Value", "Limit"), rows, caption)


def _region_table(lines: Iterable[RegionLine], content: ReportContent) -> str:
    shown = tuple(lines)
    beside = any(line.row.image_only is not None for line in shown)
    judged = any(line.z is not None for line in shown)
    # An acquired PET has no interval, and no column that says so eighty times.
    unsure = content.release.synthetic or any(interval_of(line) for line in shown)
    head = ["Region", "Side", "mL", "SUVR"]
    head += ["90 % interval"] if unsure else []
    head += ["SUVR from the image only"] if beside else []
    head += ["z", "Percentile"] if judged else []
    extra = list(dict.fromkeys(heading for line in shown for heading, _ in line.extra))
    rows = [_region_row(line, unsure, beside, judged, extra) for line in shown]
    return table([*head, *extra, "Side difference"], rows, content.quantity)


def _region_row(
    line: RegionLine, unsure: bool, beside: bool, judged: bool, extra: Sequence[str]
) -> str:
    row = line.row
    first = row.side in ("both", "B")
    cells = [
        _region_heading(line),
        f"<td>{SIDE_WORDS[row.side]}</td>",
        number(f"{row.ml:.1f}"),
        number(value_text(row), quiet=row.value is None),
    ]
    if unsure:
        cells.append(number(interval_words(line) if row.value else "", quiet=True))
    if beside:
        cells.append(number("" if row.image_only is None else f"{row.image_only:.2f}"))
    if judged:
        flag = " flagged" if line.flagged else ""
        cells.append(number("" if line.z is None else f"{line.z:.1f}{flag}"))
        cells.append(number("" if line.percentile is None else f"{line.percentile:.0f}"))
    cells += [number(dict(line.extra).get(heading, "")) for heading in extra]
    cells.append(f"<td>{escape(row.asymmetry)}</td>")
    return f"<tr{' class=first' if first else ''}>{''.join(cells)}</tr>"


def _region_heading(line: RegionLine) -> str:
    if line.row.side in ("both", "B"):
        return f"<th scope=row>{escape(title_of(line.row.region))}</th>"
    return "<th></th>"


def _added(content: ReportContent) -> str:
    added = content.added
    if added is None:
        return ""
    whole = [line for line in content.headline if line.row.side in ("both", "B")]
    holds = [held for line in whole if (held := _holds_mean(line)) is not None]
    rows = [row for line in whole if (row := _added_row(line, bool(holds)))]
    head = ["Region", "PET", added.mean_words, "Difference", "Percent"]
    head += ["Own 90 % interval"] if holds else []
    body = table(head, rows, f"{content.quantity}; both sides together") if rows else ""
    said = ""
    if holds:
        said = (
            f"In {holds.count(False) or 'none'} of {len(holds)} regions the difference is larger "
            "than this model's own uncertainty."
        )
    return section(added.title, picture(added.picture), body, note(said, added.note))


def _added_row(line: RegionLine, with_interval: bool) -> str:
    heading, value = _region_heading(line), line.row.value
    if value is None:
        empty = (3 + with_interval) * "<td></td>"
        return f"<tr>{heading}{number(line.row.instead, quiet=True)}{empty}</tr>"
    if line.expected is None:
        return ""
    own = _as_expected(line, value)
    difference = own - line.expected
    percent = 100.0 * difference / line.expected if line.expected > 0.0 else 0.0
    cells = (
        f"{own:.2f}",
        f"{line.expected:.2f}",
        _signed(difference, 2),
        _signed(percent, 0, " %"),
    )
    words = {True: "holds the mean", False: "does not hold the mean", None: "not known"}
    held = "" if not with_interval else f"<td>{words[_holds_mean(line)]}</td>"
    return f"<tr>{heading}{''.join(number(cell) for cell in cells)}{held}</tr>"


def _holds_mean(line: RegionLine) -> bool | None:
    """Whether a region's own 90 % interval holds the mean; None where either is not known."""
    value = line.row.value
    if value is None or value.interval is None or line.expected is None:
        return None
    low, high = value.interval
    # The interval of a value that was measured otherwise than the mean goes along with it.
    return low <= line.expected - (_as_expected(line, value) - value.mean) <= high


def _as_expected(line: RegionLine, value: RegionValue) -> float:
    """A region's value measured as the mean was."""
    return value.mean if line.as_expected is None else line.as_expected


def _signed(value: float, digits: int, unit: str = "") -> str:
    """With its sign; nothing is ``+0.00`` or ``-0.00``."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}{unit}" if rounded else f"{0.0:.{digits}f}{unit}"


def _surface(content: ReportContent) -> str:
    parts = []
    for page, shown in content.surface.items():
        parts += [f"<h3>{escape(_SURFACE_TITLES[page])}</h3>", picture(shown)]
    return section("Brain surface", *parts, kind="surface")


def _steps(content: ReportContent) -> str:
    rows = [
        plain_row(
            (
                str(step["name"]),
                str(step["version"]),
                pairs(step["outcome"]),
                f"{step['seconds']:.1f}",
                pairs(step["parameters"]),
            )
        )
        for step in content.steps
    ]
    head = ("Step", "Version", "Outcome", "Seconds", "Parameters")
    return table(head, rows, "From the scan to what is measured, in order")
