"""Cortical peaks: the highest uptake below each vertex, as in three-dimensional stereotactic
surface projection (Minoshima et al., J Nucl Med 1995;36:1238-1248)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..volume import CANONICAL, Volume
from .surface import SIDES, Surface, surfaces

DEPTHS_MM = tuple(2.25 * step for step in range(1, 7))
"""Six steps of one voxel of the published 2.25 mm grid: 13.5 mm along the inward normal."""


@dataclass(frozen=True, eq=False)
class SurfaceSamples:
    """What was found below the vertices of one surface.

    Attributes
    ----------
    values
        (V,) uptake in the unit of the volume.
    depth
        (V,) how far below the surface it was found, mm.
    """

    values: NDArray[np.float64]
    depth: NDArray[np.float64]


def surface_samples(
    volume: Volume,
    surface: Surface,
    *,
    depths_mm: Sequence[float] = DEPTHS_MM,
    find_on: Volume | None = None,
) -> SurfaceSamples:
    """The peak of ``volume`` below each vertex.

    Parameters
    ----------
    volume
        Template space, any grid; linear between voxels, 0 outside the grid.
    surface
        One hemisphere.
    depths_mm
        Depths along the inward normal at which to look.
    find_on
        Image on which the depth of the peak is found; ``volume`` is then read at that depth.
        Default: ``volume`` itself. A tracer without grey-white contrast is read where FDG peaks.

    Raises
    ------
    ValueError
        When an image is not in the template space.
    """
    search = volume if find_on is None else find_on
    depths = np.asarray(depths_mm, dtype=np.float64)
    points = surface.vertices - depths[:, None, None] * surface.normals
    found = _linear(search, points)
    which = found.argmax(axis=0)
    every = np.arange(len(surface.vertices))
    values = found[which, every] if find_on is None else _linear(volume, points[which, every])
    return SurfaceSamples(values, depths[which])


def sample_both(
    volume: Volume, *, depths_mm: Sequence[float] = DEPTHS_MM, find_on: Volume | None = None
) -> dict[str, SurfaceSamples]:
    """`surface_samples` of the left (``"L"``) and the right (``"R"``) hemisphere."""
    return {
        side: surface_samples(volume, surfaces()[side], depths_mm=depths_mm, find_on=find_on)
        for side in SIDES
    }


def _linear(volume: Volume, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at RAS points (..., 3) in mm."""
    if volume.space != CANONICAL.name:
        msg = f"the surface lies in {CANONICAL.name}, the image in {volume.space}"
        raise ValueError(msg)
    inverse = np.linalg.inv(volume.affine)
    index = points @ inverse[:3, :3].T + inverse[:3, 3]
    sampled = ndimage.map_coordinates(
        volume.data, np.moveaxis(index, -1, 0), order=1, output=np.float64
    )
    return np.asarray(sampled)
