"""The request for an export of a finished result into formats of other programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ErrorCode, PETSynthError
from .choices import EXPORT, REQUEST_VERSION

FORMATS: Mapping[str, str] = {
    "nifti": "NIfTI volumes with a JSON file each",
    "nrrd": "NRRD volumes",
    "bids": "a BIDS derivative",
    "labelmap": "regions as NIfTI labels and as a segmentation of 3D Slicer",
    "csv": "table of regions with its schema",
    "report": "report as HTML and PDF",
    "dicom": "DICOM objects",
}
"""Format -> what it is; each fills a folder of its own name."""
OBJECTS: Mapping[str, str] = {
    "pm": "Parametric Map",
    "seg": "Segmentation",
    "sr": "Structured Report",
    "sc": "Secondary Capture",
    "pt": "PT image",
}
"""DICOM object -> its name in the standard."""


@dataclass(frozen=True)
class ExportRequest:
    """Everything that decides an export; equal requests on equal results give equal files.

    Attributes
    ----------
    result
        Folder of a synthesis or of a measurement.
    output
        Folder for the exported files, one folder a format in it.
    formats
        Keys of `FORMATS`; kept in that order, each once.
    objects
        Keys of `OBJECTS` for the format ``dicom``, as `formats`; empty for those that need not be
        named.
    source_dicom
        Folder with the T1's DICOM series, into whose study the DICOM objects go; None begins a
        new study.
    deidentify
        Whether nothing that leaves may tell who the person is.
    subject
        Label of the person in the BIDS derivative (letters and digits, without ``sub-``); empty
        takes the T1's own where its file name has one, and else one made from the T1's digest.
    study
        Word at random. Exports with the same one begin the same new study, under the same
        pseudonym: a PET and its measurement are two results. Empty: each begins its own.
    """

    result: str
    output: str
    formats: tuple[str, ...]
    objects: tuple[str, ...] = ()
    source_dicom: str | None = None
    deidentify: bool = False
    subject: str = ""
    study: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", _chosen("format", self.formats, FORMATS))
        object.__setattr__(self, "objects", _chosen("DICOM object", self.objects, OBJECTS))
        if not self.formats:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "The export names no format.",
                f"Choose from {', '.join(FORMATS)}.",
            )
        if "dicom" not in self.formats and (self.objects or self.source_dicom):
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "DICOM objects or a DICOM series are named, but the format dicom is not.",
                "Add the format dicom, or leave them out.",
            )
        if self.subject and not (self.subject.isascii() and self.subject.isalnum()):
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The subject {self.subject!r} cannot be a BIDS label.",
                "Use letters and digits only, without sub-, slashes or blanks.",
            )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, with kind and version."""
        body = dataclasses.asdict(self)
        body["formats"], body["objects"] = list(self.formats), list(self.objects)
        return {"version": REQUEST_VERSION, "kind": EXPORT, **body}


def _chosen(what: str, names: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
    given = set(names)
    if unknown := sorted(given - set(known)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The {what} {unknown[0]!r} is not known.",
            f"Choose from {', '.join(known)}.",
        )
    return tuple(name for name in known if name in given)
