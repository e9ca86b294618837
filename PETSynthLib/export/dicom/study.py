"""Whose study the objects go into: that of the T1's DICOM series, or a new one."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ...checks import Finding, Verdict
from ...volume import Grid
from .lattice import Lattice, lattice_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
OFFSETS = {"pm": 90, "sd": 91, "seg": 92, "sr": 93, "sc": 94, "pt": 95}
"""What is added to a hundred times the T1's series number."""
_LONGEST_DECIMAL = 16
_COPIED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "SeriesInstanceUID",
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "PixelSpacing",
)
"""All that is taken from a slice of the T1."""
EMPTY = (
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
"""What the standard wants to be there, be it empty."""
_TYPE_2 = ("PatientName", "PatientID", *EMPTY)
"""What must be there, be it empty."""


@dataclass(frozen=True, eq=False)
class Study:
    """Where the objects go, and the planes they lie on.

    Attributes
    ----------
    lattice
        The planes.
    slices
        A header for each plane: patient, study, frame of reference, place. No pixels.
    real
        Whether these are images of the T1 that exist, to which the objects may refer.
    deidentified
        Whether the person was taken out of the headers.
    """

    lattice: Lattice
    slices: tuple[Dataset, ...]
    real: bool
    deidentified: bool = False

    def series_number(self, kind: str) -> int:
        """Number of a new series (key of `OFFSETS`)."""
        return int(self.slices[0].SeriesNumber) * 100 + OFFSETS[kind]


def header(source: Dataset, lattice: Lattice) -> Dataset:
    """What the objects need of a slice of the T1, and nothing else."""
    from pydicom.dataset import Dataset

    one = Dataset()
    for keyword in _TYPE_2:
        setattr(one, keyword, "")
    for keyword in _COPIED:
        if keyword in source:
            value = source[keyword].value
            # As text, so that a name is written in our character set and not in the scanner's.
            named = keyword in ("PatientName", "ReferringPhysicianName")
            setattr(one, keyword, str(value) if named else value)
    one.Modality = "MR"
    one.SeriesNumber = int(source.get("SeriesNumber") or 1)
    one.SliceThickness = one.SpacingBetweenSlices = number(lattice.slice_mm)
    return one


def uid_of(token: str, name: str) -> str:
    """The UID that a token gives to what is called so; one at random without a token."""
    from pydicom.uid import generate_uid

    if not token:
        return str(generate_uid(prefix=None))
    digest = hashlib.sha256(f"{token}|{name}".encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def new_study(stored: Grid, t1_sha256: str, token: str = "") -> tuple[Study, Finding]:
    """A study of its own, for a T1 of which no DICOM series is at hand, and the word for it.

    Parameters
    ----------
    stored
        Grid of the T1 as in its file.
    t1_sha256
        Digest of the T1, from which the patient gets an ID.
    token
        Gives the same study again for the same T1 (`uid_of`).
    """
    from pydicom.dataset import Dataset

    lattice = lattice_of(stored)
    first = Dataset()
    for keyword in _TYPE_2:
        setattr(first, keyword, "")
    first.PatientID = f"PETSYNTH-{t1_sha256[:12].upper()}"
    first.PatientName = "Unknown^"
    first.StudyDate = datetime.now().strftime("%Y%m%d")
    # A study that is continued has one time, and nobody knows it any more.
    first.StudyTime = "" if token else datetime.now().strftime("%H%M%S")
    first.StudyID = "PETSYNTH"
    first.Modality = "MR"
    first.SOPClassUID = MR_IMAGE
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        setattr(first, keyword, uid_of(token, f"{t1_sha256} {keyword}"))
    first.SeriesNumber = 1
    first.Columns, first.Rows, planes = lattice.grid.shape
    first.ImageOrientationPatient = [number(v) for v in lattice.orientation]
    first.PixelSpacing = [number(v) for v in lattice.pixel_spacing]
    first.SliceThickness = first.SpacingBetweenSlices = number(lattice.slice_mm)
    slices = []
    for plane in range(planes):
        one = Dataset()
        one.update(first)
        one.SOPInstanceUID = uid_of(token, f"{t1_sha256} plane {plane}")
        one.InstanceNumber = plane + 1
        one.ImagePositionPatient = [number(v) for v in lattice.position(plane)]
        slices.append(one)
    finding = Finding(
        "dicom_study",
        "a new study",
        "the study of the T1's DICOM series",
        Verdict.AMBER,
        "The T1 has no DICOM source; the DICOM files start a new study.",
    )
    return Study(lattice, tuple(slices), real=False), finding


def number(value: float, digits: int = 12) -> str:
    """A decimal string of at most 16 characters and so many significant digits."""
    while len(text := f"{value:.{digits}g}") > _LONGEST_DECIMAL:
        digits -= 1
    return text


def patient_and_study(dataset: Dataset, source: Dataset) -> None:
    """Copy what says whose study it is from a slice's header."""
    for keyword in _COPIED[: _COPIED.index("FrameOfReferenceUID")]:
        if keyword in source:
            setattr(dataset, keyword, getattr(source, keyword))


def without_references(dataset: Dataset) -> None:
    """Take out of a multi-frame object the references to slices that exist nowhere."""
    for keyword in ("ReferencedSeriesSequence", "SourceImageSequence"):
        if keyword in dataset:
            delattr(dataset, keyword)
    for frame in (
        *dataset.SharedFunctionalGroupsSequence,
        *dataset.PerFrameFunctionalGroupsSequence,
    ):
        if "DerivationImageSequence" in frame:
            del frame.DerivationImageSequence
