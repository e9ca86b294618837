"""NIfTI-1 and NIfTI-2 in one file (``.nii``, ``.nii.gz``)."""

from __future__ import annotations

import zlib
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ..checks import Finding, Verdict
from ..volume import Affine
from .geometry import header_disagreement
from .image_file import ImageFile, damaged, not_an_image, unpack_gzip, voxels_from

GZIP_MAGIC = b"\x1f\x8b"


def parse_nifti(file_bytes: bytes, name: str, role: str) -> ImageFile:
    """Parse the bytes of a NIfTI file.

    The place of the voxels is the sform when its code is above zero, else the qform, as most
    brain-imaging software has it (ITK prefers the qform: hence the finding when they differ).
    """
    try:
        packed = file_bytes.startswith(GZIP_MAGIC)
        content = unpack_gzip(file_bytes) if packed else file_bytes
    except (OSError, EOFError, zlib.error) as problem:
        raise damaged(name, role) from problem
    header = _header(content, name, role)
    try:
        dtype = header.get_data_dtype()
        shape = tuple(int(n) for n in header.get_data_shape())
        if dtype.kind not in "iuf" or not shape or min(shape) < 1:
            raise not_an_image(name, role, "greyscale NIfTI")
        voxels = voxels_from(content, dtype, shape, int(header.get_data_offset()))
    except EOFError as problem:
        raise damaged(name, role) from problem
    except (HeaderDataError, ValueError) as problem:
        raise not_an_image(name, role, "NIfTI") from problem
    affine, findings = _place(header, shape, role)
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    scaled = np.isfinite(slope) and slope != 0.0
    return ImageFile(
        voxels=voxels,
        slope=slope if scaled else 1.0,
        intercept=intercept if scaled and np.isfinite(intercept) else 0.0,
        affine=affine,
        file_bytes=file_bytes,
        facts={
            "format": "NIfTI",
            "data_type": str(dtype),
            "sform_code": int(header["sform_code"]),
            "qform_code": int(header["qform_code"]),
        },
        findings=findings,
    )


def _header(content: bytes, name: str, role: str) -> Any:
    """The NIfTI-1 or NIfTI-2 header at the start of ``content``."""
    for kind in (nib.Nifti1Header, nib.Nifti2Header):
        try:
            header: Any = kind(content[: kind.template_dtype.itemsize], check=False)  # type: ignore[no-untyped-call]
        except (WrapStructError, HeaderDataError, ImageFileError, ValueError):
            continue
        if bytes(header["magic"])[:3] in (b"n+1", b"n+2"):
            size = int(header["sizeof_hdr"])
            if size == kind.template_dtype.itemsize:
                return header
    raise not_an_image(name, role, "NIfTI")


def _place(header: Any, shape: tuple[int, ...], role: str) -> tuple[Affine, list[Finding]]:
    """The affine the header states and what was noticed about it."""
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    sform = np.asarray(header.get_sform(), dtype=np.float64)
    try:
        qform = np.asarray(header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):
        # A quaternion that is none, or voxel sizes of zero: no place at all.
        qform = np.zeros((4, 4))
    if sform_code > 0 and qform_code > 0:
        return sform, header_disagreement(sform, qform, shape, role)
    if sform_code > 0:
        return sform, []
    if qform_code > 0:
        return qform, []
    return np.asarray(header.get_base_affine(), dtype=np.float64), [
        Finding(
            f"{role.lower()}_orientation_known",
            "sform code 0, qform code 0",
            "one code above 0",
            Verdict.AMBER,
            f"The {role} file does not say how the head lies in the image; its rows are taken "
            "as running to the left, so check left and right in the pictures.",
        )
    ]
