"""The request for a PET on the brain surface."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from ..clinical import ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from .choices import PROJECT, REQUEST_VERSION

PALETTES = ("classic", "uniform")


@dataclass(frozen=True)
class ProjectRequest:
    """Everything that decides a surface projection; equal requests give equal results.

    Attributes
    ----------
    pet
        Path of the PET (NIfTI or NRRD), or of the folder of a synthesis.
    output
        Folder for the results.
    tracer
        Key of the tracer registry; empty for a synthetic PET, of which it is known.
    transform
        Path of an ITK transform, scan to template; None for ``space/`` beside the PET.
    find_on
        Path of an image on which the peaks are found, in the PET's own space.
    database
        Folder or name of a normative database, for z, or None.
    clinical
        Age and sex, at which the normals are taken.
    palette
        One of `PALETTES`; ``uniform`` is for colour-blind eyes.
    """

    pet: str
    output: str
    tracer: str = ""
    transform: str | None = None
    find_on: str | None = None
    database: str | None = None
    clinical: ClinicalRecord = field(default_factory=ClinicalRecord)
    palette: str = "classic"

    def __post_init__(self) -> None:
        if self.palette not in PALETTES:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The palette {self.palette!r} is not known.",
                f"Choose one of {', '.join(PALETTES)}.",
            )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, with kind and version."""
        return {"version": REQUEST_VERSION, "kind": PROJECT, **dataclasses.asdict(self)}
