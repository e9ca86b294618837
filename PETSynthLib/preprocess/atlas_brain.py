"""A brain outline without a neural network: the template's, laid on the head and trimmed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..assets import atlas_volume
from ..errors import ErrorCode, PETSynthError
from ..progress import Progress
from ..volume import CANONICAL, FloatArray, Volume
from .itk_registration import register, turned_starts
from .lattice import centre_of, grid_over
from .transform import resample

WORKING_MM = 2.0
RIM_MM = 6.0
"""Rim around the template's brain that is compared too: dark fluid and bone on both sides hold
the outline, the bright scalp further out is not looked at."""
PITCHES_DEG = (0.0, -25.0, 25.0)
SCALES = (0.85, 1.0)
HEAD_BELOW_VERTEX_MM = 150.0
GROW_MM, OPEN_MM, CLOSE_MM = 6.0, 4.0, 10.0
DARK, BRIGHT = 0.5, 1.4
"""Brain tissue relative to the median of the brain's inside."""


def atlas_brain(t1: Volume, progress: Progress) -> Volume:
    """Brain mask (0/1) on the grid of ``t1`` (whole head), about 2 mm coarser than a network's.

    Raises
    ------
    PETSynthError
        ``ALIGNMENT`` when the head cannot be laid on the template at all.
    """
    grid = grid_over(t1.grid, WORKING_MM)
    head = Volume(resample(t1, np.eye(4), grid, antialias=True), grid.affine)
    head = head.with_data(np.clip(head.data, 0.0, float(np.percentile(head.data, 99.5))))
    template = atlas_volume("template_t1")
    template_brain = atlas_volume("template_brain")
    rim = ndimage.distance_transform_edt(~template_brain.mask, sampling=CANONICAL.spacing)
    fixed = template.with_data(template.data * template_brain.mask)
    starts = [
        start
        for scale in SCALES
        for start in turned_starts(centre_of(template_brain), head_centre(head), PITCHES_DEG, scale)
    ]
    near = template_brain.with_data(rim <= RIM_MM)
    found = register(fixed, near, head, starts, progress, rigid=False)
    if found is None:
        raise PETSynthError(
            ErrorCode.ALIGNMENT,
            "No brain could be found in the T1.",
            "Check that this is a T1-weighted MRI of a whole head, or give a brain mask.",
        )
    to_template = np.asarray(np.linalg.inv(found.matrix))
    warped = resample(template_brain, to_template, grid) > 0.5
    trimmed = head.with_data(trim(head.data, warped))
    return t1.with_data(resample(trimmed, np.eye(4), t1.grid) > 0.5)


def trim(head: FloatArray, warped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The warped template brain, adapted to what the head shows (working grid).

    Tissue that is neither bone-dark nor fat-bright, in one piece after cutting thin bridges to
    scalp and eyes, closed again over the fluid spaces.
    """
    core = ndimage.binary_erosion(warped, ball(RIM_MM))
    if not core.any():
        return warped
    typical = float(np.median(head[core]))
    allowed = ndimage.binary_dilation(warped, ball(GROW_MM))
    # Fat behind the eyes and under the scalp is the brightest thing in a T1.
    fat = (head > BRIGHT * typical) & ~core
    allowed &= ~ndimage.binary_dilation(fat, ball(WORKING_MM)) | core
    tissue = allowed & (head > DARK * typical)
    labels, _ = ndimage.label(ndimage.binary_opening(tissue | core, ball(OPEN_MM)))
    main = np.bincount(labels[core])[1:].argmax() + 1
    piece = ndimage.binary_dilation(labels == main, ball(WORKING_MM)) & allowed
    padded = np.pad(piece, int(CLOSE_MM))
    inner = (slice(int(CLOSE_MM), -int(CLOSE_MM)),) * 3
    closed = ndimage.binary_closing(padded, ball(CLOSE_MM))[inner]
    return np.asarray(ndimage.binary_fill_holes(closed & (allowed | core)))


def ball(radius_mm: float) -> NDArray[np.bool_]:
    """Round structuring element on the working grid."""
    reach = int(np.ceil(radius_mm / WORKING_MM))
    axes = np.meshgrid(*[np.arange(-reach, reach + 1) * WORKING_MM] * 3, indexing="ij")
    return np.asarray(np.sqrt(sum(a**2 for a in axes)) <= radius_mm)


def head_centre(head: Volume) -> NDArray[np.float64]:
    """Middle (3,) in RAS mm of the upper 15 cm of what is not air: about that of the brain."""
    bright = head.data > 0.25 * float(np.percentile(head.data, 98.0))
    bright = ndimage.binary_opening(bright, iterations=1)
    points = np.argwhere(bright) @ head.affine[:3, :3].T + head.affine[:3, 3]
    if not len(points):
        points = head.grid.corners()
    vertex = float(np.percentile(points[:, 2], 99.9))
    upper = points[points[:, 2] > vertex - HEAD_BELOW_VERTEX_MM]
    return np.asarray((upper.min(0) + upper.max(0)) / 2.0)
