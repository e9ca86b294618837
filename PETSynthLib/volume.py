"""The one image type: voxels that never travel without their place and their meaning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Affine = NDArray[np.float64]

PLANES = {"axial": 2, "coronal": 1, "sagittal": 0}
"""Plane -> axis of a volume (I, J, K) along which its slices follow each other."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A lattice of voxels in space, without values.

    Attributes
    ----------
    shape
        Number of voxels along i, j, k.
    affine
        4x4 ``ijkToRas``: voxel indices (centres) to millimetres, +x right, +y anterior,
        +z superior.
    name
        Name of the space the millimetres refer to (``"scanner"`` for a subject's own).
    """

    shape: tuple[int, int, int]
    affine: Affine
    name: str = "scanner"

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel edge lengths along i, j, k in mm."""
        i, j, k = (float(v) for v in np.linalg.norm(self.affine[:3, :3], axis=0))
        return i, j, k

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def same_as(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Whether two grids put every voxel at the same place (within ``tolerance_mm``)."""
        return self.shape == other.shape and bool(
            np.abs(self.corners() - other.corners()).max() <= tolerance_mm
        )

    def corners(self) -> NDArray[np.float64]:
        """RAS positions (8, 3) in mm of the eight corner voxel centres."""
        ends = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij"), float)
        ijk = ends.reshape(3, -1).T
        return np.asarray(ijk @ self.affine[:3, :3].T + self.affine[:3, 3])


def _canonical_affine() -> Affine:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-95.0, -127.0, -87.0)
    return affine


CANONICAL = Grid((96, 112, 96), _canonical_affine(), "MNI152NLin2009aSym")
"""The one template space: RAS, 2 mm, left-right mirror symmetric about i = 47.5."""

V = TypeVar("V", bound="Volume")


@dataclass(frozen=True, eq=False)
class Volume:
    """A three-dimensional image in space.

    Attributes
    ----------
    data
        float32 array (I, J, K). Masks hold 0 and 1, label maps whole numbers.
    affine
        4x4 float64 ``ijkToRas`` in mm.
    space
        Name of the space the millimetres refer to.
    """

    data: FloatArray
    affine: Affine
    space: str = "scanner"

    def __post_init__(self) -> None:
        data = np.ascontiguousarray(self.data, dtype=np.float32)
        affine = np.array(self.affine, dtype=np.float64)
        if data.ndim != 3:
            msg = f"a volume has three axes, got an array of shape {data.shape}"
            raise ValueError(msg)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            msg = f"an affine is a finite 4x4 matrix, got shape {affine.shape}"
            raise ValueError(msg)
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            msg = "an affine that cannot be inverted places no voxel"
            raise ValueError(msg)
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along i, j, k."""
        i, j, k = self.data.shape
        return i, j, k

    @property
    def grid(self) -> Grid:
        """The lattice this image lives on."""
        return Grid(self.shape, self.affine, self.space)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Boolean array (I, J, K): where the values are above one half."""
        return self.data > 0.5

    def crop(self: V, grid: Grid) -> V:
        """The part of this image on ``grid``, a sub-lattice of its own (no interpolation).

        Raises
        ------
        ValueError
            When a voxel of ``grid`` is not a voxel of this image.
        """
        offset = np.linalg.solve(self.affine, grid.affine)
        start = offset[:3, 3].round().astype(int)
        stop = start + np.array(grid.shape)
        aligned = np.allclose(offset[:3, :3], np.eye(3)) and np.allclose(offset[:3, 3], start)
        if not aligned or (start < 0).any() or (stop > self.shape).any():
            msg = f"the grid {grid.shape} is no part of the grid {self.shape}"
            raise ValueError(msg)
        part = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        return replace(self, data=self.data[part], affine=grid.affine, space=grid.name)

    def with_data(self: V, data: NDArray[np.generic]) -> V:
        """The same place and meaning with other values of the same shape."""
        if data.shape != self.data.shape:
            msg = f"expected shape {self.data.shape}, got {data.shape}"
            raise ValueError(msg)
        return replace(self, data=data.astype(np.float32))


@dataclass(frozen=True, eq=False)
class PetVolume(Volume):
    """A PET image: a volume that also says what its numbers mean.

    Attributes
    ----------
    tracer
        Key of the tracer registry, e.g. ``"fdg"``.
    unit
        ``"SUVR"``; a standard-deviation volume carries the unit of its mean.
    reference_region
        Region whose mean uptake is 1 SUVR.
    synthetic
        True for everything computed from an MRI, False for an acquired PET.
    quantity
        What the numbers are: ``"mean"``, ``"sd"``, ``"sample"`` or ``"expected"``.
    """

    tracer: str = ""
    unit: str = "SUVR"
    reference_region: str = ""
    synthetic: bool = True
    quantity: str = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tracer or not self.reference_region:
            msg = "a PET names its tracer and its reference region"
            raise ValueError(msg)


def on_grid(data: NDArray[np.generic], grid: Grid) -> Volume:
    """A plain volume with ``data`` (I, J, K) placed on ``grid``."""
    return Volume(data.astype(np.float32), grid.affine, grid.name)
