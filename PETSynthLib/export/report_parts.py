"""Small pieces of HTML; every text from outside is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from .report_content import Picture


def section(title: str, *parts: str, kind: str = "") -> str:
    """A section with its heading; empty when nothing is in it."""
    body = "".join(parts)
    css = f" class={kind}" if kind else ""
    return f"<section{css}><h2>{escape(title)}</h2>{body}</section>" if body else ""


def details(summary: str, *parts: str) -> str:
    """A section that is closed at first; empty when nothing is in it."""
    body = "".join(parts)
    return f"<details><summary>{escape(summary)}</summary>{body}</details>" if body else ""


def note(*sentences: str) -> str:
    """A quiet paragraph; empty without sentences."""
    text = " ".join(filter(None, sentences))
    return f"<p class=note>{escape(text)}</p>" if text else ""


def definitions(rows: Iterable[tuple[str, str]], kind: str = "") -> str:
    """Names and their values; empty without rows."""
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows)
    css = f" class={kind}" if kind else ""
    return f"<dl{css}>{cells}</dl>" if cells else ""


def table(head: Sequence[str], rows: Iterable[str], caption: str) -> str:
    """A table in a box of its own, which scrolls sideways on a narrow screen."""
    cells = "".join(f"<th scope=col>{escape(word)}</th>" for word in head)
    return (
        f'<div class=wide tabindex=0 role=region aria-label="{escape(caption, quote=True)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def plain_row(cells: Iterable[str]) -> str:
    """A table row of texts."""
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def number(text: str, quiet: bool = False) -> str:
    """A table cell that holds a number, or what stands instead of it."""
    inner = f"<span class=quiet>{escape(text)}</span>" if quiet else escape(text)
    return f"<td class=number>{inner}</td>"


def picture(shown: Picture) -> str:
    """A picture inside the page; on a narrow screen its narrow form, or scrolling in its box."""
    source, css = "", " class=scrolls"
    if shown.narrow is not None:
        css = ""
        source = f'<source media="(max-width: 640px)" srcset="{_data(shown.narrow)}">'
    caption = f"<figcaption>{escape(shown.caption)}</figcaption>" if shown.caption else ""
    return (
        f"<figure><div{css}><picture>{source}"
        f'<img alt="{escape(shown.alternative, quote=True)}" src="{_data(shown.png)}">'
        f"</picture></div>{caption}</figure>"
    )


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def pairs(facts: Mapping[str, object]) -> str:
    """``{"shrink": 4, "gates": {"dice": 0.9}}`` as ``shrink 4, gates (dice 0.9)``."""
    words = []
    for key, value in facts.items():
        said = f"({pairs(value)})" if isinstance(value, Mapping) else str(value)
        words.append(f"{key.replace('_', ' ')} {said}")
    return ", ".join(words)
