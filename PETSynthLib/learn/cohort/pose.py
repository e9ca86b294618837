"""How a head lies in a scanner, and the grids of its images."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...volume import Affine, Grid, Volume


def rigid(rng: np.random.Generator, turn_deg: float, shift_mm: float, about: Affine) -> Affine:
    """4x4 rigid motion: up to ``turn_deg`` about each axis through ``about`` (3,), then a shift."""
    matrix = np.eye(4)
    angles = rng.uniform(-turn_deg, turn_deg, 3)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = about - matrix[:3, :3] @ about + rng.uniform(-shift_mm, shift_mm, 3)
    return matrix


def inverse(matrix: Affine) -> Affine:
    """The way back of a 4x4 transform."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def grid_over(
    tissue: Volume, pose: Affine, spacing: tuple[float, float, float], margin_mm: float
) -> Grid:
    """Grid of ``spacing`` that holds ``tissue`` moved by ``pose`` (RAS mm to RAS mm)."""
    every = 3
    voxels = every * np.argwhere(tissue.data[::every, ::every, ::every] > 0.05)
    matrix = pose @ tissue.affine
    placed = voxels @ matrix[:3, :3].T + matrix[:3, 3]
    low, high = placed.min(0) - margin_mm, placed.max(0) + margin_mm
    size = np.ceil((high - low) / spacing).astype(int) + 1
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = np.round(low, 2)
    return Grid((int(size[0]), int(size[1]), int(size[2])), affine)
