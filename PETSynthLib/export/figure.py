"""The figure: MRI, PET and both fused in three planes, with sides, scale and marks burnt in."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from ..colour_maps import BANNER_BACK, INK, ORANGE, QUIET
from ..project.page import COMPRESS_LEVEL
from ..tracers import Tracer
from ..volume import PetVolume, Volume
from . import marks
from .figure_parts import (
    WIDE,
    Column,
    Layout,
    font,
    fused_painter,
    low_and_high,
    mri_painter,
    pet_painter,
    planes_part,
    stacked,
    strips_part,
    uptake_scale,
)
from .planes import Places, brain_box
from .policy import Release
from .record import Record
from .tables import region_words

CROP_MARGIN_MM = 12.0
CONVENTION = (
    "Radiological convention: the patient's left is on the right of axial and coronal pictures."
)


@dataclass(frozen=True)
class FigureWords:
    """Every word of a figure, and what it may show.

    Attributes
    ----------
    tracer, release
        What is shown and on which evidence.
    title, subtitle
        Headline and what the numbers are.
    banner
        Lines that must be read first; may be empty.
    footer
        Lines below; the first is set in the banner's colour.
    """

    tracer: Tracer
    release: Release
    title: str
    subtitle: str
    banner: tuple[str, ...]
    footer: tuple[str, ...]


def figure_words(record: Record) -> FigureWords:
    """The words of a synthesis."""
    facts, release = record.tracer, record.release
    return FigureWords(
        tracer=facts,
        release=release,
        title=marks.title(facts),
        subtitle=(
            f"SUVR, reference {region_words(facts.reference_region)} = 1   |   "
            f"{facts.long_name}   |   model {record.model.name} {record.model.version}"
        ),
        banner=tuple(filter(None, (release.opening, release.banner))),
        footer=(f"{marks.CORNER}.  {marks.NOT_ACQUIRED}", CONVENTION, marks.DO_NOT_USE),
    )


def figure(
    t1: Volume,
    mean: PetVolume,
    sd: PetVolume | None,
    where: Places,
    words: FigureWords,
    layout: Layout = WIDE,
) -> bytes:
    """Draw the figure.

    Rows axial, coronal, sagittal; columns MRI, PET, fused, and below a strip of axial PET slices
    from base to vertex. For an exploratory tracer the columns are MRI, low, middle, high, the
    strip shows the three as well, and nothing shows the middle alone. Two columns of a narrow
    layout leave the MRI out.

    Parameters
    ----------
    t1
        Bias-corrected T1 with skull, on the scan's canonical grid.
    mean, sd
        SUVR on the same grid; an acquired PET has no standard deviation.
    where
        Points to cut through.
    words
        Tracer, release policy and words.
    layout
        How wide.

    Returns
    -------
    PNG file. The marks are burnt in and stand in its text fields too.

    Raises
    ------
    ValueError
        When T1 and PET do not share a grid, or an exploratory tracer comes without its ``sd``.
    """
    if not all(other is None or t1.grid.same_as(other.grid) for other in (mean, sd)):
        msg = "T1, PET and standard deviation must share one grid"
        raise ValueError(msg)
    release, shown = words.release, uptake_scale(words.tracer)
    box = brain_box(mean, CROP_MARGIN_MM)
    mri = mri_painter(t1, mean, box)
    if release.triptych:
        if sd is None:
            msg = "low and high need the standard deviation"
            raise ValueError(msg)
        low, high = low_and_high(mean, sd)
        three = (("Low (10 %)", low), ("Middle", mean), ("High (90 %)", high))
        pets = [Column(name, pet_painter(pet, box, shown), True) for name, pet in three]
        strips = pets
    else:
        pet = Column(words.title, pet_painter(mean, box, shown), True)
        pets = [pet, Column("Fused", fused_painter(mri, mean, box, shown), True)]
        strips = [pet]
    columns = [Column("MRI (T1)", mri, False), *pets] if layout is WIDE else pets
    page = stacked(
        [
            _header(words, layout),
            planes_part(columns, mean, box, where, release, layout, [shown]),
            strips_part(strips, mean, where, box, release, layout),
            _footer(words, layout),
        ]
    )
    return png(page, words)


def _header(words: FigureWords, layout: Layout) -> Image.Image:
    per_line = (layout.width - 2 * layout.margin) // 12
    lines = [part for line in words.banner for part in textwrap.wrap(line, per_line)]
    strip = 14 + 34 * len(lines) if lines else 0
    subtitle = textwrap.wrap(words.subtitle, (layout.width - 2 * layout.margin) // 11)
    part = Image.new("RGB", (layout.width, strip + 86 + 30 * len(subtitle)))
    draw = ImageDraw.Draw(part)
    if lines:
        draw.rectangle((0, 0, layout.width, strip), fill=BANNER_BACK)
        draw.rectangle((0, 0, 8, strip), fill=ORANGE)
    left = layout.margin
    for row, line in enumerate(lines):
        draw.text((left, 12 + 34 * row), line, fill=ORANGE, font=font(24))
    draw.text((left, strip + 14), words.title, fill=INK, font=font(38))
    for row, line in enumerate(subtitle):
        draw.text((left, strip + 64 + 30 * row), line, fill=QUIET, font=font(22))
    if words.release.triptych and layout is WIDE:
        right = layout.width - layout.margin
        draw.text((right, strip + 24), marks.AMBIGUOUS, fill=ORANGE, font=font(28), anchor="ra")
    return part


def _footer(words: FigureWords, layout: Layout) -> Image.Image:
    lines = []
    for number, line in enumerate(words.footer):
        colour = QUIET if number else ORANGE
        lines += [
            (part, colour) for part in textwrap.wrap(line, (layout.width - 2 * layout.margin) // 10)
        ]
    part = Image.new("RGB", (layout.width, 30 + 32 * len(lines)))
    draw = ImageDraw.Draw(part)
    for row, (line, colour) in enumerate(lines):
        draw.text((layout.margin, 14 + 32 * row), line, fill=colour, font=font(20))
    return part


def png(page: Image.Image, words: FigureWords) -> bytes:
    """A page as a PNG file; title and warnings stand in its text fields too."""
    facts = PngInfo()
    facts.add_text("Title", words.title)
    if words.release.synthetic:
        facts.add_text("Warning", words.release.banner)
        facts.add_text("Disclaimer", marks.NOT_ACQUIRED)
    stream = BytesIO()
    page.save(stream, "PNG", pnginfo=facts, compress_level=COMPRESS_LEVEL)
    return stream.getvalue()
