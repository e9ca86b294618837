"""What was done to an image, for the provenance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any


class Steps:
    """The list of preprocessing steps, in the order they were made.

    Attributes
    ----------
    records
        JSON-ready dictionaries: ``name``, ``version`` (of the library that did it),
        ``parameters``, ``seconds``, ``outcome``.
    """

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str, library: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Time a step and record it when it succeeds.

        Parameters
        ----------
        name
            What is done, e.g. ``"bias field"``.
        library
            Distribution that does it; its installed version is recorded.
        parameters
            Everything that decides the result besides the images.

        Yields
        ------
        The outcome, to be filled in by the step.
        """
        outcome: dict[str, Any] = {}
        begun = time.perf_counter()
        yield outcome
        self.records.append(
            {
                "name": name,
                "version": f"{library} {version_of(library)}",
                "parameters": parameters,
                "seconds": round(time.perf_counter() - begun, 2),
                "outcome": outcome,
            }
        )


def version_of(library: str) -> str:
    """Installed version of a distribution, ``"unknown"`` when it has no metadata."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "unknown"
