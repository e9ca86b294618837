"""Tissue times uptake, seen through a scanner: the linear forward model of PET.

``pet = PSF * sum_c fraction_c(x) uptake_c(x)`` over grey matter, white matter and CSF, where the
uptake of grey matter depends on the Desikan-Killiany territory. The `atlas` generator evaluates
it with population uptake; the simulator evaluates it with a subject's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...assets import read_json, region_names
from ...preprocess.atlas_grid import atlas_on
from ...volume import Grid

FWHM_PER_SIGMA = 2.3548
DEEP_GREY = frozenset(
    {
        "thalamusproper",
        "caudate",
        "putamen",
        "pallidum",
        "accumbensarea",
        "hippocampus",
        "amygdala",
        "brainstem",
    }
)
"""Structures whose T1 contrast says little: inside their atlas label all tissue counts as grey."""


@dataclass(frozen=True, eq=False)
class Tissues:
    """Tissue fractions 0..1 of a brain, each an array (I, J, K) on one grid."""

    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    csf: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class UptakeTable:
    """Uptake in SUVR by tissue and territory.

    Attributes
    ----------
    grey
        Array (86,): uptake of grey matter by territory label (0 unused, 84/85 cerebellum).
    white, white_cerebellum, csf
        Uptake of the other compartments.
    """

    grey: NDArray[np.float32]
    white: float
    white_cerebellum: float
    csf: float


def labels_named(*names: str) -> list[int]:
    """Territory labels (both sides) of the Desikan-Killiany ``names``.

    Raises
    ------
    KeyError
        When a name is not a region of the atlas: a typo must not become an empty list.
    """
    known = {name for name, _ in region_names().values()}
    if missing := set(names) - known:
        raise KeyError(f"no such region: {', '.join(sorted(missing))}")
    return [label for label, (name, _) in region_names().items() if name in names]


def uptake_table(values: dict[str, float], default: float) -> NDArray[np.float32]:
    """Array (86,) with ``values`` by region name and ``default`` elsewhere (0 for label 0)."""
    table = np.full(86, default, np.float32)
    table[0] = 0.0
    for name, value in values.items():
        table[labels_named(name)] = value
    return table


@cache
def population_uptake(tracer: str) -> UptakeTable:
    """Uptake of ``tracer`` in healthy older people (sources in ``assets/uptake.json``)."""
    body = read_json("uptake.json")[tracer]
    return UptakeTable(
        grey=uptake_table(body["grey"], body["grey_default"]),
        white=body["white"],
        white_cerebellum=body["white_cerebellum"],
        csf=body["csf"],
    )


def deep_grey_labels(regions: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Voxels of a label map (I, J, K) that belong to `DEEP_GREY`."""
    return np.isin(regions, labels_named(*DEEP_GREY))


def activity(
    tissues: Tissues,
    territories: NDArray[np.generic],
    deep: NDArray[np.bool_],
    table: UptakeTable,
) -> NDArray[np.float32]:
    """Uptake in every voxel before the scanner's blur, SUVR.

    Parameters
    ----------
    tissues
        Tissue fractions (I, J, K).
    territories
        Territory label of every voxel (I, J, K).
    deep
        Voxels whose whole tissue counts as grey matter (`deep_grey_labels`).
    table
        Uptake by tissue and territory.
    """
    labels = territories.astype(np.intp)
    cerebellum = labels >= 84
    white_uptake = np.where(cerebellum, table.white_cerebellum, table.white)
    grey = tissues.grey + np.where(deep, tissues.white, 0.0)
    white = np.where(deep, 0.0, tissues.white)
    total = grey * table.grey[labels] + white * white_uptake + tissues.csf * table.csf
    return np.asarray(total, dtype=np.float32)


def scanner_blur(
    activity_map: NDArray[np.float32], fwhm_mm: float, grid: Grid
) -> NDArray[np.float32]:
    """Convolve with a Gaussian point-spread function of ``fwhm_mm``."""
    sigma = [fwhm_mm / FWHM_PER_SIGMA / spacing for spacing in grid.spacing]
    return np.asarray(ndimage.gaussian_filter(activity_map, sigma), dtype=np.float32)


@cache
def atlas_labels(
    grid_key: tuple[tuple[int, int, int], bytes],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Territories and deep-grey mask on the template grid named by `grid_key_of`."""
    shape, affine = grid_key
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), "")
    territories = atlas_on("territories", grid).data.astype(np.uint8)
    regions = atlas_on("regions", grid).data
    return territories, deep_grey_labels(regions)


def grid_key_of(grid: Grid) -> tuple[tuple[int, int, int], bytes]:
    """A hashable form of ``grid``."""
    return grid.shape, np.ascontiguousarray(grid.affine, dtype=np.float64).tobytes()
