"""Taking the person out: name, ID, dates and every UID that leads back; the marks stay."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .study import EMPTY, Study, uid_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NO_DATE, NO_TIME = "19000101", "000000"
"""Stand where the standard wants a date of an object that has none any more."""
METHOD = "PETSynth: geometry and values kept, new UIDs, no dates"


def without_identity(study: Study, token: str = "") -> Study:
    """The study with nothing but its geometry: a pseudonym at random, and new UIDs.

    Every object of the export refers to the same new UIDs, also those of the MRI's images.

    Parameters
    ----------
    token
        Gives the same pseudonym and UIDs again for the same study (`study.uid_of`).
    """
    from pydicom.dataset import Dataset

    renewed: dict[str, str] = {}
    whose = f"{token}|{study.slices[0].StudyInstanceUID}"
    hidden = hashlib.sha256(whose.encode()).hexdigest()[:8] if token else secrets.token_hex(4)
    pseudonym = f"ANON-{hidden.upper()}"

    def renew(uid: str) -> str:
        return renewed.setdefault(uid, uid_of(token, uid))

    slices = []
    for source in study.slices:
        one = Dataset()
        for keyword in GEOMETRY:
            setattr(one, keyword, getattr(source, keyword))
        for keyword in UIDS:
            setattr(one, keyword, renew(getattr(source, keyword)))
        one.PatientID, one.PatientName = pseudonym, f"{pseudonym}^"
        for keyword in EMPTY:
            setattr(one, keyword, "")
        slices.append(one)
    return replace(study, slices=tuple(slices), deidentified=True)


def without_dates(dataset: Dataset) -> None:
    """Replace every date and time of an object, at any depth, and say that identity was removed."""

    def forget(_: Dataset, element: Any) -> None:
        if element.VR in _NEUTRAL and element.value:
            element.value = _NEUTRAL[element.VR]

    dataset.walk(forget)
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.LongitudinalTemporalInformationModified = "REMOVED"


_NEUTRAL = {"DA": NO_DATE, "TM": NO_TIME, "DT": NO_DATE + NO_TIME}
GEOMETRY = (
    "SOPClassUID",
    "Modality",
    "SeriesNumber",
    "InstanceNumber",
    "Rows",
    "Columns",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
)
"""What is kept of a slice."""
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
