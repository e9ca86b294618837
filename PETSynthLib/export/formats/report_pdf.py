"""A report on paper: the blocks of the page, laid out on A4, its marks on every sheet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ...colour_maps import BANNER_BACK, ORANGE
from .report_blocks import Block, Blocks, Heading, Paragraph, Picture, Table

DPI = 150.0
WIDTH, HEIGHT = 1240, 1754
"""A4, pixels."""
MARGIN = 72
_INNER = WIDTH - 2 * MARGIN
_INK, _QUIET, _RULE, _PAPER = (29, 35, 41), (86, 97, 107), (217, 221, 225), (255, 255, 255)
_BANNER, _TEXT, _CELL, _SMALL = 20, 19, 17, 16
_SIZES = {1: 38, 2: 26}
_GAP = 12
_COLUMN_GAP = 18
_FOOT = 64


def report_pdf(blocks: Blocks, title: str) -> bytes:
    """The report as a PDF file.

    It carries no date, so that equal reports are equal files.

    Parameters
    ----------
    blocks
        From `report_blocks.blocks_of`.
    title
        For the document's properties.

    Raises
    ------
    ValueError
        Without a banner: no report leaves without its first line.
    """
    if not blocks.banner:
        raise ValueError("a report begins with a banner")
    sheets = _Sheets(blocks.banner)
    for block, after in pairwise([*blocks.body, None]):
        if block is not None:
            sheets.add(block, after)
    pages = sheets.finished(blocks.ribbon)
    content = BytesIO()
    pages[0].save(
        content,
        "PDF",
        save_all=True,
        append_images=pages[1:],
        resolution=DPI,
        quality=92,
        subsampling=0,
        title=title,
        subject=" ".join(blocks.banner),
        creationDate=time.gmtime(0),
        modDate=time.gmtime(0),
    )
    return content.getvalue()


class _Sheets:
    """Sheets of paper that fill from top to bottom."""

    def __init__(self, banner: Sequence[str]) -> None:
        self._banner = banner
        self._pages: list[Image.Image] = []
        self._new()

    def add(self, block: Block, after: Block | None) -> None:
        """Put a block where there is room for it; a heading goes along with what comes after."""
        if isinstance(block, Heading):
            self._heading(block, after)
        elif isinstance(block, Paragraph):
            colour = _QUIET if block.quiet else _INK
            self._words(block.text, _SMALL if block.quiet else _TEXT, colour)
            self._y += _GAP
        elif isinstance(block, Picture):
            self._picture(block.png)
        else:
            self._table(block)

    def finished(self, ribbon: str) -> list[Image.Image]:
        """The sheets, with the ribbon and their number at the foot of each."""
        for number, page in enumerate(self._pages, 1):
            draw = ImageDraw.Draw(page)
            top = HEIGHT - _FOOT
            draw.line((MARGIN, top, WIDTH - MARGIN, top), fill=_RULE)
            draw.text((MARGIN, top + 12), ribbon, fill=(122, 62, 0), font=_font(_SMALL))
            words = f"{number} / {len(self._pages)}"
            end = (WIDTH - MARGIN, top + 12)
            draw.text(end, words, fill=_QUIET, font=_font(_SMALL), anchor="ra")
        return self._pages

    def _new(self) -> None:
        page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        draw = ImageDraw.Draw(page)
        lines = [part for line in self._banner for part in _wrapped(line, _BANNER, _INNER)]
        height = 20 + 28 * len(lines)
        draw.rectangle((0, 0, WIDTH, height), fill=BANNER_BACK)
        draw.rectangle((0, 0, 10, height), fill=ORANGE)
        for number, line in enumerate(lines):
            draw.text((MARGIN, 10 + 28 * number), line, fill=ORANGE, font=_font(_BANNER))
        self._pages.append(page)
        self._draw = draw
        self._y = self._top = height + 28

    def _room(self, height: float) -> None:
        """Begin a new sheet when ``height`` pixels are not left on this one."""
        if self._y + height > HEIGHT - _FOOT - _GAP and self._y > self._top:
            self._new()

    def _words(self, text: str, size: int, colour: tuple[int, int, int]) -> None:
        for part in text.splitlines():
            for line in _wrapped(part, size, _INNER) or [""]:
                self._room(size * 1.4)
                self._draw.text((MARGIN, self._y), line, fill=colour, font=_font(size))
                self._y += round(size * 1.4)

    def _heading(self, heading: Heading, after: Block | None) -> None:
        size = _SIZES[heading.level]
        picture = self._fitted(_image(after.png)) if isinstance(after, Picture) else (0, 3 * size)
        self._room(3 * size + picture[1])
        self._y += 8 if heading.level == 1 else 20
        self._words(heading.text, size, _INK)
        if heading.level > 1:
            self._draw.line((MARGIN, self._y + 2, WIDTH - MARGIN, self._y + 2), fill=_RULE)
        self._y += _GAP

    def _picture(self, png: bytes) -> None:
        picture = _image(png)
        size = self._fitted(picture)
        self._room(size[1])
        self._pages[-1].paste(picture.resize(size, Image.Resampling.LANCZOS), (MARGIN, self._y))
        self._y += size[1] + _GAP

    def _fitted(self, picture: Image.Image) -> tuple[int, int]:
        """Size of a picture on the sheet: as wide as it, room for a heading above."""
        tallest = HEIGHT - _FOOT - self._top - 120
        scale = min(_INNER / picture.width, tallest / picture.height)
        return max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)

    def _table(self, table: Table) -> None:
        if table.caption:
            self._words(table.caption, _SMALL, _QUIET)
        columns = max(len(row) for row in [table.head, *table.rows])
        widths = _widths([table.head, *table.rows], columns)
        if table.head:
            self._row(table.head, widths, _QUIET)
        for row in table.rows:
            before = len(self._pages)
            self._row(row, widths, _INK, again=table.head)
            if len(self._pages) > before:
                continue
            self._draw.line((MARGIN, self._y - 3, WIDTH - MARGIN, self._y - 3), fill=_RULE)
        self._y += _GAP

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[int],
        colour: tuple[int, int, int],
        again: Sequence[str] = (),
    ) -> None:
        """A row of cells; where it begins a new sheet, the head stands above it again."""
        wrapped = [_wrapped(cell, _CELL, width) for cell, width in zip(cells, widths, strict=False)]
        height = max([len(lines) for lines in wrapped] + [1]) * 24 + 6
        before = len(self._pages)
        self._room(height)
        if again and len(self._pages) > before:
            self._row(again, widths, _QUIET)
        x = MARGIN
        for lines, width in zip(wrapped, widths, strict=False):
            for number, line in enumerate(lines):
                self._draw.text((x, self._y + 24 * number), line, fill=colour, font=_font(_CELL))
            x += width + _COLUMN_GAP
        self._y += height


def _widths(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    """Widths of the columns: what their words need, the widest cut until all fit the sheet."""
    natural = [
        max((int(_font(_CELL).getlength(row[n])) + 2 for row in rows if n < len(row)), default=0)
        for n in range(columns)
    ]
    room = _INNER - _COLUMN_GAP * (columns - 1)
    limit = max(natural)
    while sum(min(width, limit) for width in natural) > room and limit > 1:
        limit = limit * 95 // 100
    return [min(width, limit) for width in natural]


def _wrapped(text: str, size: int, width: float) -> list[str]:
    """Lines no wider than ``width`` pixels; a word that is too long alone is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        tried = f"{line} {word}" if line else word
        if _font(size).getlength(tried) <= width:
            line = tried
            continue
        if line:
            lines.append(line)
        while _font(size).getlength(word) > width and len(word) > 1:
            kept = next(
                (n for n in range(len(word), 1, -1) if _font(size).getlength(word[:n]) <= width), 1
            )
            lines.append(word[:kept])
            word = word[kept:]
        line = word
    return [*lines, line] if line else lines


def _image(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)
