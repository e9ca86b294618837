"""From a file to a scan: voxels in canonical orientation, checked and with their findings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checks import Finding
from ..errors import ErrorCode, PETSynthError
from ..volume import Grid, Volume
from .geometry import placed, slice_findings
from .image_file import ImageFile
from .nrrd import parse_nrrd
from .orientation import to_canonical, to_stored
from .voxels import checked_voxels, three_axes

__all__ = ["Scan", "read_scan", "to_canonical", "to_stored"]


@dataclass(frozen=True, eq=False)
class Scan:
    """An image as it came from a file.

    Attributes
    ----------
    volume
        Scaled values in canonical orientation: voxel axes closest to right, anterior, superior
        by flips and permutation, no interpolation.
    stored
        Shape and affine exactly as in the file; `to_stored` brings results back onto it.
    findings
        What was noticed: header disagreements, thick slices, missing values.
    sha256
        Hexadecimal digest of the file's bytes (of a detached NRRD: header, then data).
    header
        A few facts for the provenance. Never a name or any other patient data.
    """

    volume: Volume
    stored: Grid
    findings: list[Finding]
    sha256: str
    header: dict[str, Any]


def read_scan(path: Path, role: str = "T1") -> Scan:
    """Read a NIfTI (``.nii``, ``.nii.gz``) or NRRD (``.nrrd``, ``.nhdr``) file.

    Parameters
    ----------
    path
        The file.
    role
        What the image is for, as it appears in messages: ``T1``, ``FLAIR`` or ``mask``.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when there is no readable three-dimensional image, ``BAD_GEOMETRY`` when
        its header does not say where the voxels lie.
    """
    image = _parse(path, role)
    voxels = three_axes(image.voxels, role)
    affine, findings = placed(image, role)
    data, value_findings = checked_voxels(voxels, image.slope, image.intercept, role)
    canonical, canonical_affine = to_canonical(data, affine)
    volume = Volume(canonical, canonical_affine)
    if role != "mask":
        findings += slice_findings(volume.grid, role)
    i, j, k = voxels.shape
    return Scan(
        volume=volume,
        stored=Grid((i, j, k), image.affine),
        findings=findings + value_findings,
        sha256=hashlib.sha256(image.file_bytes).hexdigest(),
        header={
            **image.facts,
            "shape": [i, j, k],
            "spacing_mm": [round(s, 4) for s in Grid((i, j, k), affine).spacing],
        },
    )


def _parse(path: Path, role: str) -> ImageFile:
    """The parsed file, whatever its format."""
    try:
        file_bytes = path.read_bytes()
    except OSError as problem:
        reason = "does not exist" if isinstance(problem, FileNotFoundError) else "cannot be opened"
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The {role} file {path} {reason}.",
            "Check the path and that you may read the file.",
        ) from problem
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        from .nifti import parse_nifti  # needs nibabel, which Slicer itself does not have

        return parse_nifti(file_bytes, path.name, role)
    if name.endswith((".nrrd", ".nhdr")):
        return parse_nrrd(file_bytes, path, role)
    raise PETSynthError(
        ErrorCode.BAD_IMAGE,
        f"The {role} file {path.name} is neither NIfTI (.nii, .nii.gz) nor NRRD (.nrrd, .nhdr).",
        "Convert it first, for example DICOM by loading it in 3D Slicer and saving it as NRRD.",
    )
