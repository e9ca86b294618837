"""A PET as NIfTI on the grid its MRI was stored on."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np

from ..read.orientation import to_stored
from ..volume import Grid, PetVolume, Volume
from . import marks

SCANNER_CODE = 1
_COMMENT_ECODE = 6
_SHEAR_TOLERANCE_MM = 1e-3
_COMPRESSION = 4
"""Barely larger than the default's file and twice as fast."""


def write_pet(path: Path, pet: PetVolume, stored: Grid, code: int = SCANNER_CODE) -> None:
    """Write ``pet`` as ``.nii.gz``: float32, the stored grid's voxel order and affine.

    Equal volumes give equal bytes (no time stamp, no file name inside).

    Parameters
    ----------
    path
        New file; its folder exists.
    pet
        SUVR on the scan's canonical grid.
    stored
        `Scan.stored`: shape and affine of the scan's file.
    code
        NIfTI code of the space, the scan's own (1 scanner, 2 aligned, 4 MNI).

    Raises
    ------
    ValueError
        When the PET is an acquired one: this writer would mark it as computed.
    """
    if not pet.synthetic:
        msg = "an acquired PET must not be written with the marks of a computed one"
        raise ValueError(msg)
    from nibabel import nifti1  # here, so that Slicer can read the marks without nibabel

    image: Any = nifti1.Nifti1Image(to_stored(pet, stored), stored.affine)
    header = image.header
    header.set_data_dtype(np.float32)
    header.set_xyzt_units("mm")
    _place(image, stored, code)
    header["descrip"] = marks.NIFTI_DESCRIPTION.encode()
    header.set_intent("none", name=marks.NIFTI_INTENT)
    header["cal_min"], header["cal_max"] = 0.0, float(pet.data.max(initial=0.0))
    comment = f"{marks.NIFTI_COMMENT} {pet.tracer}, {pet.quantity}, {pet.unit}."
    header.extensions.append(nifti1.Nifti1Extension(_COMMENT_ECODE, comment.encode("utf-8")))
    write_packed(path, image)


def write_acquired(path: Path, pet: PetVolume, stored: Grid, code: int = SCANNER_CODE) -> None:
    """Write an acquired PET as SUVR; parameters as `write_pet`.

    Raises
    ------
    ValueError
        When the PET is synthetic: here it would lose its mark.
    """
    if pet.synthetic:
        msg = "a marked PET must not be written without its marks"
        raise ValueError(msg)
    from nibabel import nifti1

    image: Any = nifti1.Nifti1Image(to_stored(pet, stored), stored.affine)
    image.header.set_data_dtype(np.float32)
    image.header.set_xyzt_units("mm")
    _place(image, stored, code)
    image.header["descrip"] = f"{pet.tracer} PET, SUVR {pet.reference_region}".encode()
    image.header["cal_min"], image.header["cal_max"] = 0.0, float(pet.data.max(initial=0.0))
    write_packed(path, image)


def write_labels(path: Path, labels: Volume, stored: Grid, code: int = SCANNER_CODE) -> None:
    """Write a label map or mask as uint8 ``.nii.gz`` on the stored grid.

    Parameters
    ----------
    path
        New file; its folder exists.
    labels
        Whole numbers 0 to 255 on the scan's canonical grid.
    stored, code
        As in `write_pet`.
    """
    from nibabel import nifti1

    data = to_stored(labels, stored).round().astype(np.uint8)
    image: Any = nifti1.Nifti1Image(data, stored.affine)
    image.header.set_xyzt_units("mm")
    _place(image, stored, code)
    write_packed(path, image)


def write_marked_labels(path: Path, source: Path) -> None:
    """Copy a label map of ours and mark it as one of a synthetic PET; the voxels stay as they are.

    Parameters
    ----------
    path
        New file; its folder exists.
    source
        As `write_labels` wrote it.
    """
    from nibabel import nifti1

    image: Any = nifti1.Nifti1Image.from_bytes(gzip.decompress(source.read_bytes()))
    image.header["descrip"] = marks.LABELS_DESCRIPTION.encode()
    comment = marks.LABELS_COMMENT.encode("utf-8")
    image.header.extensions.append(nifti1.Nifti1Extension(_COMMENT_ECODE, comment))
    write_packed(path, image)


def _place(image: Any, stored: Grid, code: int) -> None:
    """Set sform and qform; a quaternion cannot hold shear: then the sform alone tells the place."""
    image.set_sform(stored.affine, code)
    image.set_qform(stored.affine, code)
    rebuilt = Grid(stored.shape, np.asarray(image.get_qform()))
    if not rebuilt.same_as(stored, _SHEAR_TOLERANCE_MM):
        image.set_qform(None, 0)


def write_packed(path: Path, image: Any) -> None:
    """Write a nibabel ``image`` as ``.nii.gz`` without time stamp or file name inside."""
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", _COMPRESSION, packed, mtime=0) as stream:
        stream.write(image.to_bytes())
    path.write_bytes(packed.getvalue())
