"""The two hemisphere surfaces in template space, with what is known of every vertex."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..assets import asset, region_names

SIDES = ("L", "R")
"""Keys of the left and the right hemisphere wherever both are held together."""


@dataclass(frozen=True, eq=False)
class Surface:
    """One hemisphere with its half of cerebellum and brain stem.

    Vertex ``n`` of the left surface is the mirror image of vertex ``n`` of the right one.

    Attributes
    ----------
    side
        ``"L"`` or ``"R"``.
    vertices
        (V, 3) RAS mm in the space of `CANONICAL`.
    faces
        (F, 3) vertex numbers, counter-clockwise seen from outside.
    normals
        (V, 3) unit vectors pointing outward.
    labels
        (V,) atlas label (`assets.region_names`) of the territory below each vertex.
    medial_wall
        (V,) True where the hemispheres were cut apart and no cortex lies below (callosum,
        thalamus, brain stem): drawn, but never part of a statistic.
    cortex
        (V,) True over cerebral cortex (and its medial temporal structures) off the medial wall.
    anatomy
        (V,) 0..1, brightness of the template's T1 under the surface: dark sulci, bright gyri.
    """

    side: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.intp]
    normals: NDArray[np.float64]
    labels: NDArray[np.uint8]
    medial_wall: NDArray[np.bool_]
    cortex: NDArray[np.bool_]
    anatomy: NDArray[np.float64]

    @property
    def areas_cm2(self) -> NDArray[np.float64]:
        """(V,) area of each vertex: a third of the faces around it; they add up to the whole."""
        a, b, c = (self.vertices[self.faces[:, n]] for n in range(3))
        of_face = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0 / 100.0
        corners = np.repeat(of_face / 3.0, 3)
        total = np.bincount(self.faces.ravel(), corners, minlength=len(self.vertices))
        return np.asarray(total, dtype=np.float64)


@cache
def surfaces() -> dict[str, Surface]:
    """The shipped surfaces by side, left first. The arrays are read-only."""
    with np.load(io.BytesIO(asset("ssp/surfaces.npz").read_bytes()), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return {side: _one(side, arrays) for side in SIDES}


def _one(side: str, arrays: dict[str, NDArray[np.generic]]) -> Surface:
    # The file holds the right hemisphere; mirroring turns the corners of a face round.
    mirror = np.array([1.0, 1.0, 1.0] if side == "R" else [-1.0, 1.0, 1.0])
    faces = arrays["faces"].astype(np.intp)
    labels = arrays["labels_right" if side == "R" else "labels_left"].astype(np.uint8)
    wall = arrays["medial_wall"].astype(bool)
    hindbrain = [
        n for n, (name, _) in region_names().items() if name in ("cerebellum", "brainstem")
    ]
    surface = Surface(
        side=side,
        vertices=arrays["vertices"].astype(np.float64) * mirror,
        faces=faces if side == "R" else np.ascontiguousarray(faces[:, ::-1]),
        normals=arrays["normals"].astype(np.float64) * mirror,
        labels=labels,
        medial_wall=wall,
        cortex=~wall & ~np.isin(labels, hindbrain),
        anatomy=arrays["anatomy"].astype(np.float64) / 255.0,
    )
    for array in vars(surface).values():
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return surface
