"""A report of ours as a list of blocks, read from its HTML: what the page says, in its order."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html.parser import HTMLParser

_UNSEEN = ("style", "script", "title", "svg", "button")
_PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class Heading:
    """A line above what follows; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Words; ``quiet`` ones are notes. Line breaks in ``text`` are kept."""

    text: str
    quiet: bool = False


@dataclass
class Table:
    """Cells as text; ``head`` is empty for names and their values."""

    caption: str = ""
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """A PNG file."""

    png: bytes


Block = Heading | Paragraph | Table | Picture


@dataclass
class Blocks:
    """A report.

    Attributes
    ----------
    banner
        First lines of the page.
    ribbon
        Words that stay in view.
    body
        Everything else.
    """

    banner: list[str] = field(default_factory=list)
    ribbon: str = ""
    body: list[Block] = field(default_factory=list)


def blocks_of(html: str) -> Blocks:
    """The blocks of a report that `report.report_html` wrote."""
    reader = _Reader()
    reader.feed(html)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Blocks()
        self._unseen = 0
        self._text: list[str] = []
        self._kind = ""
        self._place = ""
        self._table: Table | None = None
        self._row: list[str] = []
        self._in_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "div" and facts.get("class") in ("banner", "ribbon"):
            self._place, self._text = facts["class"], []
        elif tag == "table" or tag == "dl":
            self._table = Table()
        elif tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._row = []
        elif tag == "img" and facts.get("src", "").startswith(_PNG):
            content = base64.b64decode(facts["src"].removeprefix(_PNG))
            self.found.body.append(Picture(content))
        if tag in ("h1", "h2", "summary", "p", "caption", "th", "td", "dt", "dd", "pre") or (
            tag == "figcaption"
        ):
            self._text, self._kind = [], facts.get("class", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen -= 1
            return
        text = "".join(self._text).strip()
        if tag == "div" and self._place:
            if self._place == "ribbon":
                self.found.ribbon = text
            self._place = ""
        elif tag == "thead":
            self._in_head = False
        elif self._table is not None:
            self._end_in_table(tag, self._table, text)
        elif tag in ("h1", "h2", "summary"):
            self.found.body.append(Heading(1 if tag == "h1" else 2, text))
        elif tag in ("p", "pre", "figcaption") and text:
            if self._place == "banner":
                self.found.banner.append(text)
            else:
                quiet = tag == "figcaption" or self._kind == "note"
                self.found.body.append(Paragraph(text, quiet))

    def _end_in_table(self, tag: str, table: Table, text: str) -> None:
        if tag == "caption":
            table.caption = text
        elif tag in ("th", "td", "dt", "dd"):
            self._row.append(text)
        if tag in ("tr", "dd"):
            if self._in_head:
                table.head = self._row
            else:
                table.rows.append(self._row)
            self._row = []
        elif tag in ("table", "dl"):
            if table.rows:
                self.found.body.append(table)
            self._table = None

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._text.append(data)
