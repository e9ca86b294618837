"""Made heads for the tests of preprocessing: the template's brain in a skull, turned at will."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PETSynthLib.assets import atlas_volume
from PETSynthLib.read import Scan
from PETSynthLib.volume import CANONICAL, Affine, Grid, Volume

SHAPE, SPACING = (110, 120, 110), 2.0


def native_grid() -> Grid:
    """A field of view that holds a turned head, scanner space."""
    affine = np.diag([SPACING] * 3 + [1.0])
    affine[:3, 3] = -SPACING * (np.array(SHAPE) - 1) / 2
    return Grid(SHAPE, affine)


def template_to_native(angles: tuple[float, ...] = (6.0, -4.0, 9.0), scale: float = 0.9) -> Affine:
    """4x4 of a smaller head, turned by ``angles`` degrees and moved a little."""
    matrix = np.eye(4)
    matrix[:3, :3] = scale * Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = (4.0, -6.0, 3.0)
    return matrix


def sampled(data: np.ndarray, matrix: Affine, order: int = 1) -> Volume:
    """Template-space ``data`` on the native grid of a head placed by ``matrix``."""
    grid = native_grid()
    to_voxel = np.linalg.inv(CANONICAL.affine) @ np.linalg.inv(matrix) @ grid.affine
    return Volume(
        ndimage.affine_transform(
            data.astype(np.float32),
            to_voxel[:3, :3],
            to_voxel[:3, 3],
            output_shape=grid.shape,
            order=order,
        ),
        grid.affine,
    )


def head_in_template() -> np.ndarray:
    """T1 with skull: brain, dark bone, bright scalp."""
    brain = atlas_volume("template_brain").mask
    away = ndimage.distance_transform_edt(~brain, sampling=2.0)
    image = atlas_volume("template_t1").data * brain
    return np.where(away > 14, 0.0, np.where(away > 8, 260.0, np.where(away > 0, 20.0, image)))


def scan_of(volume: Volume, sha256: str = "0" * 64) -> Scan:
    """``volume`` as if it had been read."""
    return Scan(volume, volume.grid, [], sha256, {"format": "made"})


def made_head(matrix: Affine) -> tuple[Scan, Scan]:
    """T1 with skull, and its brain mask."""
    rng = np.random.default_rng(11)
    t1 = sampled(head_in_template(), matrix)
    t1 = t1.with_data(t1.data + rng.normal(0, 2, t1.shape))
    brain = sampled(atlas_volume("template_brain").data, matrix, order=0)
    return scan_of(t1, "1" * 64), scan_of(brain, "2" * 64)


def made_flair(matrix: Affine, seed: int | None = None) -> Scan:
    """FLAIR of the same head: white matter darker than grey; ``seed`` folds another brain."""
    grey, white = atlas_volume("template_gm").data, atlas_volume("template_wm").data
    image = 140.0 * grey + 100.0 * white
    if seed is not None:
        rng = np.random.default_rng(seed)
        moves = [ndimage.gaussian_filter(rng.normal(size=image.shape), 4.0) for _ in range(3)]
        steps = [6.0 * m / m.std() for m in moves]
        where = np.indices(image.shape) + np.array(steps)
        image = ndimage.map_coordinates(image, where, order=1)
    return scan_of(sampled(image, matrix), "3" * 64)


def displacement_mm(found: Affine, true: Affine) -> float:
    """Mean distance over the template's brain between two template-to-native matrices."""
    points = np.argwhere(atlas_volume("template_brain").mask)[::97]
    points = points @ CANONICAL.affine[:3, :3].T + CANONICAL.affine[:3, 3]
    difference = found - true
    moved = points @ difference[:3, :3].T + difference[:3, 3]
    return float(np.linalg.norm(moved, axis=1).mean())
