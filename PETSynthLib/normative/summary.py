"""A z map in words: clusters with their area, regions, lobes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..project.clusters import SMALLEST_CM2, THRESHOLD, Cluster, RegionZ, clusters, region_z
from ..project.surface import SIDES, surfaces
from ..quantify.regions import COMPOSITES, title_of

LOBES: dict[str, tuple[str, ...]] = {
    **{name: members for name, members in COMPOSITES.items() if name.endswith("_lobe")},
    "cingulate": (
        "rostralanteriorcingulate",
        "caudalanteriorcingulate",
        "posteriorcingulate",
        "isthmuscingulate",
    ),
    "insula": ("insula",),
}
"""FreeSurfer's lobes; cingulate and insula stand apart."""


@dataclass(frozen=True)
class LobeZ:
    """z of one lobe's surface on one side.

    Attributes
    ----------
    lobe, side
        Key of `LOBES`, ``"L"`` or ``"R"``.
    area_cm2
        Its area on the template's surface.
    mean, peak
        Area-weighted mean and highest z.
    percent_above
        Share of the area with z above the threshold.
    """

    lobe: str
    side: str
    area_cm2: float
    mean: float
    peak: float
    percent_above: float


@dataclass(frozen=True)
class Summary:
    """Everything a table says of one map.

    Attributes
    ----------
    clusters
        Largest first, both sides.
    regions, lobes
        Left before right.
    """

    threshold: float
    clusters: tuple[Cluster, ...]
    regions: tuple[RegionZ, ...]
    lobes: tuple[LobeZ, ...]

    def sentences(self) -> list[str]:
        """A line a cluster: ``left precuneus: 12.4 cm2 with z above 2, peak 4.1``."""
        if not self.clusters:
            return [f"No patch of {SMALLEST_CM2:g} cm2 or more has z above {self.threshold:g}."]
        side = {"L": "left", "R": "right"}
        return [
            f"{side[one.side]} {title_of(one.region).lower()}: {one.area_cm2:.1f} cm2 with z above "
            f"{self.threshold:g}, peak {one.peak:.1f}"
            for one in self.clusters
        ]


def summarize(z: Mapping[str, NDArray[np.floating]], threshold: float = THRESHOLD) -> Summary:
    """Clusters, regions and lobes of one z map.

    Parameters
    ----------
    z
        Side -> (V,) z, positive where it is abnormal.
    """
    found = [one for side in SIDES for one in clusters(z[side], surfaces()[side], threshold)]
    regions = [row for side in SIDES for row in region_z(z[side], surfaces()[side], threshold)]
    return Summary(
        threshold,
        tuple(sorted(found, key=lambda one: -one.area_cm2)),
        tuple(regions),
        tuple(lobes(regions)),
    )


def lobes(regions: Sequence[RegionZ]) -> list[LobeZ]:
    """Regions put together by lobe, weighted by area; lobes without a region are left out."""
    rows = []
    for side in SIDES:
        for lobe, members in LOBES.items():
            parts = [r for r in regions if r.side == side and r.region in members]
            if not parts:
                continue
            areas = [r.area_cm2 for r in parts]
            rows.append(
                LobeZ(
                    lobe,
                    side,
                    sum(areas),
                    float(np.average([r.mean for r in parts], weights=areas)),
                    max(r.peak for r in parts),
                    float(np.average([r.percent_above for r in parts], weights=areas)),
                )
            )
    return rows
