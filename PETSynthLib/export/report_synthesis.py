"""The report's content for a synthesis: a record, its tables and its pictures, in plain data."""

from __future__ import annotations

from collections.abc import Mapping

from ..quantify import RegionTable
from ..quantify.suvr import Z_90
from . import marks
from .record import NOT_READ, USED, WITHHELD, Fact, Record, software_versions
from .report_content import Added, Picture, ReportContent, lines_of
from .report_difference import SMOOTH_FWHM_MM
from .shown import NOT_INFORMATIVE, shown_rows
from .tables import region_words, text_to_copy

_EVIDENCE = {
    "simulation": "simulated brains only",
    "population atlas": "nothing: it lays population averages onto the anatomy",
    "real pairs": "pairs of acquired MRI and PET",
}

INTERVAL = (
    "Mean over the region's voxels in the scan's own space; the interval holds 90 % of what the "
    "model thinks possible."
)
NO_CALIBRATION = (
    "Mean over the region's voxels in the scan's own space. This model has no calibrated interval: "
    "how far these values may be off is unknown."
)
WIDER_THAN_AD = (
    f"{NOT_INFORMATIVE.capitalize()}: the 90 % interval is wider than the distance between the "
    "healthy and the AD mean, so the value cannot tell one from the other."
)
HALVES = (
    "The atlas draws its two halves a little differently: in small regions, sides up to 8 % apart "
    "may be alike."
)


def synthesis_content(
    record: Record,
    table: RegionTable,
    *,
    image_only: RegionTable | None = None,
    expected: RegionTable | None = None,
    spread: RegionTable | None = None,
    slices: Picture | None = None,
    difference: Picture | None = None,
    surface: Mapping[str, Picture] | None = None,
) -> ReportContent:
    """What the report of a synthesis says.

    Parameters
    ----------
    record
        How the picture came to be.
    table
        Regional values.
    image_only
        Regional values of a picture drawn without cognition; shown as a column beside.
    expected
        Regional values of what the model draws for an average brain of the same age and sex.
    spread
        Regional means of the standard deviation; shown where there is no calibrated interval.
    slices, difference, surface
        The figure, the picture of what the MRI added, pages of the brain surface.
    """
    policy, facts, model = record.release, record.tracer, record.model
    means = _by_place(expected, 1.0)
    spreads = {k: v for k, v in _by_place(spread, Z_90).items() if v > 0.0}
    headline, regions = (
        lines_of(
            shown_rows(rows, table.slice_mm, record.distances, image_only),
            means,
            spreads,
        )
        for rows in (table.headline, table.regions)
    )
    unit = f"{marks.QUANTITY}, reference {region_words(table.reference_region)} = 1"
    bare = all(row.interval is None for row in table.headline)
    hidden = any(line.row.instead == NOT_INFORMATIVE for line in headline)
    return ReportContent(
        release=policy,
        tracer=facts,
        title=marks.title(facts),
        lead=f"{facts.long_name}. {marks.NOT_ACQUIRED}",
        banner=tuple(filter(None, (policy.opening, policy.banner))),
        ribbon=marks.CORNER,
        headline=headline,
        regions=regions,
        quantity=", ".join(filter(None, (unit, policy.cognition))),
        atlas=f"Desikan-Killiany {record.regions_source}",
        region_notes=(
            NO_CALIBRATION if bare else INTERVAL,
            WIDER_THAN_AD if hidden else "",
            _withheld(record),
        ),
        all_regions_note=HALVES,
        slices=slices,
        added=None if difference is None else _added(record, difference),
        surface=surface or {},
        findings=(*record.findings, *table.findings),
        facts=(
            *((source.role, source.name) for source in record.sources),
            ("Model", f"{model.name} {model.version}: {model.title}"),
            ("Regions", record.regions_source),
            ("Learnt from", _EVIDENCE[model.trained_on]),
            ("Licence of the model", model.licence),
            *((fact.label[0].upper() + fact.label[1:], _fact_words(fact)) for fact in record.facts),
        ),
        steps=tuple(record.preprocessing),
        provenance=_provenance(record),
        copy=text_to_copy(table, record),
        do_not_use=marks.DO_NOT_USE,
        footer=(marks.CORNER,),
    )


def mean_heading(record: Record) -> str:
    """Whom the mean stands for: those facts of age and sex that shaped the picture."""
    used = [fact.name for fact in record.facts if fact.state == USED]
    known = [name for name in ("age", "sex") if name in used]
    return f"{'/'.join(known).capitalize()} mean" if known else "Average person"


def _added(record: Record, difference: Picture) -> Added:
    heading = mean_heading(record)
    given = [fact.label for fact in record.facts if fact.state == USED]
    beside = [label for label in given if label not in ("age", "sex")]
    source = "this MRI" if not beside else f"this MRI ({', '.join(beside)} included)"
    who = "the template's average brain"
    if heading != "Average person":
        who += f" at the same {heading.removesuffix(' mean').lower().replace('/', ' and ')}"
    return Added(
        title="What the MRI added",
        picture=difference,
        mean_words=heading,
        note=(
            f"Both are drawn by the same model. {heading} is what it draws for {who}; the "
            f"difference is all that {source} added, right or wrong. The picture of the difference "
            f"is smoothed to {SMOOTH_FWHM_MM:g} mm; the mean lies on this scan by one affine, and "
            "rims and folds differ with the shape of the head. The table compares each brain in "
            "its own regions."
        ),
    )


def _by_place(table: RegionTable | None, factor: float) -> dict[tuple[str, str], float]:
    """(region, side) -> mean times ``factor``."""
    if table is None:
        return {}
    rows = (*table.headline, *table.regions)
    return {(row.region, row.side): factor * row.mean for row in rows}


def _withheld(record: Record) -> str:
    if not record.release.withheld:
        return ""
    return f"Not given on this evidence: {', '.join(record.release.withheld)}."


def _fact_words(fact: Fact) -> str:
    said = f"{fact.value}, {fact.state}" if fact.value else fact.state
    unseen = fact.state in (WITHHELD, NOT_READ)
    return f"{said}: it did not shape the picture" if unseen else said


def _provenance(record: Record) -> tuple[tuple[str, str], ...]:
    model = record.model
    return (
        *((f"SHA-256 of {source.name}", source.sha256) for source in record.sources),
        ("SHA-256 of the model bundle", model.bundle_sha256),
        ("SHA-256 of the weights", model.weights_sha256 or "none: this method has no weights"),
        ("SHA-256 of the request", record.request_sha256),
        ("Preset", f"{record.preset}, {record.steps} steps"),
        ("Seeds of the samples", ", ".join(map(str, record.seeds)) or "no samples drawn"),
        ("Scaled to SUVR by", f"{record.reference_factor:.6g}"),
        *((f"Generator: {key}", str(value)) for key, value in record.generation.items()),
        *software_versions().items(),
        ("Created", record.created or "not recorded"),
    )
