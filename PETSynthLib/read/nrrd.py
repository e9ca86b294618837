"""NRRD, attached (``.nrrd``) or with detached data (``.nhdr``).

Parsed here rather than by ITK, for three reasons: ITK follows a detached data path wherever it
points, opens no path with umlauts on Windows, and refuses axes that are slightly off the right
angle, which `geometry` repairs. Format: teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import bz2
import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..volume import Affine
from .image_file import LARGEST_BYTES, ImageFile, damaged, not_an_image, unpack_gzip, voxels_from

_TYPES = {
    "int8": ("int8", "signed char", "int8_t"),
    "uint8": ("uint8", "uchar", "unsigned char", "uint8_t"),
    "int16": ("int16", "short", "short int", "signed short", "signed short int", "int16_t"),
    "uint16": ("uint16", "ushort", "unsigned short", "unsigned short int", "uint16_t"),
    "int32": ("int32", "int", "signed int", "int32_t"),
    "uint32": ("uint32", "uint", "unsigned int", "uint32_t"),
    "int64": ("int64", "longlong", "long long", "long long int", "signed long long", "int64_t"),
    "uint64": ("uint64", "ulonglong", "unsigned long long", "unsigned long long int", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
NUMPY_TYPE = {name: numpy for numpy, names in _TYPES.items() for name in names}

TOWARDS_RAS = {
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "ras": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "las": (-1.0, 1.0, 1.0),
    "left-posterior-superior": (-1.0, -1.0, 1.0),
    "lps": (-1.0, -1.0, 1.0),
}
"""Signs that turn coordinates of the file's space into RAS."""


def parse_nrrd(file_bytes: bytes, path: Path, role: str) -> ImageFile:
    """Parse the bytes of a NRRD file at ``path`` (whose folder may hold detached data)."""
    try:
        fields, body = _split(file_bytes)
        sizes = tuple(int(word) for word in fields["sizes"].split())
        dtype = np.dtype(NUMPY_TYPE[fields["type"].lower()])
        if fields.get("endian", "little").lower() == "big":
            dtype = dtype.newbyteorder(">")
        axes = _axes(fields, sizes)
        affine, known = _place(fields, axes)
    except (KeyError, ValueError, IndexError) as problem:
        raise not_an_image(path.name, role, "greyscale NRRD") from problem
    if "data file" in fields:
        detached = _detached(path, fields["data file"], role)
        file_bytes, body = file_bytes + detached, detached
    try:
        content = _decoded(fields, body, dtype, sizes)
        skip = int(fields.get("byte skip", "0"))
        offset = len(content) - math.prod(sizes) * dtype.itemsize if skip == -1 else skip
        voxels: NDArray[Any] = voxels_from(content, dtype, sizes, offset)
    except KeyError as problem:
        raise not_an_image(path.name, role, "greyscale NRRD") from problem
    except (OSError, EOFError, ValueError, zlib.error) as problem:
        raise damaged(path.name, role) from problem
    others = tuple(axis for axis in range(len(sizes)) if axis not in axes)
    findings = [] if known else [_unknown_place(role)]
    return ImageFile(
        voxels=np.transpose(voxels, axes + others),
        slope=1.0,
        intercept=0.0,
        affine=affine,
        file_bytes=file_bytes,
        facts={"format": "NRRD", "data_type": str(dtype), "space": fields.get("space", "")},
        findings=findings,
    )


def _split(file_bytes: bytes) -> tuple[dict[str, str], bytes]:
    """Header fields (lower-case names) and the bytes after the header."""
    ending = re.search(rb"\r?\n\r?\n", file_bytes)
    head = file_bytes[: ending.start()] if ending else file_bytes
    if not head.startswith(b"NRRD000"):
        msg = "no NRRD magic"
        raise ValueError(msg)
    fields = {}
    for line in head.decode("utf-8", errors="replace").splitlines()[1:]:
        # "key:=value" lines are free text, often from the scanner: never looked at.
        if line.startswith("#") or ":=" in line or ": " not in line:
            continue
        name, value = line.split(": ", 1)
        fields[name.strip().lower().replace("datafile", "data file")] = value.strip()
    return fields, file_bytes[ending.end() :] if ending else b""


def _axes(fields: dict[str, str], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Which of the file's axes are the three of space (all others must have one entry)."""
    if len(sizes) != int(fields["dimension"]) or len(sizes) < 3 or min(sizes) < 1:
        msg = "no three axes"
        raise ValueError(msg)
    if "space directions" not in fields:
        return 0, 1, 2
    words = _vectors(fields["space directions"])
    spatial = tuple(axis for axis, word in enumerate(words) if word is not None)
    if len(words) != len(sizes) or len(spatial) != 3:
        msg = "no three spatial axes"
        raise ValueError(msg)
    return spatial


def _vectors(text: str) -> list[tuple[float, ...] | None]:
    """Parsed ``(x,y,z) none (x,y,z)``."""
    return [
        None if word == "none" else tuple(float(part) for part in word[1:-1].split(","))
        for word in re.findall(r"none|\([^)]*\)", text)
    ]


def _place(fields: dict[str, str], axes: tuple[int, ...]) -> tuple[Affine, bool]:
    """The affine in RAS mm and whether the file says how the head lies."""
    affine = np.eye(4)
    if "space directions" in fields:
        vectors = _vectors(fields["space directions"])
        affine[:3, :3] = np.array([vectors[axis] for axis in axes], dtype=np.float64).T
    else:
        spacings = [float(word) for word in fields.get("spacings", "").split()]
        affine[:3, :3] = np.diag([spacings[axis] for axis in axes] if spacings else [1.0] * 3)
    if "space origin" in fields:
        affine[:3, 3] = _vectors(fields["space origin"])[0]
    signs = TOWARDS_RAS.get(fields.get("space", "").lower())
    known = signs is not None and "space directions" in fields
    # Without a named space ITK's convention, LPS, is the common one.
    affine[:3] *= np.array(signs or TOWARDS_RAS["lps"])[:, None]
    return affine, known


def _unknown_place(role: str) -> Finding:
    return Finding(
        f"{role.lower()}_orientation_known",
        "no space field",
        "a named space with directions",
        Verdict.AMBER,
        f"The {role} file does not say how the head lies in the image; its rows are taken "
        "as running to the left, so check left and right in the pictures.",
    )


def _detached(path: Path, name: str, role: str) -> bytes:
    """Bytes of the detached data file, which must lie in the header's folder or below."""
    folder = path.parent.resolve()
    target = (folder / name).resolve()
    if not target.is_relative_to(folder):
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The {role} file {path.name} points to data outside its own folder.",
            "Put the data file beside the header and correct the header's data file field.",
        )
    try:
        return target.read_bytes()
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The data file {name} of the {role} header {path.name} is missing.",
            "Copy it into the same folder as the header, or use a one-file .nrrd.",
        ) from problem


def _decoded(
    fields: dict[str, str], body: bytes, dtype: np.dtype[Any], sizes: tuple[int, ...]
) -> bytes:
    """The raw voxel bytes."""
    for _ in range(int(fields.get("line skip", "0"))):
        body = body.partition(b"\n")[2]
    encoding = fields["encoding"].lower()
    if encoding == "raw":
        return body
    if encoding in ("gzip", "gz"):
        return unpack_gzip(body)
    if encoding in ("bzip2", "bz2"):
        return bz2.BZ2Decompressor().decompress(body, LARGEST_BYTES)
    if encoding in ("ascii", "txt", "text"):
        words = body.split()[: math.prod(sizes)]
        return np.array(words, dtype=np.float64).astype(dtype).tobytes()
    raise KeyError(encoding)
