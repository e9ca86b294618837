"""The reference region: what makes a PET an SUVR, and whether it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..assets import reference_mask
from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..preprocess.transform import NativeToTemplate
from ..volume import Affine, Grid, PetVolume, Volume

SMALLEST_ML = 0.5
LARGEST_CV = 25.0
SMALLEST_SHARE = 0.99


@dataclass(frozen=True)
class Reference:
    """Uptake of a PET in its reference region.

    Attributes
    ----------
    region
        Name of the region (`assets.REFERENCE_BITS`).
    mean
        Mean over the region's voxels with uptake, in the PET's unit.
    cv
        Standard deviation over the mean, percent.
    ml
        Volume of those voxels on the template, mL.
    """

    region: str
    mean: float
    cv: float
    ml: float


def measure_reference(pet: PetVolume) -> Reference:
    """Uptake of ``pet`` (template space, any grid) in its reference region.

    The mask is eroded by one voxel already; voxels without uptake are left out
    (SUVR = PET / mean(PET[reference, PET > 0])).

    Raises
    ------
    PETSynthError
        ``ALIGNMENT`` when the region holds no uptake: no SUVR can be computed.
    """
    same_space = NativeToTemplate(np.eye(4))
    mask = same_space.labels_to_native(reference_mask(pet.reference_region), pet.grid).mask
    values = pet.data[mask & (pet.data > 0)].astype(np.float64)
    if values.size == 0:
        raise PETSynthError(
            ErrorCode.ALIGNMENT,
            f"The reference region {pet.reference_region} shows no uptake, so there is no SUVR.",
            "Check that the T1 shows the whole brain with brain stem and cerebellum.",
        )
    mean = float(values.mean())
    return Reference(
        region=pet.reference_region,
        mean=mean,
        cv=100.0 * float(values.std()) / mean,
        ml=values.size * pet.grid.voxel_ml,
    )


def share_inside(mask: Volume, native_to_template: Affine, native: Grid) -> float:
    """Share 0..1 of a template ``mask`` that lies inside the field of view of a scan.

    Parameters
    ----------
    mask
        Template space; must not be empty.
    native_to_template
        4x4, RAS mm to RAS mm.
    native
        Grid of the scan.
    """
    voxels = np.argwhere(mask.mask)
    to_index = np.linalg.inv(native_to_template @ native.affine) @ mask.affine
    index = voxels @ to_index[:3, :3].T + to_index[:3, 3]
    inside = (index >= -0.5) & (index <= np.array(native.shape) - 0.5)
    return float(inside.all(axis=1).mean())


def reference_findings(reference: Reference, share: float) -> list[Finding]:
    """Findings on volume, evenness and field of view of the reference region.

    Parameters
    ----------
    reference
        What `measure_reference` found.
    share
        `share_inside` of its mask.
    """
    name = _words(reference)
    return [
        *evenness_findings(reference),
        Finding(
            "reference_in_view",
            round(100.0 * share, 1),
            f"at least {100 * SMALLEST_SHARE:g} %",
            Verdict.GREEN if share >= SMALLEST_SHARE else Verdict.AMBER,
            f"{100 * share:.0f} % of the reference region ({name}) lies inside the T1.",
        ),
    ]


def evenness_findings(reference: Reference) -> list[Finding]:
    """Findings on volume and evenness of a reference region, synthetic or acquired."""
    name = _words(reference)
    return [
        Finding(
            "reference_volume",
            round(reference.ml, 2),
            f"at least {SMALLEST_ML:g} mL",
            grade(-reference.ml, -SMALLEST_ML, 0.0),
            f"The reference region ({name}) measures {reference.ml:.1f} mL.",
        ),
        Finding(
            "reference_evenness",
            round(reference.cv, 1),
            f"at most {LARGEST_CV:g} %",
            grade(reference.cv, LARGEST_CV, float("inf")),
            f"Uptake varies by {reference.cv:.0f} % inside the reference region ({name}).",
        ),
    ]


def _words(reference: Reference) -> str:
    return reference.region.replace("_", " ")
