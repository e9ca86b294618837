"""Regional numbers as text: on disk, on the command line, to copy."""

from __future__ import annotations

import csv
from pathlib import Path

from ..quantify import RegionTable, title_of
from . import marks
from .record import NOT_GIVEN, USED, Record
from .shown import ShownRow, shown_rows

NO_INTERVAL = "no interval"


def value_text(row: ShownRow) -> str:
    """The value as it may be printed: ``"1.62"``, or what stands instead."""
    return row.instead if row.value is None else f"{row.value.mean:.2f}"


def interval_text(row: ShownRow) -> str:
    """The 90 % interval, ``"1.48 to 1.76"``."""
    if row.value is None:
        return ""
    if row.value.interval is None:
        return NO_INTERVAL
    low, high = row.value.interval
    return f"{low:.2f} to {high:.2f}"


def write_regions(
    path: Path, table: RegionTable, record: Record, image_only: RegionTable | None = None
) -> None:
    """Write every regional value that may be shown as tab-separated text (UTF-8).

    The first column marks every row; hidden numbers read ``n/a`` with the reason in ``note``.
    """
    shown = shown_rows(
        (*table.headline, *table.regions), table.slice_mm, record.distances, image_only
    )
    header = [
        marks.TABLE_COLUMN[0],
        "tracer",
        "reference",
        "regions",
        "region",
        "side",
        "ml",
        "suvr",
        "interval90_low",
        "interval90_high",
        "suvr_sd_voxels",
        "suvr_median",
        "suvr_p90",
        "asymmetry",
        "note",
        "cognition",
    ]
    if image_only is not None:
        header.append("suvr_image_only")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        written = set()
        for row in shown:
            # A headline region may be an atlas region too: it is written once.
            if (row.region, row.side) in written:
                continue
            written.add((row.region, row.side))
            cells = [
                marks.TABLE_COLUMN[1],
                table.tracer,
                table.reference_region,
                record.regions_source,
                row.region,
                row.side,
                f"{row.ml:.3f}",
                *_numbers(row),
                row.asymmetry or "n/a",
                row.instead or "n/a",
                " ".join(record.cognition) or "none",
            ]
            if image_only is not None:
                cells.append(_number(row.image_only))
            writer.writerow(cells)


def _numbers(row: ShownRow) -> list[str]:
    value = row.value
    if value is None:
        return 6 * ["n/a"]
    low, high = value.interval or (None, None)
    numbers = (value.mean, low, high, value.sd_voxels, value.median, value.p90)
    return [_number(number) for number in numbers]


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4f}"


def regions_line(record: Record) -> str:
    """Which regions the values are of."""
    return f"Regions: {record.regions_source}."


def headline_lines(table: RegionTable, record: Record) -> list[str]:
    """One line a headline region: ``Thalamus: 1.62 (1.48 to 1.76), left lower by 6 %``."""
    rows = shown_rows(table.headline, table.slice_mm, record.distances)
    lines = []
    for row in rows:
        if row.side in ("L", "R"):
            continue
        parts = [f"{title_of(row.region)}: {value_text(row)}"]
        if row.value is not None:
            parts.append(f" ({interval_text(row)})")
        lines.append("".join(parts) + (f", {row.asymmetry}" if row.asymmetry else ""))
    return lines


def text_to_copy(table: RegionTable, record: Record) -> str:
    """Facts for another document: what was made, from what, the values. No impression."""
    model = record.model
    used = ", ".join(fact.label for fact in record.facts if fact.state == USED)
    missing = ", ".join(fact.label for fact in record.facts if fact.state == NOT_GIVEN)
    made = (
        f"{marks.title(record.tracer)} ({record.tracer.long_name}), model {model.name} "
        f"{model.version}, drawn from the T1" + (f" and: {used}." if used else " alone.")
    )
    unit = f"{marks.QUANTITY}, reference {region_words(table.reference_region)} (90 % interval):"
    return "\n".join(
        [
            *filter(None, (record.release.opening, record.release.banner)),
            made + (f" Not given: {missing}." if missing else ""),
            regions_line(record),
            unit,
            *(f"- {line}" for line in headline_lines(table, record)),
            *([f"{marks.AMBIGUOUS}."] if record.release.triptych else []),
            marks.NOT_ACQUIRED,
        ]
    )


def region_words(reference: str) -> str:
    """A reference region in words."""
    return {
        "pons": "pons",
        "cerebellum_whole": "whole cerebellum",
        "cerebellum_grey": "cerebellar grey matter",
        "cerebellum_grey_inferior": "inferior cerebellar grey matter",
    }[reference]
