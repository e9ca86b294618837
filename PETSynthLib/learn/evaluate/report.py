"""The report: one HTML file that needs nothing else, and the same in Markdown."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ...export.report_style import STYLE
from ..tidy import Claim, Figure, Section, Table

_STYLE = """
main { max-width: 1180px; }
.verdict { display: inline-block; min-width: 92px; font-weight: 700; }
.held { color: #1b6b3f; } .fails { color: #b3261e; } .open { color: #7a5a00; }
ul.claims { list-style: none; padding: 0; margin: 0 0 14px; }
ul.claims li { padding: 3px 0 3px 10px; border-left: 3px solid #d9dde1; margin: 2px 0; }
ul.claims li.fails { border-color: #b3261e; background: #fdf1f0; color: inherit; }
ul.claims li.held, ul.claims li.open { color: inherit; }
ul.claims li.held { border-color: #2e7d4f; }
td { font-variant-numeric: tabular-nums; }
table.numbers :is(td, th) { white-space: nowrap; padding-right: 10px; }
table.numbers { font-size: 13px; }
table { font-size: 14px; margin-bottom: 18px; }
tbody th { font-weight: 400; }
caption { font-weight: 600; color: #1d2329; }
figure { margin: 6px 0 22px; }
figure img { background: #fff; width: auto; max-width: 100%; }
nav ol { columns: 2; padding-left: 22px; margin: 0; }
nav a { color: inherit; }
.summary { border: 1px solid #d9dde1; padding: 10px 16px; margin: 14px 0; }
"""
MANY_COLUMNS = 4
"""Beyond this a table holds numbers, whose cells are not broken."""
_VERDICTS = {True: ("held", "HOLDS"), False: ("fails", "FAILS"), None: ("open", "UNDECIDED")}


@dataclass(frozen=True)
class Report:
    """What is printed.

    Attributes
    ----------
    title
        Headline.
    banner
        Lines that stay at the top of the page.
    lead
        One paragraph: what was compared.
    sections
        In order.
    """

    title: str
    banner: tuple[str, ...]
    lead: str
    sections: tuple[Section, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim of every section."""
        return tuple(claim for section in self.sections for claim in section.claims)


def tally(claims: Sequence[Claim]) -> str:
    """``12 claims: 9 hold, 2 FAIL, 1 undecided``."""
    held = sum(claim.held is True for claim in claims)
    fails = sum(claim.held is False for claim in claims)
    return (
        f"{len(claims)} claims: {held} hold, {fails} FAIL, {len(claims) - held - fails} undecided"
    )


def html(report: Report) -> str:
    """The report as HTML (no script, nothing loaded from elsewhere)."""
    banner = "".join(f"<p>{escape(line)}</p>" for line in report.banner)
    entries = "".join(
        f'<li><a href="#part-{n}">{escape(s.title)}</a></li>' for n, s in enumerate(report.sections)
    )
    failing = [claim for claim in report.claims if claim.held is False]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(report.title)}</title><style>{STYLE}{_STYLE}</style></head><body>",
            f"<div class=banner>{banner}</div>",
            f"<main><header><h1>{escape(report.title)}</h1>",
            f"<p class=lead>{escape(report.lead)}</p></header>",
            (
                "<div "
                f"class=summary><p><b>{escape(tally(report.claims))}.</b></p>{_claims(failing)}</div>"
            ),
            f"<nav><ol>{entries}</ol></nav>",
            *(_section(n, section) for n, section in enumerate(report.sections)),
            f"<footer>{banner}</footer></main></body></html>\n",
        ]
    )


def _section(n: int, section: Section) -> str:
    return "".join(
        [
            f'<section id="part-{n}"><h2>{escape(section.title)}</h2>',
            *(f"<p>{escape(words)}</p>" for words in section.paragraphs),
            _claims(section.claims),
            *(_figure(figure) for figure in section.figures),
            *(_table(table) for table in section.tables),
            "</section>",
        ]
    )


def _claims(claims: Iterable[Claim]) -> str:
    items = []
    for claim in claims:
        kind, word = _VERDICTS[claim.held]
        items.append(
            f"<li class={kind}><span class='verdict {kind}'>{word}</span> {escape(claim.words)} "
            f"<span class=quiet>({escape(claim.evidence)})</span></li>"
        )
    return f"<ul class=claims>{''.join(items)}</ul>" if items else ""


def _figure(figure: Figure) -> str:
    picture = base64.b64encode(figure.png).decode("ascii")
    return (
        f'<figure><img alt="{escape(figure.alternative)}" src="data:image/png;base64,{picture}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f"<th scope=col>{escape(word)}</th>" for word in table.columns)
    rows = "".join(
        f"<tr><th scope=row>{escape(first)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in table.rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(table.columns) else ""
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    kind = " class=numbers" if len(table.columns) > MANY_COLUMNS else ""
    return f"<div class=wide><table{kind}>{caption}{top}<tbody>{rows}</tbody></table></div>"


def markdown(report: Report) -> str:
    """The report without its plots, as Markdown."""
    lines = [f"# {report.title}", "", *(f"**{line}**  " for line in report.banner), "", report.lead]
    lines += ["", f"{tally(report.claims)}.", ""]
    for section in report.sections:
        lines += [f"## {section.title}", ""]
        for words in section.paragraphs:
            lines += [words, ""]
        lines += [f"- **{_VERDICTS[c.held][1]}** {c.words} ({c.evidence})" for c in section.claims]
        lines += [""] if section.claims else []
        for table in section.tables:
            lines += [*_markdown_table(table), ""]
    return "\n".join(lines)


def _markdown_table(table: Table) -> list[str]:
    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

    caption = [f"*{table.caption}*", ""] if table.caption else []
    rule = f"|{'---|' * len(table.columns)}"
    return [*caption, row(table.columns), rule, *(row(cells) for cells in table.rows)]
