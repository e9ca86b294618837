"""A volume as NRRD on the grid its MRI was stored on; marks and facts stand in the header.

3D Slicer makes an attribute of the node of every ``key:=value`` line. Equal volumes give equal
bytes: no time stamp, no file name. Format: teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..read.orientation import to_stored
from ..volume import Affine, Grid, PetVolume
from . import marks

_TYPES = {"float32": "float", "uint8": "unsigned char"}
_COMPRESSION = 4
_TO_LPS = np.array([-1.0, -1.0, 1.0])


def write_pet_nrrd(path: Path, pet: PetVolume, stored: Grid, facts: Mapping[str, str]) -> None:
    """Write a synthetic PET as float32 ``.nrrd``.

    Parameters
    ----------
    path
        New file; its folder exists.
    pet
        On the scan's canonical grid.
    stored
        `Scan.stored`: shape and affine of the scan's file.
    facts
        Header fields besides the marks.

    Raises
    ------
    ValueError
        When the PET is an acquired one: this writer would mark it as computed.
    """
    if not pet.synthetic:
        msg = "an acquired PET must not be written with the marks of a computed one"
        raise ValueError(msg)
    data = to_stored(pet, stored).astype(np.float32)
    write_nrrd(path, data, stored.affine, {**facts, **marks.nrrd_fields()})


def write_nrrd(
    path: Path, data: NDArray[Any], affine: Affine, fields: Mapping[str, str], layers: bool = False
) -> None:
    """Write an array as gzipped ``.nrrd`` in the space left-posterior-superior.

    Parameters
    ----------
    data
        (I, J, K), or with ``layers`` (I, J, K, L), float32 or uint8.
    affine
        4x4 ``ijkToRas`` in mm.
    fields
        ``key:=value`` lines.
    layers
        Whether a last axis holds maps of the same place; the file has it first, as segmentations
        of 3D Slicer have.
    """
    columns = affine[:3, :3].T * _TO_LPS
    directions = [_vector(column) for column in columns]
    kinds = ["domain"] * 3
    sizes = list(data.shape[:3])
    if layers:
        data = np.moveaxis(data, -1, 0)
        directions, kinds = ["none", *directions], ["list", *kinds]
        sizes = [data.shape[0], *sizes]
    head = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        f"type: {_TYPES[str(data.dtype)]}",
        f"dimension: {data.ndim}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(size) for size in sizes)}",
        f"space directions: {' '.join(directions)}",
        f"kinds: {' '.join(kinds)}",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(affine[:3, 3] * _TO_LPS)}",
        *(f"{key}:={_line(value)}" for key, value in fields.items()),
    ]
    little = data.astype(data.dtype.newbyteorder("<"))
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", _COMPRESSION, packed, mtime=0) as stream:
        stream.write(little.tobytes(order="F"))
    path.write_bytes("\n".join(head).encode("utf-8") + b"\n\n" + packed.getvalue())


def _vector(numbers: NDArray[np.float64]) -> str:
    # repr of a float is read back as the same float; adding zero turns -0.0 into 0.0.
    return f"({','.join(repr(float(number) + 0.0) for number in numbers)})"


def _line(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n")
