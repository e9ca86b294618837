"""The picture of a prepared subject: made to find pairs that do not lie on each other.

Every image is cut at the same places of the template and carries the same two lines, both from
the T1 alone: the edge of its brain (green) and of its white matter (white). In a PET that lies
right, the green line runs along the edge of the uptake and the white line inside the cortex, on
both sides and in all planes. On the T1 itself an orange line shows the template's brain.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from ...colour_maps import colourize
from ...export.planes import (
    AXIAL,
    CENTRE,
    CORONAL,
    SAGITTAL,
    Box,
    View,
    brain_box,
    cut,
    letters,
)
from ...generate.atlas.segment import segment
from ...preprocess import Prepared, atlas_on
from ...preprocess.pet import LIKENESS
from ...tracers import Tracer
from ...volume import PetVolume, Volume

PIXELS_PER_MM = 1.3
BRIGHTEST = 99.5
"""Percentile of a PET in the brain that is shown brightest."""
MARGIN_MM = 9.0
CUTS: tuple[tuple[View, tuple[float, float, float]], ...] = (
    (AXIAL, (5.0, -18.0, -30.0)),
    (AXIAL, CENTRE),
    (AXIAL, (5.0, -18.0, 32.0)),
    (AXIAL, (5.0, -18.0, 54.0)),
    (CORONAL, CENTRE),
    (CORONAL, (5.0, -60.0, 6.0)),
    (SAGITTAL, (5.0, -18.0, 6.0)),
    (SAGITTAL, (32.0, -18.0, 6.0)),
)
"""Planes and points (template RAS mm): cerebellum, basal ganglia, above the ventricles, near the
vertex; central and parietal; midline and one hemisphere."""
LABEL_WIDTH, HEADER, GAP = 110, 26, 4
EDGE, WHITE_EDGE, TEMPLATE_EDGE = (0, 235, 90), (235, 235, 235), (255, 150, 30)
WHITE_OPACITY = 0.55
INK, QUIET, WARN = (235, 235, 235), (160, 160, 160), (255, 150, 30)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PetPicture:
    """A PET on the store's grid with how well it fits its T1 (`preprocess.pet.explained`)."""

    tracer: Tracer
    image: PetVolume
    match: float


@dataclass(frozen=True, eq=False)
class _Line:
    """An edge to be drawn: where the inside is, in which colour, how strongly."""

    inside: Volume
    colour: tuple[int, int, int]
    opacity: float


def draw(name: str, mri: Prepared, pets: tuple[PetPicture, ...]) -> bytes:
    """PNG of a subject: a row an image (T1, FLAIR, each PET), a column a plane.

    Parameters
    ----------
    name
        Of the session; the picture carries no other fact of the person.
    mri
        Prepared MRI on the store's grid.
    pets
        What was laid on it.
    """
    white = mri.t1.with_data(segment(mri.t1, mri.brain).white)
    edge = _Line(mri.brain, EDGE, 1.0)
    own = (edge, _Line(white, WHITE_EDGE, WHITE_OPACITY))
    template = _Line(atlas_on("template_brain", mri.t1.grid), TEMPLATE_EDGE, 1.0)
    box = brain_box(mri.brain, MARGIN_MM)
    warn = [f.sentence for f in mri.findings if f.verdict.value != "green"]
    rows = [
        _row("T1", "orange: template", QUIET, mri.t1, (0.0, 1.2), "grey", (template, edge), box)
    ]
    if mri.flair is not None:
        rows.append(_row("FLAIR", "", QUIET, mri.flair, (0.0, 1.3), "grey", own, box))
    for pet in pets:
        good = pet.match >= LIKENESS[1]
        words = f"match {pet.match:.3f}" + ("" if good else " LOW")
        # Not the tracer's own window: here all of the brain is to be seen, whatever it means.
        bright = float(np.percentile(pet.image.data[mri.brain.mask], BRIGHTEST))
        window = (0.0, max(bright, 0.1))
        rows.append(
            _row(
                pet.tracer.label,
                words,
                QUIET if good else WARN,
                pet.image,
                window,
                "uniform",
                own,
                box,
            )
        )
    page = np.concatenate(rows)
    sheet = Image.new("RGB", (page.shape[1], page.shape[0] + HEADER))
    sheet.paste(Image.fromarray(page), (0, HEADER))
    pen = ImageDraw.Draw(sheet)
    head = f"{name}   green: brain of the T1, white: its white matter"
    pen.text((6, 5), head, INK, _font(14))
    if warn:
        pen.text((8 + int(pen.textlength(head, _font(14))) + 20, 5), warn[0], WARN, _font(14))
    buffer = io.BytesIO()
    # A palette: a third of the bytes and of the time, and nobody reads values off this picture.
    sheet.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "PNG")
    return buffer.getvalue()


def _row(
    title: str,
    words: str,
    colour: tuple[int, int, int],
    image: Volume,
    window: tuple[float, float],
    colours: str,
    lines: tuple[_Line, ...],
    box: Box,
) -> Pixels:
    """One image in every plane of `CUTS`, with its name on the left."""
    pictures = [_plane(image, window, colours, lines, box, k) for k in range(len(CUTS))]
    height = max(p.shape[0] for p in pictures) + GAP
    width = LABEL_WIDTH + sum(p.shape[1] + GAP for p in pictures)
    strip = Image.new("RGB", (width, height))
    left = LABEL_WIDTH
    for picture in pictures:
        strip.paste(Image.fromarray(picture), (left, (height - picture.shape[0]) // 2))
        left += picture.shape[1] + GAP
    pen = ImageDraw.Draw(strip)
    pen.text((6, height // 2 - 20), title, INK, _font(15))
    pen.text((6, height // 2 + 2), words, colour, _font(12))
    return np.asarray(strip)


def _plane(
    image: Volume,
    window: tuple[float, float],
    colours: str,
    lines: tuple[_Line, ...],
    box: Box,
    which: int,
) -> Pixels:
    view, point = CUTS[which]
    values = cut(image, view, np.array(point), box, PIXELS_PER_MM)
    if colours == "grey":
        share = np.clip((values - window[0]) / (window[1] - window[0]), 0.0, 1.0)
        picture = np.repeat((share * 255).astype(np.uint8)[..., None], 3, axis=2)
    else:
        picture = colourize(values, window, colours)
    for line in lines:
        inside = cut(line.inside, view, np.array(point), box, PIXELS_PER_MM) > 0.5
        rim = inside & ~ndimage.binary_erosion(inside)
        blend = line.opacity * np.array(line.colour) + (1 - line.opacity) * picture[rim]
        picture[rim] = blend.astype(np.uint8)
    return _with_side(picture, letters(image.affine, view).left)


def _with_side(picture: Pixels, letter: str) -> Pixels:
    """Which side of the body the picture's left edge shows."""
    page = Image.fromarray(picture)
    ImageDraw.Draw(page).text((3, 2), letter, QUIET, _font(11))
    return np.asarray(page)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
