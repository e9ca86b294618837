"""The request for a measurement of a PET."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from ..assets import REFERENCE_BITS
from ..checks import OVERRIDABLE_OF_MEASURING
from ..clinical import ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from .choices import QUANTIFY, REQUEST_VERSION, Regions, checked_names


@dataclass(frozen=True)
class QuantifyRequest:
    """Everything that decides a measurement of a PET; equal requests give equal results.

    Attributes
    ----------
    pet
        Path of the PET (NIfTI or NRRD), or of the folder of a synthesis.
    t1
        Path of the T1-weighted MRI it belongs to.
    output
        Folder for the results.
    tracer
        Key of the tracer registry; empty for a synthetic PET, of which it is known.
    parcellation
        Path of a FreeSurfer, FastSurfer or SynthSeg parcellation of the T1, or None for the atlas.
    mask
        Path of a brain mask on the T1's grid.
    space
        Folder ``space/`` of an earlier result on the same T1.
    register
        Whether a PET that lies beside the T1 may be moved onto it.
    reference
        Reference region; None for the tracer's own.
    database
        Folder or name of a normative database, or None.
    clinical
        Age and sex, at which the normals are taken.
    gtm_fwhm_mm
        Resolution of the scanner in mm: then partial-volume corrected means stand beside.
    pattern
        Path of the user's regional pattern, with which z is correlated, or None.
    regions
        How the atlas is laid onto the MRI, as in `SynthesisRequest`.
    device
        Where deepbet runs.
    overridden_checks
        Names from `checks.OVERRIDABLE_OF_MEASURING`, as in `SynthesisRequest`.
    """

    pet: str
    t1: str
    output: str
    tracer: str = ""
    parcellation: str | None = None
    mask: str | None = None
    space: str | None = None
    register: bool = False
    reference: str | None = None
    database: str | None = None
    clinical: ClinicalRecord = field(default_factory=ClinicalRecord)
    gtm_fwhm_mm: float | None = None
    pattern: str | None = None
    regions: Regions = Regions.DEFORMABLE
    device: str = "auto"
    overridden_checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.reference is not None and self.reference not in REFERENCE_BITS:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The reference region {self.reference!r} is not known.",
                f"Choose one of {', '.join(REFERENCE_BITS)}, or leave it out.",
            )
        if self.gtm_fwhm_mm is not None and not 0.0 < self.gtm_fwhm_mm <= 20.0:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"A resolution of {self.gtm_fwhm_mm:g} mm is no PET scanner's.",
                "Give the scanner's full width at half maximum, about 4 to 8 mm.",
            )
        names = checked_names(self.overridden_checks, OVERRIDABLE_OF_MEASURING)
        object.__setattr__(self, "overridden_checks", names)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, with kind and version."""
        body = dataclasses.asdict(self)
        body["regions"] = self.regions.value
        body["overridden_checks"] = list(self.overridden_checks)
        return {"version": REQUEST_VERSION, "kind": QUANTIFY, **body}
