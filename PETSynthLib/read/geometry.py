"""Where the voxels lie: refusing what places none, repairing what is bent, reporting the rest."""

from __future__ import annotations

import numpy as np

from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..volume import Affine, Grid
from .image_file import ImageFile

DISAGREEMENT_DEG = 0.1
DISAGREEMENT_MM = 0.1
SHEAR_REFUSED_DEG = 15.0
SPACING_RANGE_MM = (0.1, 30.0)
THICK_MM, TOO_THICK_MM = 2.95, 6.05
"""Slices of 3 to 6 mm are amber, beyond is red; 0.05 mm for what scanners round."""
ANISOTROPY_RED = 7.0


def placed(image: ImageFile, role: str) -> tuple[Affine, list[Finding]]:
    """The affine to work with, with right angles between the axes, and the findings.

    Axes that are off the right angle by more than 0.1 degrees are replaced by the nearest
    orthogonal ones (polar decomposition) about the centre of the image, and reported.

    Raises
    ------
    PETSynthError
        ``BAD_GEOMETRY`` when the affine is zero, singular, not finite, or no MRI's.
    """
    affine = image.affine
    linear = affine[:3, :3]
    spacing = np.linalg.norm(linear, axis=0) if np.isfinite(affine).all() else np.zeros(3)
    low, high = SPACING_RANGE_MM
    if not ((spacing >= low) & (spacing <= high)).all():
        raise _no_place(role)
    directions = linear / spacing
    left, _, right = np.linalg.svd(directions)
    nearest = left @ right
    cosines = np.clip(np.einsum("ij,ij->j", directions, nearest), -1.0, 1.0)
    tilt = float(np.degrees(np.arccos(cosines)).max())
    if abs(np.linalg.det(directions)) < 1e-3 or tilt > SHEAR_REFUSED_DEG:
        raise _no_place(role)
    findings = list(image.findings)
    if tilt <= DISAGREEMENT_DEG:
        return affine, findings
    straight = affine.copy()
    straight[:3, :3] = nearest * spacing
    middle = (np.asarray(image.voxels.shape[:3]) - 1) / 2
    straight[:3, 3] += (linear - straight[:3, :3]) @ middle
    findings.append(
        Finding(
            f"{role.lower()}_right_angles",
            round(tilt, 2),
            f"at most {DISAGREEMENT_DEG:g} degrees",
            Verdict.AMBER,
            f"The axes of the {role} are {tilt:.1f} degrees off the right angle; "
            "the nearest right-angled image is used.",
        )
    )
    return straight, findings


def _no_place(role: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_GEOMETRY,
        f"The header of the {role} does not say where its voxels lie.",
        "Convert the image from DICOM again; its orientation matrix is empty or damaged.",
    )


def header_disagreement(
    sform: Affine, qform: Affine, shape: tuple[int, ...], role: str
) -> list[Finding]:
    """A finding when a NIfTI file's two statements of place differ noticeably."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in (*shape, 1, 1)[:3]])).reshape(3, -1)
    there, here = (m[:3, :3] @ corners + m[:3, 3:] for m in (sform, qform))
    distance = float(np.linalg.norm(there - here, axis=0).max())
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (m[:3, :3] / np.linalg.norm(m[:3, :3], axis=0) for m in (sform, qform))
        cosines = np.clip(np.einsum("ij,ij->j", first, second), -1.0, 1.0)
    angle = float(np.degrees(np.arccos(cosines)).max())
    if distance <= DISAGREEMENT_MM and angle <= DISAGREEMENT_DEG:
        return []
    return [
        Finding(
            f"{role.lower()}_sform_qform",
            round(distance, 2),
            f"at most {DISAGREEMENT_MM:g} mm and {DISAGREEMENT_DEG:g} degrees",
            Verdict.AMBER,
            f"The two orientations in the header of the {role} differ by {distance:.1f} mm and "
            f"{angle:.1f} degrees; the sform is used, other software may use the qform.",
        )
    ]


def slice_findings(grid: Grid, role: str) -> list[Finding]:
    """How thick the slices are, and how uneven the voxels."""
    thickness = max(grid.spacing)
    anisotropy = thickness / min(grid.spacing)
    verdict = grade(thickness, THICK_MM, TOO_THICK_MM)
    consequence = {
        Verdict.GREEN: "fine enough.",
        Verdict.AMBER: "small structures such as the hippocampus are not resolved.",
        Verdict.RED: "too thick for a result to be trusted.",
    }[verdict]
    findings = [
        Finding(
            f"{role.lower()}_slice_thickness",
            round(thickness, 3),
            "green below 3 mm, refused beyond 6 mm",
            verdict,
            f"The slices of the {role} are {thickness:.1f} mm thick: {consequence}",
        )
    ]
    if anisotropy > ANISOTROPY_RED:
        findings.append(
            Finding(
                f"{role.lower()}_anisotropy",
                round(anisotropy, 2),
                f"at most {ANISOTROPY_RED:g}",
                Verdict.RED,
                f"The voxels of the {role} are {anisotropy:.1f} times longer than wide, "
                "too uneven for a result to be trusted.",
            )
        )
    return findings
