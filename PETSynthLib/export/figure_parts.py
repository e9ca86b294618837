"""The parts figures are put together from: painted planes with their sides, marks and scale."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..colour_maps import DIFFERENCE, INK, ORANGE, QUIET, colourize, table, ticks
from ..tracers import Tracer
from ..volume import PetVolume, Volume
from . import marks
from .planes import AXIAL, VIEWS, Box, Letters, Places, View, cut, extent_mm, letters
from .policy import Release

Pixels = NDArray[np.uint8]
Painter = Callable[[View, NDArray[np.float64], float], Pixels]
"""Paints one plane: view, RAS point, pixels per mm -> (height, width, 3)."""

GAP = 10
FUSED_OPACITY = 0.65
DIFFERENCE_OPACITY = 0.85
Z_80 = 1.2816
"""Standard deviations from the mean to the 10th and 90th percentile of a normal distribution."""

BLACK = (0, 0, 0)


@dataclass(frozen=True)
class Column:
    """A column of a figure: its heading, how to paint a plane, whether it shows PET."""

    heading: str
    paint: Painter
    is_pet: bool


@dataclass(frozen=True)
class Layout:
    """Sizes of a figure in pixels.

    Attributes
    ----------
    margin, columns, bar
        Widths: to the left and right, of all columns together, of the colour bar's place.
    tiles
        Slices of the strip in one line.
    """

    margin: int
    columns: int
    bar: int
    tiles: int

    @property
    def width(self) -> int:
        """Of the whole figure."""
        return 2 * self.margin + self.columns + self.bar


WIDE = Layout(margin=28, columns=1380, bar=128, tiles=8)
NARROW = Layout(margin=10, columns=690, bar=100, tiles=4)
"""For a telephone held upright."""


@dataclass(frozen=True)
class Scale:
    """A colour bar: its unit, its ends, its colour map, whether numbers carry their sign."""

    unit: str
    window: tuple[float, float]
    colour_map: str
    signed: bool = False


def uptake_scale(tracer: Tracer) -> Scale:
    """The scale on which a tracer is shown."""
    return Scale("SUVR", tracer.window, tracer.colour_map)


def difference_scale(tracer: Tracer) -> Scale:
    """From minus to plus an eighth of the tracer's window (FDG: 0.3 SUVR)."""
    low, high = tracer.window
    end = max(round((high - low) / 8.0, 1), 0.1)
    return Scale("SUVR", (-end, end), DIFFERENCE, signed=True)


def low_and_high(mean: PetVolume, sd: PetVolume) -> tuple[PetVolume, PetVolume]:
    """The 10 % and 90 % picture, voxel by voxel, from mean and standard deviation in SUVR."""
    low = replace(mean, data=np.clip(mean.data - Z_80 * sd.data, 0.0, None), quantity="low 10 %")
    return low, replace(mean, data=mean.data + Z_80 * sd.data, quantity="high 90 %")


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The one typeface of every figure."""
    return ImageFont.load_default(size)


def mri_painter(t1: Volume, pet: PetVolume, box: Box) -> Painter:
    """Paints the MRI in grey."""
    # The window belongs to the brain: scalp fat is brighter and may saturate.
    brain = t1.data[::2, ::2, ::2][pet.data[::2, ::2, ::2] > 0]
    low, high = np.percentile(brain, [0.5, 99.7]) if brain.size else (0.0, 1.0)
    floor = min(float(t1.data[::4, ::4, ::4].min()), float(low))
    window = (floor, max(float(high), floor + 1e-6))

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        return 255 - colourize(cut(t1, view, point, box, scale), window, "inverse_grey")

    return paint


def pet_painter(pet: PetVolume, box: Box, shown: Scale) -> Painter:
    """Paints a PET on its scale."""

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        return colourize(cut(pet, view, point, box, scale), shown.window, shown.colour_map)

    return paint


def fused_painter(mri: Painter, pet: PetVolume, box: Box, shown: Scale) -> Painter:
    """Paints a PET over the MRI."""
    low, high = shown.window

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        values = cut(pet, view, point, box, scale)
        # Nothing is laid over the MRI where uptake is low; full opacity a third up the window.
        share = np.clip((values - low) / (high - low), 0.0, 1.0)
        opacity = FUSED_OPACITY * np.clip((share - 0.12) / 0.20, 0.0, 1.0)
        colours = colourize(values, shown.window, shown.colour_map)
        return _blended(mri(view, point, scale), colours, opacity)

    return paint


def difference_painter(mri: Painter, difference: Volume, box: Box, shown: Scale) -> Painter:
    """Paints a difference over the MRI; where there is none, the MRI stays bare."""
    end = shown.window[1]

    def paint(view: View, point: NDArray[np.float64], scale: float) -> Pixels:
        values = cut(difference, view, point, box, scale)
        opacity = DIFFERENCE_OPACITY * np.clip((np.abs(values) / end - 0.1) / 0.3, 0.0, 1.0)
        colours = colourize(values, shown.window, shown.colour_map)
        # A dim MRI: its whites would outshine the differences.
        return _blended(0.6 * mri(view, point, scale), colours, opacity)

    return paint


def _blended(below: NDArray[np.number], colours: Pixels, opacity: NDArray[np.floating]) -> Pixels:
    share = np.asarray(opacity, np.float32)[..., None]
    mixed = (1.0 - share) * np.asarray(below, np.float32) + share * np.asarray(colours, np.float32)
    return np.asarray(mixed.round(), dtype=np.uint8)


def planes_part(
    columns: Sequence[Column],
    grid_of: Volume,
    box: Box,
    where: Places,
    release: Release,
    layout: Layout,
    scales: Sequence[Scale],
) -> Image.Image:
    """Every column in three planes through ``where.centre``, colour bars beside."""
    cell = (layout.columns - GAP * (len(columns) - 1)) // len(columns)
    scale = cell / max(extent_mm(grid_of, box, axis) for axis in (0, 1))
    heights = [round(extent_mm(grid_of, box, view.down) * scale) for view in VIEWS]
    heading = 40
    total = heading + sum(heights) + GAP * len(VIEWS)
    part = Image.new("RGB", (layout.width, total))
    draw = ImageDraw.Draw(part)
    for number, column in enumerate(columns):
        left = layout.margin + number * (cell + GAP)
        draw.text((left + cell // 2, 8), column.heading, fill=INK, font=font(24), anchor="ma")
        top = heading
        for view, height in zip(VIEWS, heights, strict=True):
            pixels = column.paint(view, where.centre, scale)
            offset = left + (cell - pixels.shape[1]) // 2
            part.paste(Image.fromarray(pixels), (offset, top))
            _sides(draw, letters(grid_of.affine, view), (left, top, left + cell, top + height))
            if column.is_pet:
                _corner(draw, left + 4, top + height - 4, release)
            top += height + GAP
    each = (total - heading) // len(scales)
    for number, shown in enumerate(scales):
        top = heading + 36 + number * each
        left = layout.margin + layout.columns + 24
        _colour_bar(part, left, top, min(520, each - 60), shown)
    return part


def _sides(draw: ImageDraw.ImageDraw, names: Letters, frame: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = frame
    middle, centre = (top + bottom) // 2, (left + right) // 2
    for place, name, anchor in (
        ((left + 6, middle), names.left, "lm"),
        ((right - 6, middle), names.right, "rm"),
        ((centre, top + 4), names.top, "ma"),
        ((centre, bottom - 4), names.bottom, "md"),
    ):
        draw.text(
            place, name, fill=INK, font=font(22), anchor=anchor, stroke_width=3, stroke_fill=BLACK
        )


def _corner(draw: ImageDraw.ImageDraw, left: int, bottom: int, release: Release) -> None:
    if not release.synthetic:
        return
    text = "\n".join([marks.WORD, *textwrap.wrap(release.cognition, 18)])
    # An outline, not a box: a box would hide part of the brain.
    draw.multiline_text(
        (left, bottom),
        text,
        fill=ORANGE,
        font=font(17),
        anchor="ld",
        stroke_width=3,
        stroke_fill=BLACK,
    )


def _colour_bar(page: Image.Image, left: int, top: int, height: int, shown: Scale) -> None:
    draw = ImageDraw.Draw(page)
    low, high = shown.window
    colours = table(shown.colour_map)[::-1]
    bar = Image.fromarray(colours[:, None, :]).resize((26, height), Image.Resampling.BILINEAR)
    page.paste(bar, (left, top))
    draw.rectangle((left - 1, top - 1, left + 26, top + height), outline=QUIET)
    draw.text((left - 1, top - 10), shown.unit, fill=INK, font=font(22), anchor="ld")
    for value in ticks(low, high):
        y = top + round(height * (high - value) / (high - low))
        draw.line((left + 26, y, left + 33, y), fill=INK, width=2)
        words = f"{value:+.1f}" if shown.signed and value else f"{value:.1f}"
        draw.text((left + 38, y), words, fill=INK, font=font(20), anchor="lm")


def strips_part(
    rows: Sequence[Column],
    grid_of: Volume,
    where: Places,
    box: Box,
    release: Release,
    layout: Layout,
) -> Image.Image:
    """Axial slices from base to vertex, a line or more a column."""
    width = layout.columns + layout.bar
    cell = (width - GAP * (layout.tiles - 1)) // layout.tiles
    scale = cell / extent_mm(grid_of, box, 0)
    height = round(extent_mm(grid_of, box, 1) * scale)
    lines = -(-len(where.strip) // layout.tiles)
    heading = 40
    part = Image.new("RGB", (layout.width, (heading + lines * height) * len(rows) + GAP))
    draw = ImageDraw.Draw(part)
    names = letters(grid_of.affine, AXIAL)
    top = 0
    for row in rows:
        words = f"{row.heading}, axial, base to vertex"
        draw.text((layout.margin, top + 8), words, fill=INK, font=font(22))
        top += heading
        for number, point in enumerate(where.strip):
            line, column = divmod(number, layout.tiles)
            left, above = layout.margin + column * (cell + GAP), top + line * height
            part.paste(Image.fromarray(row.paint(AXIAL, point, scale)), (left, above))
            for place, text, ink, anchor in (
                ((left + 2, above + height // 2), names.left, INK, "lm"),
                ((left + cell - 2, above + height // 2), names.right, INK, "rm"),
                ((left + 2, above + height - 2), marks.SHORT * release.synthetic, ORANGE, "ld"),
            ):
                draw.text(place, text, fill=ink, font=font(15), anchor=anchor)
        top += lines * height
    return part


def stacked(parts: Sequence[Image.Image]) -> Image.Image:
    """Parts of one width, the first on top."""
    page = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    return page
