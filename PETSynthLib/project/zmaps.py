"""How far the surface samples lie from normal, in standard deviations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sampling import SurfaceSamples

SD_FLOOR = 0.05
"""Smallest normal standard deviation, as a share of the normal mean: a few quiet normals must not
make small differences look large."""
Z_LIMIT = 10.0


def z_decrease(
    values: NDArray[np.floating],
    reference: float,
    mean: NDArray[np.floating],
    sd: NDArray[np.floating],
) -> NDArray[np.float64]:
    """z of a decrease: (normal mean - value / reference) / normal SD.

    Positive where uptake is lower than normal, as in NEUROSTAT; an increase is its negative.

    Parameters
    ----------
    values
        (V,) uptake.
    reference
        Uptake of the reference region, same unit.
    mean, sd
        (V,) normal mean and standard deviation, divided by the same reference region; of the
        patient's age and sex where the database knows them.

    Returns
    -------
    (V,) clipped to +-`Z_LIMIT`. NaN where the normal mean is not positive: nothing is normal there.

    Raises
    ------
    ValueError
        When the reference is not positive or the arrays differ in shape.
    """
    values, mean, sd = (np.asarray(a, dtype=np.float64) for a in (values, mean, sd))
    if not np.isfinite(reference) or reference <= 0.0:
        msg = f"a reference value is positive, got {reference}"
        raise ValueError(msg)
    if not values.shape == mean.shape == sd.shape:
        msg = f"values, mean and sd differ in shape: {values.shape}, {mean.shape}, {sd.shape}"
        raise ValueError(msg)
    known = mean > 0.0
    floored = np.where(known, np.maximum(sd, SD_FLOOR * mean), 1.0)
    z = np.clip((mean - values / reference) / floored, -Z_LIMIT, Z_LIMIT)
    return np.where(known, z, np.nan)


@dataclass(frozen=True, eq=False)
class Normal:
    """What is normal for this patient with one reference region.

    Attributes
    ----------
    mean, sd
        Side -> (V,) uptake divided by the reference region's.
    """

    mean: Mapping[str, NDArray[np.floating]]
    sd: Mapping[str, NDArray[np.floating]]


def z_maps(
    samples: Mapping[str, SurfaceSamples],
    references: Mapping[str, float],
    normals: Mapping[str, Normal],
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """`z_decrease` by reference and side.

    Parameters
    ----------
    samples
        Side -> the patient's samples.
    references
        Reference -> its uptake (`references.reference_values`).
    normals
        Reference -> what is normal; references without an entry get no map.
    """
    return {
        key: {
            side: z_decrease(one.values, references[key], normal.mean[side], normal.sd[side])
            for side, one in samples.items()
        }
        for key, normal in normals.items()
    }


def unreliable(
    z: NDArray[np.floating],
    spread: NDArray[np.floating],
    reference: float,
    normal_sd: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Where a z is no larger than its own uncertainty, |z| <= spread / reference / normal SD.

    Parameters
    ----------
    z
        (V,) from `z_decrease`.
    spread
        (V,) standard deviation of the uptake itself, read at the depth of its peak.
    reference
        Uptake of the reference region, same unit as ``spread``.
    normal_sd
        (V,) as given to `z_decrease`, without its floor: that only hatches more.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.asarray(spread, dtype=np.float64) / reference / np.asarray(normal_sd)
    return np.asarray(~(np.abs(z) > own))
