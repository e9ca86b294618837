"""The table of regions of a finished result, as it was written."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MISSING = "n/a"
"""A number that is not known or not shown, in every table."""


@dataclass(frozen=True)
class RegionRows:
    """The table of regions as it was written: whatever may not be shown is not in here.

    Attributes
    ----------
    columns
        Names in the file's order; the first says whether the PET is synthetic.
    rows
        Column -> text; `MISSING` where there is no number.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    @staticmethod
    def number(row: Mapping[str, str], column: str) -> float | None:
        """A cell as a number; None where it is missing, or the table has no such column."""
        text = row.get(column, MISSING)
        return None if text == MISSING else float(text)


def read_rows(path: Path) -> RegionRows:
    """Read a table that `tables.write_regions` or `quantification_files.write_table` wrote."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, delimiter="\t")
        rows = tuple(dict(row) for row in reader)
        return RegionRows(tuple(reader.fieldnames or ()), rows)
