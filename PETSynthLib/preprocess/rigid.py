"""Another image of the same head onto its T1: six parameters, compared around the brain only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..progress import Progress
from ..volume import Affine, Volume
from .itk_registration import Registered, register
from .lattice import grid_around, grid_over
from .transform import resample

SAME_START_MM = 10.0
"""Starts closer than this fall into the same optimum: the search begins with a blur of 4 mm."""
FINEST_MM = 1.7
"""Finer voxels cost six times the time and moved the result by less than 0.02 mm."""


@dataclass(frozen=True, eq=False)
class AroundBrain:
    """A T1 on an upright lattice, with the part that counts when images are compared.

    Attributes
    ----------
    t1
        On the lattice, RAS mm of the T1.
    inside
        Brain (I, J, K).
    near
        1 in the brain and its rim, same lattice.
    """

    t1: Volume
    inside: NDArray[np.bool_]
    near: Volume


def around_brain(t1: Volume, brain: Volume, spacing_mm: float, rim_mm: float) -> AroundBrain:
    """``t1`` on a lattice of ``spacing_mm`` around ``brain`` (a mask on its grid)."""
    grid = grid_around(brain, spacing_mm)
    identity = np.eye(4)
    fixed = Volume(resample(t1, identity, grid, antialias=True), grid.affine)
    inside = resample(brain, identity, grid, antialias=True) > 0.5
    reach = int(np.ceil(rim_mm / spacing_mm))
    near = fixed.with_data(ndimage.binary_dilation(inside, iterations=reach))
    return AroundBrain(fixed, inside, near)


def starts_of(t1: Volume, moving: Volume) -> list[Affine]:
    """First guesses: where the scanner put the image and, if that differs, middle on middle."""
    centred = np.eye(4)
    centred[:3, 3] = middle(moving) - middle(t1)
    near = float(np.linalg.norm(centred[:3, 3])) < SAME_START_MM
    return [np.eye(4)] if near else [np.eye(4), centred]


def register_rigidly(
    fixed: AroundBrain,
    moving: Volume,
    starts: list[Affine],
    progress: Progress,
    shrink: tuple[int, ...] = (4, 2),
    smoothing_mm: tuple[float, ...] = (4.0, 2.0),
    finest_mm: float = FINEST_MM,
) -> Registered | None:
    """RAS mm of the T1 to RAS mm of ``moving``, thinned to voxels of ``finest_mm``.

    See `register`; None when it did not run.
    """
    if max(moving.grid.spacing) < finest_mm:
        grid = grid_over(moving.grid, finest_mm)
        moving = Volume(resample(moving, np.eye(4), grid, antialias=True), grid.affine)
    return register(
        fixed.t1,
        fixed.near,
        moving,
        starts,
        progress,
        rigid=True,
        shrink=shrink,
        smoothing_mm=smoothing_mm,
    )


def middle(volume: Volume) -> NDArray[np.float64]:
    """Brightness-weighted centre (3,) of an image in RAS mm."""
    bright = np.clip(volume.data, 0.0, None)
    centre = np.asarray(ndimage.center_of_mass(bright))
    return np.asarray(volume.affine[:3, :3] @ centre + volume.affine[:3, 3])
