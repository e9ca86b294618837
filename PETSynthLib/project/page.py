"""The page: rows of eight views, colour bars, marks. One picture for PNG, report and 3D Slicer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ..colour_maps import table, ticks
from .paint import PALETTES, Z_WINDOW, Row, paint
from .references import REFERENCES
from .surface import SIDES
from .views import VIEWS

CELL_WIDTH = 246
ROW_GAP = 30
LABEL_WIDTH = 132
BAR_WIDTH = 118
MARGIN = 24
HEADING_HEIGHT = 40
PAGE_WIDTH = 2 * MARGIN + LABEL_WIDTH + len(VIEWS) * CELL_WIDTH + BAR_WIDTH

INK = (232, 232, 232)
QUIET = (160, 160, 160)
ORANGE = (255, 167, 60)
BANNER_BACK = (66, 34, 0)
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


def render_page(rows: Sequence[Row], text: PageText, palette: str = "classic") -> Image.Image:
    """Draw the page.

    Parameters
    ----------
    rows
        From top to bottom; neighbours of one kind and window share a colour bar.
    text
        Words and marks.
    palette
        ``"classic"`` or ``"uniform"``.

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
    head = _head(text)
    pictures = [[paint(row, view.name, palette) for view in VIEWS] for row in rows]
    height = max(picture.height for picture in pictures[0]) + ROW_GAP
    foot_height = 22 + 26 * len(text.footer)
    top = head.height + HEADING_HEIGHT
    page = Image.new("RGB", (PAGE_WIDTH, top + height * len(rows) + foot_height))
    page.paste(head, (0, 0))
    draw = ImageDraw.Draw(page)
    for column, view in enumerate(VIEWS):
        place = (_column(column) + CELL_WIDTH // 2, top - 8)
        draw.text(place, view.name, fill=INK, font=_font(20), anchor="md")
    for number, (row, cells) in enumerate(zip(rows, pictures, strict=True)):
        _row(page, draw, top + number * height, height, row, cells, text.mark)
    _bars(page, draw, rows, palette, top, height)
    y = top + height * len(rows) + 10
    for number, line in enumerate(text.footer):
        draw.text((MARGIN, y + 26 * number), line, fill=QUIET, font=_font(18))
    return page


def png(page: Image.Image, text: PageText) -> bytes:
    """The page as a PNG file; title and marks stand in its text fields too."""
    info = PngInfo()
    info.add_text("Title", text.title)
    if text.mark:
        info.add_text("Comment", " ".join([text.mark, *text.banner]))
    content = BytesIO()
    page.save(content, "PNG", pnginfo=info)
    return content.getvalue()


def _column(number: int) -> int:
    return MARGIN + LABEL_WIDTH + number * CELL_WIDTH


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _head(text: PageText) -> Image.Image:
    strip = 14 + 32 * len(text.banner) if text.banner else 0
    part = Image.new("RGB", (PAGE_WIDTH, strip + (92 if text.subtitle else 60)))
    draw = ImageDraw.Draw(part)
    if text.banner:
        draw.rectangle((0, 0, PAGE_WIDTH, strip), fill=BANNER_BACK)
        draw.rectangle((0, 0, 8, strip), fill=ORANGE)
    for number, line in enumerate(text.banner):
        draw.text((MARGIN, 9 + 32 * number), line, fill=ORANGE, font=_font(22))
    draw.text((MARGIN, strip + 14), text.title, fill=INK, font=_font(32))
    draw.text((MARGIN, strip + 58), text.subtitle, fill=QUIET, font=_font(20))
    return part


def _row(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    top: int,
    height: int,
    row: Row,
    cells: Sequence[Image.Image],
    mark: str,
) -> None:
    draw.line((MARGIN, top, PAGE_WIDTH - MARGIN, top), fill=RULE)
    middle = top + height // 2
    draw.text((MARGIN, middle - 4), row.label, fill=INK, font=_font(26), anchor="ls")
    draw.text((MARGIN, middle + 6), row.words, fill=QUIET, font=_font(17), anchor="la")
    for column, (view, cell) in enumerate(zip(VIEWS, cells, strict=True)):
        left = _column(column) + (CELL_WIDTH - cell.width) // 2
        page.paste(cell, (left, top + (height - ROW_GAP + 12 - cell.height) // 2))
        edges = (left - 5, left + cell.width + 5)
        for x, letter, anchor in zip(edges, view.letters, ("rm", "lm"), strict=True):
            draw.text((x, middle), letter, fill=INK, font=_font(18), anchor=anchor)
        if mark and row.kind != "anatomy":
            place = (_column(column) + CELL_WIDTH // 2, top + height - 4)
            draw.text(
                place, mark, ORANGE, _font(13), anchor="md", stroke_width=2, stroke_fill=(0, 0, 0)
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
    left = PAGE_WIDTH - MARGIN - BAR_WIDTH + 34
    colours = table(PALETTES[palette][row.kind])[::-1]
    bar = Image.fromarray(colours[:, None, :]).resize((22, tall), Image.Resampling.BILINEAR)
    page.paste(bar, (left, top))
    draw.rectangle((left - 1, top - 1, left + 22, top + tall), outline=QUIET)
    draw.text((left, top - 8), UNITS[row.kind], fill=INK, font=_font(19), anchor="ld")
    low, high = row.window
    for value in _ticks(row):
        y = top + round(tall * (high - value) / (high - low))
        draw.line((left + 22, y, left + 28, y), fill=INK)
        digits = ".0f" if high - low > 10 else ".1f"
        draw.text((left + 33, y), f"{value:{digits}}", fill=INK, font=_font(17), anchor="lm")


def _ticks(row: Row) -> list[float]:
    """1.0, 1.4, ... 5.0 as NEUROSTAT writes them for z; round values for the others."""
    low, high = row.window
    if row.kind == "z":
        return [round(float(value), 6) for value in np.linspace(low, high, 11)]
    return ticks(low, high)
