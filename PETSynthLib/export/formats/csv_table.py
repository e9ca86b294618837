"""CSV: the table of regions as it was written, and a schema that says what its columns mean."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ..columns import Column, columns
from ..finished import Finished
from ..region_rows import MISSING
from .images import write_facts


def write_csv(finished: Finished, folder: Path) -> list[Path]:
    """Write the table with commas (UTF-8) and its schema beside it.

    The cells are those of the result, digit for digit; the first column says whether the PET is
    synthetic.

    Parameters
    ----------
    finished
        A synthesis or a measurement.
    folder
        Existing folder.

    Returns
    -------
    The two files.
    """
    table = folder / finished.file_name("regions", ".csv")
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(finished.table.columns)
        for row in finished.table.rows:
            writer.writerow([row[name] for name in finished.table.columns])
    schema = write_facts(
        folder / finished.file_name("regions", ".schema.json"),
        {
            **finished.marked_fields,
            "notices": list(finished.notices),
            "tracer": finished.tracer.key,
            "reference": finished.reference_region,
            "regions": finished.regions_source,
            "database": database_of(finished),
            "withheld": dict(finished.withheld),
            "result_sha256": finished.digest,
            "missingValues": [MISSING],
            "fields": [field_of(column) for column in columns_of(finished)],
        },
    )
    return [table, schema]


def columns_of(finished: Finished) -> tuple[Column, ...]:
    """What the columns of the result's table mean."""
    return columns(finished.table.columns, finished.synthetic)


def field_of(column: Column) -> dict[str, Any]:
    """A column in the words of Frictionless's table schema, with unit and code."""
    described: dict[str, Any] = {
        "name": column.name,
        "type": "number" if column.number else "string",
        "title": column.title,
        "description": column.description,
    }
    for key, code in (("unit", column.unit), ("quantity", column.quantity)):
        if code is not None:
            described[key] = {
                "value": code.value,
                "scheme": code.scheme,
                "meaning": code.meaning,
            }
    return described


def database_of(finished: Finished) -> dict[str, Any] | None:
    """The normals behind z: name, title, how many people, their ages; None without."""
    database = finished.record.get("Database")
    if not database:
        return None
    kept = ("name", "title", "n", "age", "demo", "direction", "header")
    return {key: database[key] for key in kept if key in database}
