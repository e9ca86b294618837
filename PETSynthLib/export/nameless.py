"""A finished result without what may tell who the person is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..errors import ErrorCode, PETSynthError
from .finished import Finished


def require_no_names(formats: Collection[str]) -> None:
    """Refuse formats from which the person cannot be taken out.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for the report.
    """
    if "report" in formats:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "The report tells the names of files and what is known of the person.",
            "Leave the format report out, or do without --deidentify.",
        )


def without_names(finished: Finished) -> Finished:
    """The same without names of input files, which may tell who the person is."""
    record = dict(finished.record)
    record["Sources"] = [
        {key: value for key, value in one.items() if key != "Name"} for one in record["Sources"]
    ]
    sources = tuple(replace(one, name=one.role) for one in finished.sources)
    return replace(finished, record=record, sources=sources)
