"""What a report says, as plain data. Synthetic and acquired PET fill in the same form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checks import Finding
from ..tracers import Cutoff, Tracer
from .policy import Release
from .shown import ShownRow

UPTAKE_PAGE = "ssp"
"""The surface page without z; every other page holds z."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of the report.

    Attributes
    ----------
    png
        PNG file.
    alternative
        What it shows, for those who cannot see it.
    caption
        Sentence below it.
    narrow
        The same arranged for a narrow screen, or None: then the picture scrolls in its own box.
    """

    png: bytes
    alternative: str
    caption: str = ""
    narrow: bytes | None = None


@dataclass(frozen=True)
class RegionLine:
    """A region as it may be shown.

    Attributes
    ----------
    row
        Value, interval and side difference, from `shown.shown_rows`.
    spread
        Half the width of an uncalibrated 90 % spread, SUVR, where there is no interval.
    expected
        Mean of the same age and sex, SUVR, or None.
    as_expected
        The region measured as the mean was, SUVR; None when that is the row's own value.
    normal
        5th and 95th percentile of the normals, SUVR, or None.
    z, percentile, flagged
        Against the normals; None and False without.
    extra
        Further columns of the table: heading -> text.
    """

    row: ShownRow
    spread: float | None = None
    expected: float | None = None
    as_expected: float | None = None
    normal: tuple[float, float] | None = None
    z: float | None = None
    percentile: float | None = None
    flagged: bool = False
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def judged(self) -> bool:
        """Whether the line holds the person against normals."""
        return self.flagged or self.z is not None or self.normal is not None


@dataclass(frozen=True, eq=False)
class Added:
    """PET, mean of the same age and sex, and the difference.

    Attributes
    ----------
    title
        Heading of the section.
    picture
        From `report_difference`.
    mean_words
        Heading of the mean's column.
    note
        Sentence below the table.
    """

    title: str
    picture: Picture
    mean_words: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything a report says.

    Attributes
    ----------
    release
        What may be shown; the content is held against it.
    tracer
        What the PET shows.
    title, lead
        Headline and the sentence below it.
    banner
        First lines of the page.
    ribbon
        A few words that stay in view while one scrolls.
    headline, regions
        Regions shown first, and all of them.
    quantity
        What the numbers are, e.g. ``"SUVR, reference pons = 1"``.
    atlas
        Which regions, and how they were laid onto the scan.
    region_notes, all_regions_note
        Sentences below the first regions, and below all of them.
    slices
        The figure.
    added
        What the MRI added.
    surface
        Page of `export.ssp` -> picture.
    scales
        Name of a scale -> value in words.
    cutoffs
        Markers of the literature that hold for these regions, reference and pipeline.
    normals, flags
        Who the normals are; how many regions are flagged and how many normals have as many.
    findings
        Checks of input and output.
    facts_title, facts
        What shaped the picture, or what was measured.
    steps
        ``name``, ``version``, ``outcome``, ``seconds``, ``parameters`` of each step.
    provenance
        Checksums, versions, seeds.
    copy
        Text for another document: facts only.
    do_not_use
        What the result must not be used for, or empty.
    footer
        Last lines of the page.

    Raises
    ------
    ValueError
        Without a banner, or when it holds what ``release`` withholds.
    """

    release: Release
    tracer: Tracer
    title: str
    lead: str
    banner: tuple[str, ...]
    ribbon: str
    headline: tuple[RegionLine, ...]
    regions: tuple[RegionLine, ...]
    quantity: str
    atlas: str = ""
    region_notes: tuple[str, ...] = ()
    all_regions_note: str = ""
    slices: Picture | None = None
    added: Added | None = None
    surface: Mapping[str, Picture] = field(default_factory=dict)
    scales: tuple[tuple[str, str], ...] = ()
    cutoffs: tuple[Cutoff, ...] = ()
    normals: str = ""
    flags: str = ""
    findings: tuple[Finding, ...] = ()
    facts_title: str = "What shaped this picture"
    facts: tuple[tuple[str, str], ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    copy: str = ""
    do_not_use: str = ""
    footer: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not any(self.banner):
            raise ValueError("a report begins with a banner")
        held = ", ".join(word for word in self.release.withheld if self._holds(word))
        if held:
            msg = f"this evidence ({self.release.evidence}) does not carry: {held}"
            raise ValueError(msg)

    def _holds(self, judgement: str) -> bool:
        """Whether the content holds a judgement of `policy.NORMATIVE`."""
        lines = (*self.headline, *self.regions)
        if judgement == "z-score":
            pages = set(self.surface) - {UPTAKE_PAGE}
            return bool(pages or self.flags or self.normals or any(line.judged for line in lines))
        if judgement == "percentile":
            return any(line.percentile is not None for line in lines)
        if judgement == "cut-off marker":
            return bool(self.cutoffs)
        return any(name.startswith(judgement) for name, _ in self.scales)


def cutoffs_that_hold(
    tracer: Tracer, reference_region: str, pipeline: str, release: Release
) -> tuple[Cutoff, ...]:
    """Cut-offs of the literature that hold for these numbers.

    A cut-off belongs to its region, its reference and its pipeline; it holds for nothing else.

    Parameters
    ----------
    pipeline
        What measured the regions.
    """
    if "cut-off marker" in release.withheld:
        return ()
    return tuple(
        cut
        for cut in tracer.cutoffs
        if (cut.quantity, cut.reference, cut.pipeline) == ("SUVR", reference_region, pipeline)
    )


def lines_of(
    rows: Iterable[ShownRow],
    expected: Mapping[tuple[str, str], float] | None = None,
    spread: Mapping[tuple[str, str], float] | None = None,
    as_expected: Mapping[tuple[str, str], float] | None = None,
) -> tuple[RegionLine, ...]:
    """Lines from shown rows and, by region and side, what `RegionLine` holds beside them.

    Nothing is added to a row whose numbers are hidden: what a value may not say, its neighbours
    must not give away.
    """
    lines = []
    for row in rows:
        key = (row.region, row.side)
        if row.value is None:
            lines.append(RegionLine(row))
            continue
        bare = row.value.interval is None
        lines.append(
            RegionLine(
                row,
                spread=(spread or {}).get(key) if bare else None,
                expected=(expected or {}).get(key),
                as_expected=(as_expected or {}).get(key),
            )
        )
    return tuple(lines)
