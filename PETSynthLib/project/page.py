"""The page: rows of eight views, colour bars, marks. One picture for PNG, report and 3D Slicer."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ..colour_maps import BANNER_BACK, INK, ORANGE, QUIET, table, ticks
from .paint import PALETTES, Z_WINDOW, Row, paint
from .references import REFERENCES
from .surface import SIDES
from .views import VIEWS, View

CELL_WIDTH = 246
ROW_GAP = 30
LABEL_WIDTH = 140
BAR_WIDTH = 118
MARGIN = 24
HEADING_HEIGHT = 40
PDF_DPI = 200.0
COMPRESS_LEVEL = 3
"""Of PNG files: a tenth larger than usual and written in half the time."""

RULE = (58, 58, 58)

DECREASE, INCREASE = "decrease", "increase"
UNITS = {"uptake": "SUVR", "z": "z", "uncertainty": "SD %"}


@dataclass(frozen=True)
class PageText:
    """Every word on the page that is not a row's.

    Attributes
    ----------
    title
        Headline, e.g. ``"SSP (3D-SSP-style)  FDG  Decrease"``.
    subtitle
        What was measured, and against what.
    banner
        Lines that must be read first; may be empty.
    mark
        Word burnt into every picture of a PET that was not acquired; empty for one that was.
    footer
        Lines below the rows.
    """

    title: str
    subtitle: str = ""
    banner: tuple[str, ...] = ()
    mark: str = ""
    footer: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fold:
    """How the views are laid out.

    Attributes
    ----------
    per_line
        Views side by side; a row of the page takes as many lines as it needs.
    """

    per_line: int

    @property
    def width(self) -> int:
        """Of the page, pixels."""
        return 2 * MARGIN + LABEL_WIDTH + self.per_line * CELL_WIDTH + BAR_WIDTH

    @property
    def lines(self) -> int:
        """Of one row."""
        return -(-len(VIEWS) // self.per_line)

    def place(self, number: int) -> tuple[int, int]:
        """Left edge of the cell of view ``number``, and its line within the row."""
        line, column = divmod(number, self.per_line)
        return MARGIN + LABEL_WIDTH + column * CELL_WIDTH, line

    def wrapped(self, text: str, letter: float) -> list[str]:
        """``text`` in lines that fit the page, with letters ``letter`` pixels wide."""
        return textwrap.wrap(text, int((self.width - 2 * MARGIN) / letter))


PAGE = Fold(len(VIEWS))
"""The canonical page: eight views side by side."""
NARROW = Fold(2)
"""For a telephone held upright."""


def z_rows(
    z: Mapping[str, Mapping[str, NDArray[np.float64]]],
    direction: str,
    hatched: Mapping[str, Mapping[str, NDArray[np.bool_]]] | None = None,
) -> list[Row]:
    """Rows GLB, THL, CBL, PNS of one direction, those there are.

    Parameters
    ----------
    z
        Reference -> side -> (V,) z of a decrease (`zmaps.z_maps`).
    direction
        `DECREASE`, or `INCREASE`, which paints where z of a decrease is negative.
    hatched
        Reference -> side -> (V,) where z must not be relied on; drawn where z is painted.
    """
    sign = {DECREASE: 1.0, INCREASE: -1.0}[direction]
    rows = []
    for key, words in REFERENCES.items():
        if key not in z:
            continue
        left, right = (sign * z[key][side] for side in SIDES)
        masks = None
        if hatched is not None:
            unsure = hatched[key]
            masks = (unsure["L"] & (left > Z_WINDOW[0]), unsure["R"] & (right > Z_WINDOW[0]))
        rows.append(Row(key, left, right, "z", Z_WINDOW, words, masks))
    return rows


def render_page(
    rows: Sequence[Row], text: PageText, palette: str = "classic", fold: Fold = PAGE
) -> Image.Image:
    """Draw the page.

    Parameters
    ----------
    rows
        From top to bottom; neighbours of one kind and window share a colour bar.
    text
        Words and marks.
    palette
        ``"classic"`` or ``"uniform"``.
    fold
        `PAGE` or `NARROW`.

    Returns
    -------
    RGB image.

    Raises
    ------
    ValueError
        Without rows, or with a palette there is not.
    """
    if not rows:
        raise ValueError("a page has at least one row")
    if palette not in PALETTES:
        msg = f"a palette is one of {', '.join(PALETTES)}, not {palette!r}"
        raise ValueError(msg)
    head = _head(text, fold)
    pictures = [[paint(row, view.name, palette) for view in VIEWS] for row in rows]
    line = max(picture.height for picture in pictures[0]) + ROW_GAP
    # One line of views has its names once, on top; folded views have them on every line.
    heading, names = (HEADING_HEIGHT, 0) if fold.lines == 1 else (0, HEADING_HEIGHT)
    height = fold.lines * (line + names)
    footer = [part for words in text.footer for part in fold.wrapped(words, 10.0)]
    top = head.height + heading
    page = Image.new("RGB", (fold.width, top + height * len(rows) + 22 + 26 * len(footer)))
    page.paste(head, (0, 0))
    draw = ImageDraw.Draw(page)
    for number, (row, cells) in enumerate(zip(rows, pictures, strict=True)):
        row_top = top + number * height
        _label(draw, row, row_top, height, fold)
        for cell_number, cell in enumerate(cells):
            left, line_number = fold.place(cell_number)
            cell_top = row_top + line_number * (line + names) + names
            if names or number == 0:
                middle = left + CELL_WIDTH // 2
                name = VIEWS[cell_number].name
                draw.text((middle, cell_top - 8), name, fill=INK, font=_font(24), anchor="md")
            mark = "" if row.kind == "anatomy" else text.mark
            _cell(page, draw, cell, (left, cell_top, line), VIEWS[cell_number], mark)
    _bars(page, draw, rows, palette, top, height)
    y = top + height * len(rows) + 10
    for number, words in enumerate(footer):
        draw.text((MARGIN, y + 26 * number), words, fill=QUIET, font=_font(20))
    return page


def png(page: Image.Image, text: PageText) -> bytes:
    """The page as a PNG file; title and marks stand in its text fields too."""
    info = PngInfo()
    info.add_text("Title", text.title)
    if text.mark:
        info.add_text("Comment", " ".join([text.mark, *text.banner]))
    content = BytesIO()
    page.save(content, "PNG", pnginfo=info, compress_level=COMPRESS_LEVEL)
    return content.getvalue()


def pdf(page: Image.Image, text: PageText) -> bytes:
    """The page as a PDF file of one page, the same picture as the PNG; title and marks as there.

    It carries no date, so that equal pages are equal files.
    """
    content = BytesIO()
    page.save(
        content,
        "PDF",
        resolution=PDF_DPI,
        quality=95,
        subsampling=0,
        title=text.title,
        subject=" ".join(filter(None, [text.mark, *text.banner])),
        creationDate=time.gmtime(0),
        modDate=time.gmtime(0),
    )
    return content.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _head(text: PageText, fold: Fold) -> Image.Image:
    banner = [part for words in text.banner for part in fold.wrapped(words, 11.0)]
    title = fold.wrapped(text.title, 16.0)
    subtitle = fold.wrapped(text.subtitle, 11.0)
    strip = 14 + 32 * len(banner) if banner else 0
    part = Image.new(
        "RGB", (fold.width, strip + 24 + 36 * len(title) + 28 * len(subtitle) + 4 * bool(subtitle))
    )
    draw = ImageDraw.Draw(part)
    if banner:
        draw.rectangle((0, 0, fold.width, strip), fill=BANNER_BACK)
        draw.rectangle((0, 0, 8, strip), fill=ORANGE)
    for number, line in enumerate(banner):
        draw.text((MARGIN, 9 + 32 * number), line, fill=ORANGE, font=_font(22))
    for number, line in enumerate(title):
        draw.text((MARGIN, strip + 14 + 36 * number), line, fill=INK, font=_font(32))
    below = strip + 22 + 36 * len(title)
    for number, line in enumerate(subtitle):
        draw.text((MARGIN, below + 28 * number), line, fill=QUIET, font=_font(22))
    return part


def _label(draw: ImageDraw.ImageDraw, row: Row, top: int, height: int, fold: Fold) -> None:
    draw.line((MARGIN, top, fold.width - MARGIN, top), fill=RULE)
    middle = top + height // 2
    draw.text((MARGIN, middle - 4), row.label, fill=INK, font=_font(28), anchor="ls")
    draw.text((MARGIN, middle + 6), row.words, fill=QUIET, font=_font(20), anchor="la")


def _cell(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    cell: Image.Image,
    frame: tuple[int, int, int],
    view: View,
    mark: str,
) -> None:
    """One view with its letters and its mark; ``frame`` is the cell's left, top and height."""
    frame_left, top, height = frame
    left = frame_left + (CELL_WIDTH - cell.width) // 2
    page.paste(cell, (left, top + (height - ROW_GAP + 12 - cell.height) // 2))
    edges = (left - 5, left + cell.width + 5)
    for x, letter, anchor in zip(edges, view.letters, ("rm", "lm"), strict=True):
        draw.text((x, top + height // 2), letter, fill=INK, font=_font(22), anchor=anchor)
    if mark:
        place = (frame_left + CELL_WIDTH // 2, top + height - 4)
        draw.text(
            place, mark, ORANGE, _font(16), anchor="md", stroke_width=2, stroke_fill=(0, 0, 0)
        )


def _bars(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    rows: Sequence[Row],
    palette: str,
    top: int,
    height: int,
) -> None:
    """A colour bar beside each run of rows that share kind and window."""
    first = 0
    while first < len(rows):
        row, last = rows[first], first
        while last + 1 < len(rows) and _scale(rows[last + 1]) == _scale(row):
            last += 1
        if row.kind != "anatomy":
            middle = top + height * (first + last + 1) // 2
            tall = min(height * (last - first + 1) - 62, 420)
            _bar(page, draw, row, palette, middle - tall // 2 + 12, tall)
        first = last + 1


def _scale(row: Row) -> tuple[str, tuple[float, float]]:
    return row.kind, row.window


def _bar(
    page: Image.Image, draw: ImageDraw.ImageDraw, row: Row, palette: str, top: int, tall: int
) -> None:
    left = page.width - MARGIN - BAR_WIDTH + 34
    colours = table(PALETTES[palette][row.kind])[::-1]
    bar = Image.fromarray(colours[:, None, :]).resize((22, tall), Image.Resampling.BILINEAR)
    page.paste(bar, (left, top))
    draw.rectangle((left - 1, top - 1, left + 22, top + tall), outline=QUIET)
    draw.text((left, top - 8), UNITS[row.kind], fill=INK, font=_font(21), anchor="ld")
    low, high = row.window
    for value in _ticks(row):
        y = top + round(tall * (high - value) / (high - low))
        draw.line((left + 22, y, left + 28, y), fill=INK)
        digits = ".0f" if high - low > 10 else ".1f"
        draw.text((left + 33, y), f"{value:{digits}}", fill=INK, font=_font(20), anchor="lm")


def _ticks(row: Row) -> list[float]:
    """1.0, 1.4, ... 5.0 as NEUROSTAT writes them for z; round values for the others."""
    low, high = row.window
    if row.kind == "z":
        return [round(float(value), 6) for value in np.linspace(low, high, 11)]
    return ticks(low, high)
