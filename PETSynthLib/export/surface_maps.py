"""What a PET shows at every vertex of the brain surface: the numbers behind the pages.

Pages, files and 3D Slicer take them from here, so that all show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import Finding
from ..errors import ErrorCode, PETSynthError
from ..project.references import cerebellum_finding, reference_values
from ..project.sampling import SurfaceSamples, sample_both
from ..project.surface import SIDES
from ..project.zmaps import Normal, unreliable, z_maps
from ..tracers import Tracer, tracer
from ..volume import PetVolume, Volume
from . import marks
from .figure_parts import low_and_high
from .policy import Release

BySide = dict[str, NDArray[np.float64]]
"""``"L"`` and ``"R"`` -> (V,) values."""
UPTAKE, LOW, HIGH = "uptake", "low10", "high90"


@dataclass(frozen=True, eq=False)
class Projection:
    """A PET read off the surface.

    Attributes
    ----------
    pet, sd
        SUVR and its standard deviation, template space; an acquired PET has None.
    search
        The image on which the peaks were found.
    samples
        Side -> peaks of the PET.
    spread
        Side -> (V,) standard deviation at the depth of the peak, or None for an acquired PET.
    references
        GLB, THL, CBL, PNS -> uptake.
    findings
        Whether the references can be trusted.
    """

    pet: PetVolume
    sd: PetVolume | None
    search: Volume
    samples: dict[str, SurfaceSamples]
    spread: dict[str, SurfaceSamples] | None
    references: dict[str, float]
    findings: list[Finding]

    @property
    def tracer(self) -> Tracer:
        """Of the PET."""
        return tracer(self.pet.tracer)


def project(
    pet: PetVolume, sd: PetVolume | None = None, find_on: Volume | None = None
) -> Projection:
    """Read a PET off the surface.

    Parameters
    ----------
    pet
        SUVR in the template space.
    sd
        Its standard deviation, template space.
    find_on
        Image on which peaks are found, template space; default the PET.
    """
    search = pet if find_on is None else find_on
    samples = sample_both(pet, find_on=find_on)
    return Projection(
        pet=pet,
        sd=sd,
        search=search,
        samples=samples,
        spread=None if sd is None else sample_both(sd, find_on=search),
        references=reference_values(pet, samples),
        findings=[cerebellum_finding(pet)],
    )


def uptake_maps(projection: Projection, release: Release) -> dict[str, BySide]:
    """SUVR as it may be shown: `UPTAKE`, or `LOW`, `UPTAKE` and `HIGH` together.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when only low, middle and high may be shown and the standard deviation is
        missing.
    """
    middle = {side: projection.samples[side].values for side in SIDES}
    if not release.triptych:
        return {UPTAKE: middle}
    if projection.sd is None:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"A {marks.title(projection.tracer)} is shown only as low, middle and "
            "high, and its standard deviation is missing.",
            "Keep its files together, or make it again.",
        )
    low, high = low_and_high(projection.pet, projection.sd)
    maps = {}
    for name, volume in ((LOW, low), (UPTAKE, None), (HIGH, high)):
        if volume is None:
            maps[name] = middle
            continue
        # All three are read at the depth of the middle picture's peak.
        seen = sample_both(volume, find_on=projection.search)
        maps[name] = {side: seen[side].values for side in SIDES}
    return maps


def z_by_reference(
    projection: Projection, release: Release, normals: Mapping[str, Normal] | None
) -> dict[str, BySide]:
    """Reference -> z of a decrease (`zmaps.z_decrease`); empty without normals.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when normals are given but the release withholds z-scores.
    """
    if normals is None:
        return {}
    # z of the middle alone would show it without low and high.
    if "z-score" in release.withheld or release.triptych:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "z-scores of this PET may not be shown: its evidence does not carry them.",
            "Leave the normative database out; the uptake page is made all the same.",
        )
    return z_maps(projection.samples, projection.references, normals)


def unreliable_z(
    projection: Projection,
    z: Mapping[str, BySide],
    normals: Mapping[str, Normal] | None,
) -> dict[str, dict[str, NDArray[np.bool_]]] | None:
    """Reference -> side -> where z is no larger than its own uncertainty.

    None without z, and for an acquired PET, of which no uncertainty is known.
    """
    spread = projection.spread
    if spread is None or normals is None:
        return None
    return {
        key: {
            side: unreliable(
                z[key][side], spread[side].values, projection.references[key], normal.sd[side]
            )
            for side in SIDES
        }
        for key, normal in normals.items()
    }


def surface_arrays(
    projection: Projection, release: Release, normals: Mapping[str, Normal] | None = None
) -> dict[str, NDArray[np.generic]]:
    """Everything that may be shown of a PET at the vertices, for a file.

    Returns
    -------
    ``<map>_<side>`` -> (V,), side ``L`` or ``R``: float32 ``uptake`` (and ``low10``, ``high90``
    where only the three together may be shown), ``depth`` in mm, ``sd`` where known, ``z_<REF>``
    of a decrease (NaN where nothing is normal) and bool ``reliable_<REF>`` where the uncertainty
    is known.

    Raises
    ------
    PETSynthError
        As `uptake_maps` and `z_by_reference`.
    """
    z = z_by_reference(projection, release, normals)
    maps = uptake_maps(projection, release)
    maps["depth"] = {side: projection.samples[side].depth for side in SIDES}
    if projection.spread is not None:
        maps["sd"] = {side: projection.spread[side].values for side in SIDES}
    maps |= {f"z_{key}": values for key, values in z.items()}
    arrays: dict[str, NDArray[np.generic]] = {
        f"{name}_{side}": values[side].astype(np.float32)
        for name, values in maps.items()
        for side in SIDES
    }
    for key, unsure in (unreliable_z(projection, z, normals) or {}).items():
        arrays |= {f"reliable_{key}_{side}": ~unsure[side] for side in SIDES}
    return arrays
