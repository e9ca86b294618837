"""The pictures of a synthesis' report, in both widths, and its content around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..quantify import RegionTable, quantify
from ..volume import PetVolume, Volume
from . import marks
from .figure import figure, figure_words
from .figure_parts import NARROW
from .planes import Places
from .record import Record
from .report_content import UPTAKE_PAGE, Picture, ReportContent
from .report_difference import difference_pictures
from .report_synthesis import mean_heading, synthesis_content

PLANES = "Planes of the scan's own grid through thalamus and basal ganglia. R, L: the patient's."
SURFACE = (
    "Each view shows the highest uptake found just below the template's surface; the letters are "
    "the patient's left and right."
)
SURFACE_Z = (
    "Each row divides the uptake by another reference and shows z against the normals; nothing is "
    "painted below z = 1."
)


@dataclass(frozen=True, eq=False)
class Expected:
    """What the model draws for an average brain of the same age and sex.

    Attributes
    ----------
    picture
        SUVR, laid on the scan by the affine.
    table
        Its regions, measured where it was drawn: on the template.
    """

    picture: PetVolume
    table: RegionTable


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn and measured, all on the scan's canonical grid.

    Attributes
    ----------
    t1
        Bias-corrected T1.
    mean, sd
        SUVR and its standard deviation.
    expected
        What the model draws for an average brain of the same age and sex, or None.
    labels
        Region labels of the table.
    where
        Points to cut through.
    """

    t1: Volume
    mean: PetVolume
    sd: PetVolume
    expected: Expected | None
    labels: Volume
    where: Places


def synthesis_report(
    drawn: Drawn,
    figure_png: bytes,
    pages: Mapping[str, tuple[bytes, bytes]],
    table: RegionTable,
    record: Record,
    image_only: RegionTable | None = None,
) -> ReportContent:
    """Draw what the report needs and put its content together.

    Parameters
    ----------
    drawn
        What the walk made.
    figure_png
        The wide figure, which lies beside the report too.
    pages
        Name -> page of the brain surface as PNG, wide and narrow.
    table, record, image_only
        As `synthesis_content`.
    """
    bare = any(row.interval is None for row in (*table.headline, *table.regions))
    return synthesis_content(
        record,
        table,
        image_only=image_only,
        expected=None if drawn.expected is None else drawn.expected.table,
        spread=quantify(drawn.sd, None, drawn.labels, {}) if bare else None,
        slices=_slices(drawn, figure_png, record),
        difference=_difference(drawn, record),
        surface=surface_pictures(pages, marks.title(record.tracer)),
    )


def surface_pictures(pages: Mapping[str, tuple[bytes, bytes]], title: str) -> dict[str, Picture]:
    """Pages of `ssp.ssp_pages` as PNG, wide and narrow, as pictures of a report."""
    return {
        part: Picture(
            wide,
            f"{title} on the brain surface, eight views, with side letters",
            SURFACE if part == UPTAKE_PAGE else SURFACE_Z,
            narrow,
        )
        for part, (wide, narrow) in pages.items()
    }


def _slices(drawn: Drawn, wide: bytes, record: Record) -> Picture:
    words = PLANES
    if record.release.triptych:
        words += f" Low (10 %), middle and high (90 %) in one window: {marks.AMBIGUOUS}."
    narrow = figure(
        drawn.t1, drawn.mean, drawn.sd, drawn.where, figure_words(record), layout=NARROW
    )
    title = marks.title(record.tracer)
    alternative = f"{title}: axial, coronal and sagittal slices, beside and over the MRI"
    return Picture(wide, alternative, words, narrow)


def _difference(drawn: Drawn, record: Record) -> Picture | None:
    if drawn.expected is None:
        return None
    heading = mean_heading(record)
    wide, narrow = difference_pictures(
        drawn.t1,
        drawn.mean,
        drawn.sd,
        drawn.expected.picture,
        drawn.where,
        figure_words(record),
        heading,
    )
    alternative = f"{marks.title(record.tracer)}, {heading.lower()}, and the difference"
    return Picture(wide, alternative, narrow=narrow)
