"""The figure: MRI, PET and both fused in three planes, with sides, scale and marks burnt in."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ..colour_maps import colourize, table, ticks
from ..volume import PetVolume, Volume
from . import marks
from .planes import (
    AXIAL,
    VIEWS,
    Box,
    Letters,
    Places,
    View,
    brain_box,
    cut,
    extent_mm,
    letters,
)
from .record import Record
from .tables import region_words

Pixels = NDArray[np.uint8]
Painter = Callable[[View, NDArray[np.float64], float], Pixels]
"""Paints one plane: view, RAS point, pixels per mm -> (height, width, 3)."""

COLUMNS_WIDTH = 1380
MARGIN = 28
GAP = 10
BAR_SPACE = 128
PAGE_WIDTH = 2 * MARGIN + COLUMNS_WIDTH + BAR_SPACE
CROP_MARGIN_MM = 12.0
FUSED_OPACITY = 0.65
Z_80 = 1.2816
"""Standard deviations from the mean to the 10th and 90th percentile of a normal distribution."""

CONVENTION = (
    "Radiological convention: the patient's left is on the right of axial and coronal pictures."
)

BLACK = (0, 0, 0)
INK = (235, 235, 235)
QUIET = (165, 165, 165)
ORANGE = (255, 167, 60)
BANNER_BACK = (66, 34, 0)


def low_and_high(mean: PetVolume, sd: PetVolume) -> tuple[PetVolume, PetVolume]:
    """The 10 % and 90 % picture, voxel by voxel, from mean and standard deviation in SUVR."""
    low = replace(mean, data=np.clip(mean.data - Z_80 * sd.data, 0.0, None), quantity="low 10 %")
    return low, replace(mean, data=mean.data + Z_80 * sd.data, quantity="high 90 %")


@dataclass(frozen=True)
class _Column:
    """A column of the figure: its heading, how to paint a plane, whether it shows PET."""

    heading: str
    paint: Painter
    is_pet: bool


def figure(t1: Volume, mean: PetVolume, sd: PetVolume, where: Places, record: Record) -> bytes:
    """Draw the figure.

    Rows axial, coronal, sagittal; columns MRI, PET, fused, and below a strip of axial PET slices
    from base to vertex. For an exploratory tracer the columns are MRI, low, middle, high, the
    strip shows the three as well, and nothing shows the middle alone.

    Parameters
    ----------
    t1
        Bias-corrected T1 with skull, on the scan's canonical grid.
    mean, sd
        SUVR on the same grid.
    where
        Points to cut through.
    record
        Tracer, model and release policy.

    Returns
    -------
    PNG file. The marks are burnt in and stand in its text fields too.

    Raises
    ------
    ValueError
        When T1 and PET do not share a grid.
    """
    if not (t1.grid.same_as(mean.grid) and mean.grid.same_as(sd.grid)):
        msg = "T1, PET and standard deviation must share one grid"
        raise ValueError(msg)
    box = brain_box(mean, CROP_MARGIN_MM)
    mri = _mri_painter(t1, mean, box)
    if record.release.triptych:
        low, high = low_and_high(mean, sd)
        shown = (("Low (10 %)", low), ("Middle", mean), ("High (90 %)", high))
        pets = [_Column(name, _pet_painter(pet, box, record), True) for name, pet in shown]
        columns, strips = [_Column("MRI (T1)", mri, False), *pets], pets
    else:
        pet = _Column(marks.title(record.tracer), _pet_painter(mean, box, record), True)
        fused = _Column("Fused", _fused_painter(mri, mean, box, record), True)
        columns, strips = [_Column("MRI (T1)", mri, False), pet, fused], [pet]

    header = _header(record)
    body = _planes(columns, mean, box, where, record)
    strip = _strips(strips, mean, box, where)
    footer = _footer(record)
    height = sum(part.height for part in (header, body, strip, footer))
    page = Image.new("RGB", (PAGE_WIDTH, height))
    top = 0
    for part in (header, body, strip, footer):
        page.paste(part, (0, top))
        top += part.height
    return _png(page, record)


def _mri_painter(t1: Volume, pet: PetVolume, box: Box) -> Painter:
    # The window belongs to the brain: scalp fat is brighter and may saturate.
    brain = t1.data[::2, ::2, ::2][pet.data[::2, ::2, ::2] > 0]
    low, high = np.percentile(brain, [0.5, 99.7]) if brain.size else (0.0, 1.0)
    floor = min(float(t1.data[::4, ::4, ::4].min()), float(low))
    window = (floor, max(float(high), floor + 1e-6))

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        return 255 - colourize(cut(t1, view, point, box, scale), window, "inverse_grey")

    return paint


def _pet_painter(pet: PetVolume, box: Box, record: Record) -> Painter:
    facts = record.tracer

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        return colourize(cut(pet, view, point, box, scale), facts.window, facts.colour_map)

    return paint


def _fused_painter(mri: Painter, pet: PetVolume, box: Box, record: Record) -> Painter:
    low, high = record.tracer.window

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        values = cut(pet, view, point, box, scale)
        colours = colourize(values, (low, high), record.tracer.colour_map)
        # Nothing is laid over the MRI where uptake is low; full opacity a third up the window.
        share = np.clip((values - low) / (high - low), 0.0, 1.0)
        opacity = FUSED_OPACITY * np.clip((share - 0.12) / 0.20, 0.0, 1.0)[..., None]
        blended = (1.0 - opacity) * mri(view, point, scale) + opacity * colours
        return np.asarray(blended.round(), dtype=np.uint8)

    return paint


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _header(record: Record) -> Image.Image:
    lines = [line for line in (record.release.opening, record.release.banner) if line]
    part = Image.new("RGB", (PAGE_WIDTH, 118 + 34 * len(lines) + 12))
    draw = ImageDraw.Draw(part)
    bottom = 14 + 34 * len(lines)
    draw.rectangle((0, 0, PAGE_WIDTH, bottom), fill=BANNER_BACK)
    draw.rectangle((0, 0, 8, bottom), fill=ORANGE)
    for row, line in enumerate(lines):
        draw.text((MARGIN, 12 + 34 * row), line, fill=ORANGE, font=_font(24))
    draw.text((MARGIN, bottom + 14), marks.title(record.tracer), fill=INK, font=_font(38))
    subtitle = (
        f"SUVR, reference {region_words(record.tracer.reference_region)} = 1   |   "
        f"{record.tracer.long_name}   |   model {record.model.name} {record.model.version}"
    )
    draw.text((MARGIN, bottom + 64), subtitle, fill=QUIET, font=_font(22))
    if record.release.triptych:
        right = PAGE_WIDTH - MARGIN
        draw.text((right, bottom + 24), marks.AMBIGUOUS, fill=ORANGE, font=_font(28), anchor="ra")
    return part


def _planes(
    columns: list[_Column], grid_of: Volume, box: Box, where: Places, record: Record
) -> Image.Image:
    cell = (COLUMNS_WIDTH - GAP * (len(columns) - 1)) // len(columns)
    scale = cell / max(extent_mm(grid_of, box, axis) for axis in (0, 1))
    heights = [round(extent_mm(grid_of, box, view.down) * scale) for view in VIEWS]
    heading = 40
    total = heading + sum(heights) + GAP * len(VIEWS)
    part = Image.new("RGB", (PAGE_WIDTH, total))
    draw = ImageDraw.Draw(part)
    for number, column in enumerate(columns):
        left = MARGIN + number * (cell + GAP)
        draw.text((left + cell // 2, 8), column.heading, fill=INK, font=_font(24), anchor="ma")
        top = heading
        for view, height in zip(VIEWS, heights, strict=True):
            pixels = column.paint(view, where.centre, scale)
            offset = left + (cell - pixels.shape[1]) // 2
            part.paste(Image.fromarray(pixels), (offset, top))
            _sides(draw, letters(grid_of.affine, view), (left, top, left + cell, top + height))
            if column.is_pet:
                _corner(draw, left + 4, top + height - 4, record)
            top += height + GAP
    bar_left = MARGIN + COLUMNS_WIDTH + 24
    _colour_bar(part, bar_left, heading + 36, min(520, total - heading - 90), record)
    return part


def _sides(draw: ImageDraw.ImageDraw, names: Letters, frame: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = frame
    middle, centre = (top + bottom) // 2, (left + right) // 2
    font = _font(22)
    for place, name, anchor in (
        ((left + 6, middle), names.left, "lm"),
        ((right - 6, middle), names.right, "rm"),
        ((centre, top + 4), names.top, "ma"),
        ((centre, bottom - 4), names.bottom, "md"),
    ):
        draw.text(
            place, name, fill=INK, font=font, anchor=anchor, stroke_width=3, stroke_fill=BLACK
        )


def _corner(draw: ImageDraw.ImageDraw, left: int, bottom: int, record: Record) -> None:
    text = "\n".join([marks.WORD, *textwrap.wrap(record.release.cognition, 18)])
    font = _font(17)
    # An outline, not a box: a box would hide part of the brain.
    draw.multiline_text(
        (left, bottom), text, fill=ORANGE, font=font, anchor="ld", stroke_width=3, stroke_fill=BLACK
    )


def _colour_bar(page: Image.Image, left: int, top: int, height: int, record: Record) -> None:
    draw = ImageDraw.Draw(page)
    low, high = record.tracer.window
    colours = table(record.tracer.colour_map)[::-1]
    bar = Image.fromarray(colours[:, None, :]).resize((26, height), Image.Resampling.BILINEAR)
    page.paste(bar, (left, top))
    draw.rectangle((left - 1, top - 1, left + 26, top + height), outline=QUIET)
    draw.text((left - 1, top - 10), "SUVR", fill=INK, font=_font(22), anchor="ld")
    for value in ticks(low, high):
        y = top + round(height * (high - value) / (high - low))
        draw.line((left + 26, y, left + 33, y), fill=INK, width=2)
        draw.text((left + 38, y), f"{value:.1f}", fill=INK, font=_font(20), anchor="lm")


def _strips(rows: list[_Column], grid_of: Volume, box: Box, where: Places) -> Image.Image:
    count = len(where.strip)
    width = COLUMNS_WIDTH + BAR_SPACE
    cell = (width - GAP * (count - 1)) // count
    scale = cell / extent_mm(grid_of, box, 0)
    height = round(extent_mm(grid_of, box, 1) * scale)
    heading = 40
    part = Image.new("RGB", (PAGE_WIDTH, (heading + height) * len(rows) + GAP))
    draw = ImageDraw.Draw(part)
    names = letters(grid_of.affine, AXIAL)
    top = 0
    for row in rows:
        words = f"{row.heading}, axial, base to vertex"
        draw.text((MARGIN, top + 8), words, fill=INK, font=_font(22))
        top += heading
        for number, point in enumerate(where.strip):
            left = MARGIN + number * (cell + GAP)
            part.paste(Image.fromarray(row.paint(AXIAL, point, scale)), (left, top))
            for place, text, ink, anchor in (
                ((left + 2, top + height // 2), names.left, INK, "lm"),
                ((left + cell - 2, top + height // 2), names.right, INK, "rm"),
                ((left + 2, top + height - 2), marks.SHORT, ORANGE, "ld"),
            ):
                draw.text(place, text, fill=ink, font=_font(15), anchor=anchor)
        top += height
    return part


def _footer(record: Record) -> Image.Image:
    lines = [
        (f"{marks.CORNER}.  {marks.NOT_ACQUIRED}", ORANGE),
        (CONVENTION, QUIET),
        (marks.DO_NOT_USE, QUIET),
    ]
    part = Image.new("RGB", (PAGE_WIDTH, 30 + 32 * len(lines)))
    draw = ImageDraw.Draw(part)
    for row, (line, colour) in enumerate(lines):
        draw.text((MARGIN, 14 + 32 * row), line, fill=colour, font=_font(20))
    return part


def _png(page: Image.Image, record: Record) -> bytes:
    facts = PngInfo()
    facts.add_text("Title", marks.title(record.tracer))
    facts.add_text("Warning", record.release.banner)
    facts.add_text("Disclaimer", marks.NOT_ACQUIRED)
    stream = BytesIO()
    page.save(stream, "PNG", pnginfo=facts)
    return stream.getvalue()
