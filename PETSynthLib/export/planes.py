"""Flat pictures of a volume as a physician expects them: square pixels, sides named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..preprocess.transform import NativeToTemplate
from ..volume import Affine, Volume

OBLIQUE = 0.4
"""Cosine from which a second direction is named too (a plane turned by 24 degrees or more)."""

CENTRE = (5.0, -18.0, 6.0)
"""Template RAS mm where the three planes cross: thalamus and basal ganglia, just off midline."""
STRIP_HEIGHTS = (-44.0, -29.0, -14.0, 1.0, 16.0, 31.0, 46.0, 61.0)
"""Template heights in mm of the axial strip, cerebellum to vertex."""

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""First and last-plus-one voxel along i, j, k."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where to cut, in the scan's RAS mm.

    Attributes
    ----------
    centre
        (3,): where the three planes cross.
    strip
        (n, 3): points of the axial strip from base to vertex.
    """

    centre: NDArray[np.float64]
    strip: NDArray[np.float64]


def places(transform: NativeToTemplate) -> Places:
    """The template's telling slices in a scan's own space."""
    points = [CENTRE, *((0.0, CENTRE[1], z) for z in STRIP_HEIGHTS)]
    inverse = transform.inverse
    native = np.array(points) @ inverse[:3, :3].T + inverse[:3, 3]
    return Places(centre=native[0], strip=native[1:])


@dataclass(frozen=True)
class View:
    """A family of planes of a canonical grid.

    Attributes
    ----------
    name
        For people.
    normal, across, down
        Voxel axes: through the plane, along the picture's width, along its height. Both picture
        axes run against their voxel axis: right is on the picture's left (radiological
        convention), anterior on the left of a sagittal picture, superior and anterior on top.
    """

    name: str
    normal: int
    across: int
    down: int


AXIAL = View("axial", normal=2, across=0, down=1)
CORONAL = View("coronal", normal=1, across=0, down=2)
SAGITTAL = View("sagittal", normal=0, across=1, down=2)
VIEWS = (AXIAL, CORONAL, SAGITTAL)


def brain_box(volume: Volume, margin_mm: float) -> Box:
    """Voxels where ``volume`` is above zero, with a margin, inside the grid (all when nowhere)."""
    inside = volume.data > 0
    box = []
    for axis, spacing in enumerate(volume.grid.spacing):
        others = tuple(a for a in range(3) if a != axis)
        found = np.flatnonzero(inside.any(axis=others))
        size = volume.shape[axis]
        if found.size == 0:
            box.append((0, size))
            continue
        pad = round(margin_mm / spacing)
        box.append((max(int(found[0]) - pad, 0), min(int(found[-1]) + pad + 1, size)))
    return box[0], box[1], box[2]


def extent_mm(volume: Volume, box: Box, axis: int) -> float:
    """Length of ``box`` along a voxel axis in mm."""
    first, stop = box[axis]
    return (stop - first) * volume.grid.spacing[axis]


def cut(
    volume: Volume, view: View, point: NDArray[np.float64], box: Box, pixels_per_mm: float
) -> NDArray[np.float32]:
    """The plane of ``volume`` nearest to a point, with square pixels.

    Parameters
    ----------
    volume
        On the canonical grid of a scan; the plane is one of its own, nothing is tilted.
    view
        Which family of planes.
    point
        RAS mm.
    box
        Part to show.
    pixels_per_mm
        Scale, the same along width and height whatever the spacing.

    Returns
    -------
    float32 array (height, width).
    """
    index = np.linalg.solve(volume.affine, [*point, 1.0])[view.normal]
    nearest = int(np.clip(round(float(index)), 0, volume.shape[view.normal] - 1))
    plane = np.take(volume.data, nearest, axis=view.normal)
    # The remaining axes are (across, down) in this order for every view.
    (a, b), (c, d) = box[view.across], box[view.down]
    picture = plane[a:b, c:d].T[::-1, ::-1]
    width = max(round(extent_mm(volume, box, view.across) * pixels_per_mm), 1)
    height = max(round(extent_mm(volume, box, view.down) * pixels_per_mm), 1)
    image = Image.fromarray(np.ascontiguousarray(picture, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


@dataclass(frozen=True)
class Letters:
    """Body directions at the edges of a picture."""

    left: str
    right: str
    top: str
    bottom: str


def letters(affine: Affine, view: View) -> Letters:
    """Directions at the edges of a `cut` through a grid with ``affine``."""
    across, down = affine[:3, view.across], affine[:3, view.down]
    return Letters(
        left=direction(across),
        right=direction(-across),
        top=direction(down),
        bottom=direction(-down),
    )


def direction(vector: NDArray[np.float64]) -> str:
    """Letters of a RAS direction, strongest first: ``"R"``, or ``"RA"`` when oblique."""
    unit = vector / np.linalg.norm(vector)
    order = np.argsort(-np.abs(unit), kind="stable")
    named = [axis for axis in order if abs(unit[axis]) >= OBLIQUE]
    return "".join("RAS"[axis] if unit[axis] > 0 else "LPI"[axis] for axis in named)
