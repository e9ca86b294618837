"""What the voxels hold: one image of three axes with finite, varying values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..volume import FloatArray

FEWEST_SLICES = 8
MOST_MISSING = 0.01
"""Fraction of voxels without a value (NaN, infinite) beyond which a scan is refused."""


def three_axes(voxels: NDArray[Any], role: str) -> NDArray[Any]:
    """``voxels`` with exactly three axes.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` for a series of volumes or for a single slice.
    """
    frames = voxels.shape[3:]
    if any(n > 1 for n in frames):
        count = int(np.prod(frames))
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The {role} is a series of {count} volumes, not one image.",
            "Extract one volume of it, for example the structural one, and use that.",
        )
    shape = (*voxels.shape, 1, 1, 1)[:3]
    if min(shape) < FEWEST_SLICES:
        size = " x ".join(str(n) for n in shape)
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The {role} is not a three-dimensional image of a head ({size} voxels).",
            "Use the whole volume, not a single slice or a localizer.",
        )
    return voxels.reshape(shape)


def checked_voxels(
    voxels: NDArray[Any], slope: float, intercept: float, role: str
) -> tuple[FloatArray, list[Finding]]:
    """Real values as float32, missing ones set to zero, and what was noticed.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when too many values are missing or all are equal (an equal-valued mask is
        left to the checks of the mask).
    """
    data = voxels.astype(np.float32)
    if (slope, intercept) != (1.0, 0.0):
        data = (voxels * np.float64(slope) + intercept).astype(np.float32)
    missing = ~np.isfinite(data)
    count = int(missing.sum())
    fraction = count / data.size
    if fraction > MOST_MISSING:
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"{100 * fraction:.0f} % of the voxels of the {role} have no value (NaN).",
            "If the background was blanked, fill it with zero; else export the image again.",
        )
    findings = []
    if count:
        data[missing] = 0.0
        findings.append(
            Finding(
                f"{role.lower()}_missing_values",
                count,
                "none",
                Verdict.AMBER,
                f"{count} voxels of the {role} have no value (NaN) and are taken as zero.",
            )
        )
    if role != "mask" and float(data.min()) == float(data.max()):
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The {role} is empty: every voxel has the value {float(data.flat[0]):g}.",
            "Choose the file that holds the image.",
        )
    return data, findings
