"""The folder ``space/`` beside a result: mask, transforms, bias fields, made once and reused."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PETSynthError
from ..read import Scan, read_scan, to_stored
from ..volume import CANONICAL, Affine, Volume
from .bias import STEP
from .prepared import Prepared
from .transform import NativeToTemplate

VERSION = 1
MASK, TRANSFORM, RECORD = "brain_mask.nii.gz", "native_to_template.tfm", "space.json"
FIELD = "bias_{}.nii.gz"


@dataclass(frozen=True, eq=False)
class Space:
    """What is reused of an earlier result on the same T1.

    Attributes
    ----------
    brain
        Mask on the scan's canonical grid.
    transform
        Scan to template.
    flair
        4x4, RAS mm of the T1 to RAS mm of the FLAIR, when the FLAIR is the same too.
    fields
        As `Prepared.fields`; without those that are not there.
    """

    brain: Volume
    transform: NativeToTemplate
    flair: Affine | None
    fields: dict[str, Volume]


def write_space(prepared: Prepared, t1: Scan, folder: Path) -> None:
    """Write mask, transform, fields and record into ``folder`` (made when missing).

    The mask lies on the grid of the T1 file; the transform is an ITK file (`NativeToTemplate`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = to_stored(prepared.native_brain, t1.stored).astype(np.uint8)
    _write(folder / MASK, data, t1.stored.affine, 1)
    for name, field in prepared.fields.items():
        whole = np.rint(field.data / STEP).astype(np.int16)
        _write(folder / FIELD.format(name), whole, field.affine, 4, STEP)
    prepared.transform.write(folder / TRANSFORM)
    record = {"version": VERSION, **prepared.sources, "steps": prepared.steps}
    record["t1_to_flair_ras_mm"] = (
        None if prepared.t1_to_flair is None else prepared.t1_to_flair.tolist()
    )
    record["template"] = prepared.t1.space
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _write(
    path: Path, data: NDArray[np.integer], affine: Affine, code: int, slope: float = 1.0
) -> None:
    """Whole numbers of ``slope`` as NIfTI in a scan's space (``code`` 1) or the template's (4)."""
    import nibabel as nib

    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, code)
    image.set_qform(affine, code)
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(slope, 0.0)
    path.write_bytes(gzip.compress(image.to_bytes(), 6, mtime=0))


def as_stored(prepared: Prepared) -> Prepared:
    """``prepared`` with the transform that a stored one is read as.

    A text file lies between the two, and voxels on a border fall by the last digits.
    """
    return replace(prepared, transform=NativeToTemplate(np.round(prepared.transform.matrix, 9)))


def read_space(folder: Path, t1: Scan, sources: dict[str, Any]) -> Space | None:
    """What ``folder`` holds for this T1; None when it is of another scan, missing or damaged.

    Parameters
    ----------
    folder
        ``space/`` of an earlier result.
    t1
        The scan.
    sources
        Checksums of this run's images; T1 and mask must be those of the record.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["version"] != VERSION:
            return None
        if any(record[key] != sources[key] for key in ("t1_sha256", "mask_sha256")):
            return None
        mask = read_scan(folder / MASK, "mask")
        transform = NativeToTemplate.read(folder / TRANSFORM)
        flair = None
        if record["flair_sha256"] is not None and record["flair_sha256"] == sources["flair_sha256"]:
            flair = np.array(record["t1_to_flair_ras_mm"], dtype=np.float64).reshape(4, 4)
    except (OSError, ValueError, KeyError, TypeError, PETSynthError):
        return None
    if mask.stored.shape != t1.stored.shape:
        return None
    brain = Volume(mask.volume.data, t1.volume.affine, t1.volume.space)
    return Space(brain, transform, flair, _fields(folder, flair is not None))


def _fields(folder: Path, with_flair: bool) -> dict[str, Volume]:
    """The bias fields that are there and whole; what is not is found again."""
    found = {}
    for name in ("t1", "flair") if with_flair else ("t1",):
        with suppress(PETSynthError):
            field = read_scan(folder / FIELD.format(name), "bias field").volume
            found[name] = replace(field, space=CANONICAL.name)
    return found
