"""The eight canonical views, and which piece of surface each pixel of a view shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .surface import SIDES, surfaces

Axis = tuple[float, float, float]
PX_PER_MM = 1.32
SUPERSAMPLE = 2
"""Pixels are computed this many times finer and averaged."""


@dataclass(frozen=True)
class View:
    """An orthographic view.

    Attributes
    ----------
    name
        Heading of its column.
    sides
        Hemispheres it shows.
    right, up
        RAS directions that run to the right and to the top of the picture.
    letters
        Letters at the left and right edge of the picture, or empty: lateral and medial views show
        one hemisphere, which the heading names.
    """

    name: str
    sides: tuple[str, ...]
    right: Axis
    up: Axis
    letters: tuple[str, str] = ("", "")

    @property
    def towards(self) -> NDArray[np.float64]:
        """RAS direction from the brain to the reader."""
        return np.cross(self.right, self.up)


RIGHT, LEFT = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)
FRONT, BACK = (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)
TOP = (0.0, 0.0, 1.0)

VIEWS = (
    View("RT.LAT", ("R",), FRONT, TOP),
    View("LT.LAT", ("L",), BACK, TOP),
    View("SUP", SIDES, RIGHT, FRONT, ("L", "R")),
    View("INF", SIDES, LEFT, FRONT, ("R", "L")),
    View("ANT", SIDES, LEFT, TOP, ("R", "L")),
    View("POST", SIDES, RIGHT, TOP, ("L", "R")),
    View("RT.MED", ("R",), BACK, TOP),
    View("LT.MED", ("L",), FRONT, TOP),
)
"""Columns of the page, left to right, oriented as NEUROSTAT shows them."""


@dataclass(frozen=True, eq=False)
class Raster:
    """What each pixel of a view shows; the same for every patient.

    Attributes
    ----------
    shape
        Height and width of the supersampled picture.
    pixels
        (P,) flat numbers of the pixels that show brain.
    corners, weights
        (3, P) the face's vertices, numbered through both hemispheres (left first), and their
        barycentric weights.
    light
        (P,) 0..1 brightness of the unpainted surface under a lamp above the reader.
    """

    shape: tuple[int, int]
    pixels: NDArray[np.intp]
    corners: NDArray[np.intp]
    weights: NDArray[np.float32]
    light: NDArray[np.float32]

    def interpolate(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Values (P,) at the pixels from those at the vertices of both hemispheres (2V,)."""
        single = np.asarray(values, dtype=np.float32)
        # Corner by corner: a sum over an axis of three would take ten times as long.
        total = self.weights[0] * single[self.corners[0]]
        for weight, corner in zip(self.weights[1:], self.corners[1:], strict=True):
            total += weight * single[corner]
        return np.asarray(total)


def both(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float32]:
    """Values (2V,) of both hemispheres in the order in which `Raster` numbers their vertices."""
    return np.concatenate([left, right]).astype(np.float32)


@cache
def raster(name: str, px_per_mm: float = PX_PER_MM) -> Raster:
    """The raster of the view called ``name``."""
    view = next(v for v in VIEWS if v.name == name)
    shown = surfaces()
    vertices = np.concatenate([shown[side].vertices for side in SIDES])
    count = len(shown["L"].vertices)
    faces = np.concatenate([shown[side].faces + count * (side == "R") for side in view.sides])
    scale = px_per_mm * SUPERSAMPLE
    place = np.stack([vertices @ view.right, -(vertices @ view.up)], axis=1)
    used = place[:count] if view.sides == ("L",) else place[count:]
    used = place if view.sides == SIDES else used
    low = used.min(axis=0) - 1.0
    width, height = (int(n) for n in np.ceil((used.max(axis=0) + 1.0 - low) * scale))
    width, height = (n + n % SUPERSAMPLE for n in (width, height))
    depth = vertices @ view.towards
    pixels, face, weights = _nearest_faces((place - low) * scale, depth, faces, (height, width))
    corners, dark = np.ascontiguousarray(faces[face].T), np.zeros(len(pixels), np.float32)
    unlit = Raster((height, width), pixels, corners, weights, dark)
    return replace(unlit, light=_light(view, unlit))


def _light(view: View, seen: Raster) -> NDArray[np.float32]:
    """Brightness of the unpainted surface at the pixels."""
    normals = np.stack([seen.interpolate(part) for part in _mesh_normals().T])
    normals /= np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2)
    lamp = view.towards + 0.45 * np.array(view.up) - 0.25 * np.array(view.right)
    lamp /= np.linalg.norm(lamp)
    lit, facing = (direction.astype(np.float32) @ normals for direction in (lamp, view.towards))
    # Half-Lambert keeps form in the shadow; the second factor darkens what turns away.
    return np.asarray(
        np.clip(0.5 + 0.5 * lit, 0.0, 1.0) ** 1.6 * (0.55 + 0.45 * np.clip(facing, 0.0, 1.0))
    )


def _nearest_faces(
    xy: NDArray[np.float64],
    depth: NDArray[np.float64],
    faces: NDArray[np.intp],
    shape: tuple[int, int],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Z-buffer: pixels that show a face, which one, and the weights (3, P) of its corners.

    All faces are walked together: in step (i, j) each takes pixel (i, j) of its own bounding box.
    """
    a, b, c = (xy[faces[:, n]] for n in range(3))
    double = _cross(b - a, c - a)
    front = np.flatnonzero(double < -1e-9)  # y runs down: what faces the reader runs clockwise
    a, b, c, double = a[front], b[front], c[front], double[front]
    start = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5).astype(np.intp)
    size = np.floor(np.maximum(np.maximum(a, b), c) - 0.5).astype(np.intp) + 1 - start
    # The weights of the first two corners are linear in the pixel: value at the box's
    # first pixel, then the slopes along x and y.
    first = start + 0.5
    u, v = _cross(c - b, first - b) / double, _cross(a - c, first - c) / double
    ux, uy = -(c - b)[:, 1] / double, (c - b)[:, 0] / double
    vx, vy = -(a - c)[:, 1] / double, (a - c)[:, 0] / double
    found = []
    for i in range(int(size[:, 0].max())):
        wide = np.flatnonzero(size[:, 0] > i)
        u_row, v_row = u[wide] + i * ux[wide], v[wide] + i * vx[wide]
        for j in range(int(size[wide, 1].max())):
            s, t = u_row + j * uy[wide], v_row + j * vy[wide]
            inside = (s >= -1e-6) & (t >= -1e-6) & (s + t <= 1.0 + 1e-6) & (size[wide, 1] > j)
            here = wide[inside]
            cell = (start[here, 1] + j) * shape[1] + start[here, 0] + i
            found.append((cell, front[here], s[inside], t[inside]))
    pixel, face, s, t = (np.concatenate(part) for part in zip(*found, strict=True))
    weights = np.stack([s, t, 1.0 - s - t])
    near = sum(depth[faces[face, n]] * weights[n] for n in range(3))
    # Of several assignments to one pixel the last stays: the nearest to the reader.
    order = np.argsort(near, kind="stable")
    buffer = np.full(shape[0] * shape[1], -1, dtype=np.intp)
    buffer[pixel[order]] = order
    shown = np.flatnonzero(buffer >= 0)
    winner = buffer[shown]
    return shown, face[winner], weights[:, winner].astype(np.float32)


def _cross(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])


@cache
def _mesh_normals() -> NDArray[np.float64]:
    """(2V, 3) normals of the drawn mesh: unlike `Surface.normals` they follow every gyrus."""
    parts = []
    for side in SIDES:
        surface = surfaces()[side]
        a, b, c = (surface.vertices[surface.faces[:, n]] for n in range(3))
        of_face = np.cross(b - a, c - a)
        total = np.zeros_like(surface.vertices)
        for n in range(3):
            np.add.at(total, surface.faces[:, n], of_face)
        parts.append(total / np.linalg.norm(total, axis=1, keepdims=True))
    return np.concatenate(parts)
