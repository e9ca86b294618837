"""What the readers of all formats deliver, and the two ways of refusing a file."""

from __future__ import annotations

import gzip
import io
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Finding
from ..errors import ErrorCode, PETSynthError
from ..volume import Affine

LARGEST_BYTES = 4 * 2**30
"""Uncompressed size beyond which a file is no brain MRI (a guard against damaged headers)."""


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A parsed file: voxels as stored, not scaled, not checked.

    Attributes
    ----------
    voxels
        Array with the file's axes and data type (any number of axes).
    slope, intercept
        Real value = slope * voxel + intercept.
    affine
        4x4 ``ijkToRas`` in mm as the file states it.
    file_bytes
        Everything that was read from disk.
    facts
        JSON-ready facts about the header, without patient data.
    findings
        What the format's reader noticed.
    """

    voxels: NDArray[Any]
    slope: float
    intercept: float
    affine: Affine
    file_bytes: bytes
    facts: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


def not_an_image(name: str, role: str, kind: str) -> PETSynthError:
    """The file is not what its name says."""
    return PETSynthError(
        ErrorCode.BAD_IMAGE,
        f"The {role} file {name} is not a {kind} image.",
        "Open it in 3D Slicer to see what it holds, and export it again.",
    )


def damaged(name: str, role: str) -> PETSynthError:
    """The file ends early or its compressed data are broken."""
    return PETSynthError(
        ErrorCode.BAD_IMAGE,
        f"The {role} file {name} is damaged or incomplete.",
        "Copy or export it again; the transfer may have been cut off.",
    )


def unpack_gzip(packed: bytes) -> bytes:
    """Decompressed bytes.

    Raises
    ------
    OSError, EOFError, zlib.error
        When the data are broken or cut off.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
        content = stream.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        msg = "larger than any brain MRI"
        raise OSError(msg)
    return content


def voxels_from(
    content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int
) -> NDArray[Any]:
    """Array of ``shape`` (first axis fastest) from ``content`` at ``offset`` bytes.

    Raises
    ------
    EOFError
        When ``content`` is too short.
    """
    count = math.prod(shape)
    if offset < 0 or len(content) - offset < count * dtype.itemsize:
        msg = "fewer voxels than the header promises"
        raise EOFError(msg)
    return np.frombuffer(content, dtype, count, offset).reshape(shape, order="F")
