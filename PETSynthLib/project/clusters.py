"""Connected patches of a z map, and its summary region by region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..assets import region_names
from .surface import Surface

THRESHOLD = 2.0
SMALLEST_CM2 = 3.0
"""A patch below this size is no larger than the PET's resolution."""


@dataclass(frozen=True)
class Cluster:
    """Neighbouring vertices above a threshold.

    Attributes
    ----------
    side
        ``"L"`` or ``"R"``.
    area_cm2
        Its area on the template's surface.
    peak, mean
        Highest and area-weighted mean z.
    peak_ras
        Where the peak lies, RAS mm on the template's surface.
    region
        Desikan-Killiany name at the peak.
    """

    side: str
    area_cm2: float
    peak: float
    mean: float
    peak_ras: tuple[float, float, float]
    region: str


@dataclass(frozen=True)
class RegionZ:
    """z of one region's surface.

    Attributes
    ----------
    region, side
        Desikan-Killiany name (or ``cerebellum``), ``"L"`` or ``"R"``.
    area_cm2
        Its area on the template's surface, off the medial wall.
    mean, peak
        Area-weighted mean and highest z.
    percent_above
        Share of the area with z above the threshold.
    """

    region: str
    side: str
    area_cm2: float
    mean: float
    peak: float
    percent_above: float


def clusters(
    z: NDArray[np.floating],
    surface: Surface,
    threshold: float = THRESHOLD,
    smallest_cm2: float = SMALLEST_CM2,
) -> list[Cluster]:
    """Patches of one hemisphere with z above ``threshold``, largest area first.

    Parameters
    ----------
    z
        (V,) z of a decrease (or its negative, for increases); NaN belongs to no patch.
    surface
        The hemisphere; its medial wall belongs to no patch.
    threshold, smallest_cm2
        Lowest z and lowest area.
    """
    above = (np.nan_to_num(z, nan=-np.inf) > threshold) & ~surface.medial_wall
    edges = np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]]])
    edges = edges[above[edges].all(axis=1)]
    size = len(z)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(size, size))
    _, patch = connected_components(graph, directed=False)
    areas = surface.areas_cm2
    found = []
    for number in np.unique(patch[above]):
        members = np.flatnonzero((patch == number) & above)
        area = float(areas[members].sum())
        if area < smallest_cm2:
            continue
        peak = int(members[z[members].argmax()])
        x, y, up = (float(v) for v in surface.vertices[peak])
        found.append(
            Cluster(
                surface.side,
                area,
                float(z[peak]),
                float(np.average(z[members], weights=areas[members])),
                (x, y, up),
                region_names()[int(surface.labels[peak])][0],
            )
        )
    return sorted(found, key=lambda cluster: -cluster.area_cm2)


def region_z(
    z: NDArray[np.floating], surface: Surface, threshold: float = THRESHOLD
) -> list[RegionZ]:
    """z of every region that reaches the surface of one hemisphere, in the atlas's order.

    Parameters
    ----------
    z
        (V,); NaN is left out.
    surface
        The hemisphere; its medial wall is left out.
    threshold
        z above which area is counted.
    """
    areas = surface.areas_cm2
    known = np.isfinite(z) & ~surface.medial_wall
    rows = []
    for label in np.unique(surface.labels[known]):
        here = known & (surface.labels == label)
        area = float(areas[here].sum())
        share = float(areas[here & (np.nan_to_num(z) > threshold)].sum()) / area
        rows.append(
            RegionZ(
                region_names()[int(label)][0],
                surface.side,
                area,
                float(np.average(z[here], weights=areas[here])),
                float(z[here].max()),
                100.0 * share,
            )
        )
    return rows
