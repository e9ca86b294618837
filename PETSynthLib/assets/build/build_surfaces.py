"""Build the two hemisphere surfaces of the SSP page from the ICBM 2009a template at 1 mm.

Run ``python -m PETSynthLib.assets.build.build_surfaces --cache DIR`` after `build_assets`. The
template is mirror symmetric, so one hemisphere is meshed and the other is its mirror image: vertex
``n`` of the left is the counterpart of vertex ``n`` of the right. Same sources, same bytes.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from PETSynthLib.assets import atlas_volume, region_names
from PETSynthLib.assets.build.build_assets import (
    ASSETS,
    SOURCES,
    fetch_packages,
    image_of,
    member_bytes,
    write_manifest,
)

SURFACES = "ssp/surfaces.npz"
MESH_MM = 2.04
"""Lattice of the mesh: gives about 20,000 vertices a hemisphere."""
BODY_SIGMA_MM = 1.0
"""Smoothing of grey + white matter before the brain's edge is found."""
CLOSING_MM = 2
"""Sulci narrower than twice this are bridged; wider ones stay as dents that show the gyri."""
NORMAL_SIGMA_MM = 3.0
"""Smoothing of the body whose gradient is the inward direction: wide enough to ignore sulci."""
CUT_MM = 1.0
"""The hemispheres are parted at this distance from the midline, half the gap each."""
LABEL_DEPTHS_MM = (2.0, 4.0, 6.0, 8.0)
MEDIAL_MM = 12.0
"""The cut through callosum, thalamus and brain stem lies closer to the midline than this."""
DEEP = ("thalamusproper", "caudate", "putamen", "pallidum", "accumbensarea", "brainstem")
LEAST_GREY = 0.45
"""Below this grey-matter probability at every depth, there is no cortex under a vertex."""

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


def body_of(gm: NDArray[np.float32], wm: NDArray[np.float32]) -> FloatArray:
    """Filled brain (0..1) at 1 mm, the mean of itself and its mirror image."""
    tissue = ndimage.gaussian_filter((gm + wm) / 255.0, BODY_SIGMA_MM)
    tissue = (tissue + tissue[::-1]) / 2.0
    ball = ndimage.distance_transform_edt(_centre_of(CLOSING_MM)) <= CLOSING_MM
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(tissue > 0.5, ball))
    parts, count = ndimage.label(closed)
    largest = parts == 1 + np.argmax(ndimage.sum_labels(closed, parts, range(1, count + 1)))
    # The smooth edge of the tissue where there is one, the closed mask where a gap was bridged.
    return np.asarray(np.where(largest, np.maximum(tissue, 0.6), np.minimum(tissue, 0.4)))


def _centre_of(radius: int) -> NDArray[np.bool_]:
    cube = np.ones((2 * radius + 1,) * 3, dtype=bool)
    cube[radius, radius, radius] = False
    return cube


def right_half(body: FloatArray, x: FloatArray) -> FloatArray:
    """The body right of the midline; the cut becomes surface."""
    weight = np.clip(x - CUT_MM + 0.5, 0.0, 1.0)
    return np.asarray(ndimage.gaussian_filter(body * weight[:, None, None], 0.8))


def at(data: NDArray[np.generic], affine: FloatArray, points: FloatArray, order: int) -> FloatArray:
    """Values of ``data`` at RAS points (..., 3)."""
    inverse = np.linalg.inv(affine)
    index = points @ inverse[:3, :3].T + inverse[:3, 3]
    moved = np.moveaxis(index, -1, 0)
    return np.asarray(ndimage.map_coordinates(data, moved, order=order, mode="nearest"))


def mesh(half: FloatArray, affine: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Vertices (RAS mm) and faces of the largest closed piece of the edge of ``half``."""
    step = MESH_MM / float(np.linalg.norm(affine[:3, 0]))
    coarse = ndimage.zoom(half, 1.0 / step, order=1, grid_mode=False)
    scale = (np.array(half.shape) - 1.0) / (np.array(coarse.shape) - 1.0)
    index, faces, _, _ = marching_cubes(np.pad(coarse, 1), 0.5)  # type: ignore[no-untyped-call]
    vertices = ((index - 1.0) * scale) @ affine[:3, :3].T + affine[:3, 3]
    vertices, faces = _largest_piece(vertices, np.asarray(faces, dtype=np.intp))
    for factor in (0.5, -0.53, 0.5, -0.53):  # Taubin 1995: smooth without shrinking
        vertices = vertices + factor * (_neighbour_mean(vertices, faces) - vertices)
    return vertices, faces


def _largest_piece(
    vertices: FloatArray, faces: NDArray[np.intp]
) -> tuple[FloatArray, NDArray[np.intp]]:
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(vertices),) * 2)
    _, piece = connected_components(graph, directed=False)
    kept = piece == np.bincount(piece).argmax()
    number = np.cumsum(kept) - 1
    return vertices[kept], number[faces[kept[faces[:, 0]]]]


def _neighbour_mean(values: FloatArray, faces: NDArray[np.intp]) -> FloatArray:
    total, count = np.zeros_like(values), np.zeros(len(values))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        # Every edge of a closed mesh belongs to two faces that run through it both ways.
        np.add.at(total, faces[:, a], values[faces[:, b]])
        np.add.at(count, faces[:, a], 1.0)
    return np.asarray(total / count[:, None])


def outward_normals(body: FloatArray, affine: FloatArray, vertices: FloatArray) -> FloatArray:
    """Unit vectors against the gradient of the smoothed half brain, in RAS."""
    smooth = ndimage.gaussian_filter(body, NORMAL_SIGMA_MM)
    gradient = np.stack([at(part, affine, vertices, 1) for part in np.gradient(smooth)], axis=-1)
    outward = -gradient @ np.linalg.inv(affine[:3, :3])
    return np.asarray(outward / np.linalg.norm(outward, axis=1, keepdims=True))


def facing(vertices: FloatArray, faces: NDArray[np.intp]) -> NDArray[np.intp]:
    """``faces`` in the order in which their normals (right hand) point outward."""
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    enclosed = float(np.einsum("ij,ij->", a, np.cross(b, c)))
    return faces if enclosed > 0 else faces[:, ::-1]


def labels_at(vertices: FloatArray, normals: FloatArray, side: str) -> NDArray[np.uint8]:
    """Atlas label of each vertex: the territory that most of the points below it lie in.

    No label crosses the midline: a vertex takes those of its own side or the unpaired brain stem.
    """
    names = region_names()
    own = {n for n, (_, hemisphere) in names.items() if hemisphere in (side, "B")}
    regions = atlas_volume("territories").data.astype(np.uint8)
    regions = np.where(np.isin(regions, sorted(own)), regions, 0)
    nearest = ndimage.distance_transform_edt(
        regions == 0, return_distances=False, return_indices=True
    )
    filled = regions[tuple(nearest)]
    points = [vertices - depth * normals for depth in LABEL_DEPTHS_MM]
    affine = atlas_volume("territories").affine
    votes = np.stack([at(filled, affine, p, 0) for p in points]).astype(np.intp)
    counts = np.zeros((len(vertices), 86), dtype=np.intp)
    for vote in votes:
        counts[np.arange(len(vertices)), vote] += 1
    return np.asarray(counts.argmax(axis=1), dtype=np.uint8)


def medial_wall(gm: FloatArray, labels: NDArray[np.uint8], faces: NDArray[np.intp]) -> Mask:
    """Where the hemispheres were cut apart and no cortex lies below: callosum to brain stem.

    Parameters
    ----------
    gm
        Highest grey-matter probability (0..1) below each vertex; 1 far from the midline.
    labels
        Atlas label of each vertex.
    faces
        Vertex numbers (F, 3).
    """
    deep = [n for n, (name, _) in region_names().items() if name in DEEP]
    wall = (np.isin(labels, deep) | (gm < LEAST_GREY)).astype(np.float64)[:, None]
    for _ in range(6):  # even out single vertices
        wall = (wall + _neighbour_mean(wall, faces)) / 2.0
    return np.asarray(wall[:, 0] > 0.5)


def anatomy(
    t1: NDArray[np.float32], affine: FloatArray, v: FloatArray, n: FloatArray
) -> FloatArray:
    """Brightness 0..1 of the template's T1 just under each vertex: dark sulci, bright gyri."""
    depths = np.arange(0.5, 5.1, 0.5)
    seen = np.mean([at(t1, affine, v - depth * n, 1) for depth in depths], axis=0)
    low, high = np.percentile(seen, [2, 98])
    return np.asarray(np.clip((seen - low) / (high - low), 0.0, 1.0))


def build(cache: Path) -> Path:
    """Build the surfaces; returns the written file."""
    images: dict[str, nib.Nifti1Image] = {
        key: image_of(member_bytes(cache, SOURCES[key])) for key in ("t1", "gm", "wm")
    }
    t1, gm, wm = (np.asarray(i.dataobj, dtype=np.float32) for i in images.values())
    affine = np.asarray(images["t1"].affine, dtype=np.float64)
    x = affine[0, 3] + affine[0, 0] * np.arange(t1.shape[0])
    if not np.allclose(x, -x[::-1]):
        raise SystemExit("the template is not symmetric about x = 0")
    half = right_half(body_of(gm, wm), x)
    vertices, faces = mesh(half, affine)
    normals = outward_normals(half, affine, vertices)
    mirror = np.array([-1.0, 1.0, 1.0])
    right, left = (labels_at(vertices * m, normals * m, s) for m, s in ((1, "R"), (mirror, "L")))
    grey = np.max([at(gm / 255.0, affine, vertices - d * normals, 1) for d in range(1, 8)], axis=0)
    grey[vertices[:, 0] > MEDIAL_MM] = 1.0
    brightness = anatomy((t1 + t1[::-1]) / 2.0, affine, vertices, normals)
    arrays = {
        "vertices": vertices.astype(np.float32),
        "faces": facing(vertices, faces).astype(np.uint16),
        "normals": normals.astype(np.float16),
        "labels_right": right,
        "labels_left": left,
        "medial_wall": medial_wall(grey, right, faces) | medial_wall(grey, left, faces),
        "anatomy": (255.0 * brightness).round().astype(np.uint8),
    }
    path = ASSETS / SURFACES
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            # A fixed date: the same arrays give the same bytes.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED
            )
    print(f"{len(vertices)} vertices, {len(faces)} faces a hemisphere")
    return path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the packages")
    cache = parser.parse_args().cache
    fetch_packages(cache)
    path = build(cache)
    write_manifest([path])
    print(f"{path.stat().st_size:9d}  {path.relative_to(ASSETS)}")


if __name__ == "__main__":
    main()
