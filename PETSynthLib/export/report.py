"""The report: one HTML file that needs nothing else, calm, and honest in its first line."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from ..checks import Finding, Verdict
from ..quantify import RegionTable, RegionValue, title_of
from . import marks
from .policy import ShownRow, shown_rows
from .record import NOT_READ, USED, WITHHELD, Record, software_versions
from .report_style import STYLE
from .tables import SIDES, interval_text, region_words, text_to_copy, value_text

_LIGHTS = {
    Verdict.GREEN: ("#2e7d4f", "in order"),
    Verdict.AMBER: ("#d98a00", "caution"),
    Verdict.RED: ("#b3261e", "stop"),
}
_EVIDENCE = {
    "simulation": "simulated brains only",
    "population atlas": "nothing: it lays population averages onto the anatomy",
    "real pairs": "pairs of acquired MRI and PET",
    "acquired": "not a model",
}

INTERVAL = (
    "Mean over the region's voxels in the scan's own space; the interval holds 90 % of what the "
    "model thinks possible."
)
NO_CALIBRATION = (
    "Mean over the region's voxels in the scan's own space. This model has no calibrated interval: "
    "how far these values may be off is unknown."
)
HALVES = (
    "The atlas draws its two halves a little differently: in small regions, sides up to 8 % apart "
    "may be alike."
)


def write_report(
    path: Path,
    figure_png: bytes,
    table: RegionTable,
    record: Record,
    image_only: RegionTable | None = None,
) -> None:
    """Write the report as self-contained HTML (UTF-8; no script, nothing loaded from elsewhere).

    Parameters
    ----------
    path
        New file.
    figure_png
        What `figure` drew.
    table
        Regional values.
    record
        How the picture came to be.
    image_only
        Regional values of a picture drawn without cognition; shown as a column beside.
    """
    path.write_text(report(figure_png, table, record, image_only), encoding="utf-8")


def report(
    figure_png: bytes,
    table: RegionTable,
    record: Record,
    image_only: RegionTable | None = None,
) -> str:
    """The report's HTML; parameters as `write_report`."""
    picture = base64.b64encode(figure_png).decode("ascii")
    title = marks.title(record.tracer)
    alternative = f"{title}: axial, coronal and sagittal slices beside the MRI"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(marks.TITLE)} - {escape(record.tracer.label)}</title>",
            f"<style>{STYLE}</style></head><body>",
            _banner(record),
            f"<main><header><h1>{escape(title)}</h1>",
            f"<p class=lead>{escape(record.tracer.long_name)}. {escape(marks.NOT_ACQUIRED)}</p>",
            "</header>",
            f'<figure><img alt="{escape(alternative)}" src="data:image/png;base64,{picture}">',
            f"<figcaption>{escape(_caption(record))}</figcaption></figure>",
            _headline(table, record, image_only),
            _lights([*record.findings, *table.findings]),
            _facts(record),
            _all_regions(table, record, image_only),
            _steps(record),
            _provenance(record),
            "<section><h2>Text to copy</h2>",
            f"<pre class=copy>{escape(text_to_copy(table, record))}</pre></section>",
            f"<footer><p>{escape(marks.DO_NOT_USE)}</p><p>{escape(marks.CORNER)}</p></footer>",
            "</main></body></html>\n",
        ]
    )


def _banner(record: Record) -> str:
    lines = filter(None, (record.release.opening, record.release.banner))
    return f"<div class=banner>{''.join(f'<p>{escape(line)}</p>' for line in lines)}</div>"


def _caption(record: Record) -> str:
    planes = "Planes of the scan's own grid through thalamus and basal ganglia."
    if not record.release.triptych:
        return planes
    return f"{planes} Low (10 %), middle and high (90 %) in one window: {marks.AMBIGUOUS}."


def _table(head: Iterable[str], rows: Iterable[str], caption: str) -> str:
    cells = "".join(f"<th scope=col>{escape(word)}</th>" for word in head)
    return (
        f"<div class=wide><table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _table_caption(table: RegionTable, record: Record) -> str:
    words = f"{marks.QUANTITY}, reference {region_words(table.reference_region)} = 1"
    return ", ".join(filter(None, (words, record.release.cognition)))


def _rows(
    values: tuple[RegionValue, ...],
    table: RegionTable,
    record: Record,
    image_only: RegionTable | None,
) -> list[str]:
    shown = shown_rows(values, table.slice_mm, record.distances, image_only)
    return [_row(row, image_only is not None) for row in shown]


def _row(row: ShownRow, with_image_only: bool) -> str:
    first = row.side in ("both", "B")
    words = f"<th scope=row>{escape(title_of(row.region))}</th>" if first else "<th></th>"
    quiet = " class=quiet" if row.value is None else ""
    cells = [
        f"<td>{SIDES[row.side]}</td>",
        f"<td class=number>{row.ml:.1f}</td>",
        f"<td class=number><span{quiet}>{escape(value_text(row))}</span></td>",
        f"<td class=number><span class=quiet>{escape(interval_text(row))}</span></td>",
    ]
    if with_image_only:
        beside = "" if row.image_only is None else f"{row.image_only:.2f}"
        cells.append(f"<td class=number>{beside}</td>")
    cells.append(f"<td>{escape(row.asymmetry)}</td>")
    return f"<tr{' class=first' if first else ''}>{words}{''.join(cells)}</tr>"


def _columns(with_image_only: bool) -> list[str]:
    beside = ["SUVR from the image only"] if with_image_only else []
    return ["Region", "Side", "mL", "SUVR", "90 % interval", *beside, "Side difference"]


def _headline(table: RegionTable, record: Record, image_only: RegionTable | None) -> str:
    rows = _rows(table.headline, table, record, image_only)
    body = _table(_columns(image_only is not None), rows, _table_caption(table, record))
    notes = [NO_CALIBRATION if all(row.interval is None for row in table.headline) else INTERVAL]
    if record.release.withheld:
        named = ", ".join(record.release.withheld)
        notes.append(f"Not given on this evidence: {named}.")
    text = " ".join(notes)
    return f"<section><h2>Regions</h2>{body}<p class=note>{escape(text)}</p></section>"


def _all_regions(table: RegionTable, record: Record, image_only: RegionTable | None) -> str:
    rows = _rows(table.regions, table, record, image_only)
    body = _table(_columns(image_only is not None), rows, _table_caption(table, record))
    return (
        "<details><summary>All regions (Desikan-Killiany atlas, aligned by one affine)</summary>"
        f"{body}<p class=note>{escape(HALVES)}</p></details>"
    )


def _lights(findings: list[Finding]) -> str:
    order = [Verdict.RED, Verdict.AMBER, Verdict.GREEN]
    items = []
    for finding in sorted(findings, key=lambda f: order.index(f.verdict)):
        colour, word = _LIGHTS[finding.verdict]
        items.append(
            f'<li><svg class=disc viewBox="0 0 16 16" aria-hidden="true">'
            f'<circle cx="8" cy="8" r="7" fill="{colour}"/></svg>'
            f"<b>{word}</b><span>{escape(finding.sentence)} "
            f"<span class=quiet>({escape(finding.limit)})</span></span></li>"
        )
    if not items:
        return ""
    return f"<section><h2>Input and checks</h2><ul class=lights>{''.join(items)}</ul></section>"


def _facts(record: Record) -> str:
    model = record.model
    rows: list[tuple[str, str]] = [
        *((source.role, source.name) for source in record.sources),
        ("Model", f"{model.name} {model.version}: {model.title}"),
        ("Learnt from", _EVIDENCE[model.trained_on]),
        ("Licence of the model", model.licence),
    ]
    for fact in record.facts:
        said = f"{fact.value}, {fact.state}" if fact.value else fact.state
        rows.append((fact.label[0].upper() + fact.label[1:], _state_words(fact.state, said)))
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows)
    return f"<section><h2>What shaped this picture</h2><dl>{cells}</dl></section>"


def _state_words(state: str, said: str) -> str:
    return {
        USED: said,
        WITHHELD: f"{said}: it did not shape the picture",
        NOT_READ: f"{said}: it did not shape the picture",
    }.get(state, said)


def _steps(record: Record) -> str:
    rows = []
    for step in record.preprocessing:
        cells = (
            str(step["name"]),
            str(step["version"]),
            _pairs(step["outcome"]),
            f"{step['seconds']:.1f}",
            _pairs(step["parameters"]),
        )
        rows.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    head = ("Step", "Version", "Outcome", "Seconds", "Parameters")
    body = _table(head, rows, "From the scan to what the model sees, in order")
    return f"<details><summary>How the MRI was prepared</summary>{body}</details>"


def _pairs(facts: Mapping[str, object]) -> str:
    """``{"shrink": 4, "gates": {"dice": 0.9}}`` as ``shrink 4, gates (dice 0.9)``."""
    words = []
    for key, value in facts.items():
        said = f"({_pairs(value)})" if isinstance(value, Mapping) else str(value)
        words.append(f"{key.replace('_', ' ')} {said}")
    return ", ".join(words)


def _provenance(record: Record) -> str:
    model = record.model
    rows = [
        *((f"SHA-256 of {source.name}", source.sha256) for source in record.sources),
        ("SHA-256 of the model bundle", model.bundle_sha256),
        ("SHA-256 of the weights", model.weights_sha256 or "none: this method has no weights"),
        ("SHA-256 of the request", record.request_sha256),
        ("Preset", f"{record.preset}, {record.steps} steps"),
        ("Seeds of the samples", ", ".join(map(str, record.seeds)) or "no samples drawn"),
        ("Scaled to SUVR by", f"{record.reference_factor:.6g}"),
        *((f"Generator: {key}", str(value)) for key, value in record.generation.items()),
        *software_versions().items(),
        ("Created", record.created or "not recorded"),
    ]
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows)
    return f"<details><summary>How it was made</summary><dl class=mono>{cells}</dl></details>"
