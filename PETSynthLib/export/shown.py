"""Which regional values are shown, and what is printed in the place of those that are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..quantify.regions import COMPOSITES
from ..quantify.suvr import RegionTable, RegionValue

THICK_SLICE_MM = 3.0
"""Beyond this voxel edge, small medial structures are not resolved."""
THIN_STRUCTURES = frozenset(
    {
        "hippocampus",
        "amygdala",
        "entorhinal",
        "parahippocampal",
        "rostralanteriorcingulate",
        "caudalanteriorcingulate",
        "posteriorcingulate",
        "isthmuscingulate",
    }
)
"""Medial temporal and cingulate regions, not shown on thick slices."""
NOT_INFORMATIVE = "not informative"
NOT_SHOWN = "not shown (thick slices)"
NOT_SEEN = "not in the scan"


@dataclass(frozen=True)
class ShownRow:
    """A regional value as it may be shown.

    Attributes
    ----------
    value
        What was measured, or None where the policy hides the numbers.
    instead
        What is printed instead of hidden numbers; empty when they are shown.
    asymmetry
        Side difference in words; empty when hidden.
    image_only
        Mean of the same region without cognition, SUVR, or None.
    """

    region: str
    side: str
    ml: float
    value: RegionValue | None
    instead: str
    asymmetry: str
    image_only: float | None


def shown_rows(
    rows: tuple[RegionValue, ...],
    slice_mm: float,
    distances: Mapping[str, float],
    image_only: RegionTable | None = None,
) -> list[ShownRow]:
    """Regional values as figure, report, tables and command line may show them.

    Parameters
    ----------
    rows
        Measured values.
    slice_mm
        Largest voxel edge of the scan.
    distances
        Region -> distance between the healthy and the AD mean in SUVR, as far as known. A 90 %
        interval wider than that cannot tell one from the other: the value is not informative.
    image_only
        The same regions of a picture drawn without cognition.
    """
    thick = slice_mm > THICK_SLICE_MM
    shown = []
    for row in rows:
        instead = _reason(row, thick, distances)
        beside = None if image_only is None else image_only.value(row.region, row.side).mean
        shown.append(
            ShownRow(
                region=row.region,
                side=row.side,
                ml=row.ml,
                value=None if instead else row,
                instead=instead,
                asymmetry="" if instead else row.asymmetry,
                image_only=None if instead else beside,
            )
        )
    return shown


def _reason(row: RegionValue, thick: bool, distances: Mapping[str, float]) -> str:
    """Why a value is not shown, or an empty string."""
    if row.ml == 0.0:
        return NOT_SEEN
    members = COMPOSITES.get(row.region, (row.region,))
    thin = sum(name in THIN_STRUCTURES for name in members)
    # A composite is hidden when such structures make up more than half of it.
    if thick and 2 * thin > len(members):
        return NOT_SHOWN
    limit = distances.get(row.region)
    if limit is not None and row.interval is not None:
        low, high = row.interval
        if high - low > abs(limit):
            return NOT_INFORMATIVE
    return ""
