"""The coded words of DICOM objects beyond those of tables, and how codes are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...quantify.terminology import Code
from .. import marks
from ..columns import SCHEME
from ..shown import NOT_INFORMATIVE, NOT_SEEN, NOT_SHOWN

if TYPE_CHECKING:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from highdicom.sr import CodedConcept


def _own(value: str, meaning: str) -> Code:
    return Code(value, SCHEME, meaning)


SD = _own("SYN-SUVR-SD", marks.SD_QUANTITY)
IMAGE_ONLY = _own("SYN-SUVR-IMAGE", marks.IMAGE_ONLY_QUANTITY)
ATLAS = _own("ATLAS", "Atlas laid onto the MRI")
"""How regions are found."""
DERIVATION = {True: _own("SYN-PET", marks.DERIVATION), False: _own("PET", "Measured in a PET")}
"""How an object came to be, of a synthetic PET and of an acquired one."""
BOUNDS = {
    True: (
        _own("SYN-SUVR-P05", marks.INTERVAL_BOUNDS[0]),
        _own("SYN-SUVR-P95", marks.INTERVAL_BOUNDS[1]),
    ),
    False: (
        _own("SUVR-P05", "SUVR, lower end of the 90 % interval"),
        _own("SUVR-P95", "SUVR, upper end of the 90 % interval"),
    ),
}
"""Ends of an interval, of a synthetic PET and of an acquired one."""
HIDDEN = {
    True: _own("SYN-SUVR-WHY", marks.HIDDEN_QUANTITY),
    False: _own("SUVR-WHY", "SUVR, why it is not shown"),
}
"""What stands instead of a value."""
REASONS = {
    NOT_INFORMATIVE: _own("WHY-WIDE", "Not informative"),
    NOT_SHOWN: _own("WHY-THICK", "Not shown (thick slices)"),
    NOT_SEEN: _own("WHY-OUTSIDE", "Not in the scan"),
}
"""Why a value is not shown (`export.policy`) -> its code."""
HIDDEN_ANYHOW = _own("WHY-OTHER", "Not shown")


def concept(code: Code) -> CodedConcept:
    """The code as highdicom takes it."""
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning)


def schemes() -> list[CodingSchemeIdentificationItem]:
    """Whose our private scheme is, for every object that uses it."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return [
        CodingSchemeIdentificationItem(
            designator=SCHEME, name="PETSynth", responsible_organization="PETSynth"
        )
    ]
