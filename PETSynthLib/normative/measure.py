"""One person's PET as the numbers a normative database is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..assets import atlas_volume
from ..project.references import REFERENCES, reference_values
from ..project.sampling import sample_both
from ..quantify.region_means import region_keys, regional_means
from ..quantify.regions import COMPOSITES, template_regions
from ..quantify.suvr import RegionTable
from ..volume import CANONICAL, PetVolume

OWN = "SUVR"
"""Key of what is divided by the tracer's own reference region; the others are `REFERENCES`."""
SETS = (OWN, *REFERENCES)

SPARED = ("brainstem", "cerebellum")
"""Regions that hold the references; never flagged."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What is read off one PET, everything in SUVR of the tracer's own reference region.

    Attributes
    ----------
    roi
        (R,) means in the order of `region_keys`.
    surface
        Side -> (V,) peaks below the surface.
    references
        GLB, THL, CBL, PNS -> uptake.
    volume
        (M,) voxels of `brain_index`.
    """

    roi: NDArray[np.float64]
    surface: Mapping[str, NDArray[np.float64]]
    references: Mapping[str, float]
    volume: NDArray[np.float32]

    def divisor(self, key: str) -> float:
        """What turns the numbers into those of a set: 1 for `OWN`, else the reference's uptake."""
        return 1.0 if key == OWN else self.references[key]


@cache
def brain_index() -> NDArray[np.intp]:
    """(M,) flat indices on `CANONICAL` of the voxels of the template's brain."""
    return np.flatnonzero(atlas_volume("template_brain").mask)


@cache
def judged() -> NDArray[np.intp]:
    """Positions in `region_keys` of the atlas regions that may be flagged (no composites)."""
    return np.array(
        [
            position
            for position, key in enumerate(region_keys())
            if key not in COMPOSITES and key.partition(".")[0] not in SPARED
        ]
    )


def measure(pet: PetVolume) -> Measured:
    """Read a PET off the template's regions, surface and voxels.

    Parameters
    ----------
    pet
        SUVR on `CANONICAL`.

    Raises
    ------
    ValueError
        When it lies on another grid.
    PETSynthError
        ``BAD_DATA`` when a reference region shows no uptake.
    """
    if not pet.grid.same_as(CANONICAL) or pet.space != CANONICAL.name:
        msg = f"the PET must lie on {CANONICAL.name}, {CANONICAL.shape}"
        raise ValueError(msg)
    samples = sample_both(pet)
    return Measured(
        roi=regional_means(template_regions().data.astype(np.int64), pet.data),
        surface={side: one.values for side, one in samples.items()},
        references=reference_values(pet, samples),
        volume=pet.data.ravel()[brain_index()],
    )


def values_of(table: RegionTable) -> dict[str, float]:
    """Region key -> mean of a table, in the keys of `region_keys`."""
    found = {}
    for row in (*table.headline, *table.regions):
        key = row.region if row.side in ("B", "both") else f"{row.region}.{row.side}"
        if key in region_keys():
            found[key] = row.mean
    return found
