"""Regional SUVR with interval and side difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..assets import region_names
from ..checks import Finding, Verdict
from ..tracers import tracer
from ..volume import PetVolume, Volume
from .regions import HEADLINE, SIDE_WORDS, labels_of, template_regions, title_of

Z_90 = 1.6449
"""Standard deviations either side of the mean that hold 90 % of a normal distribution."""
ALIKE_PERCENT = 5.0
"""Below this the sides count as alike: the atlas draws its two halves a little differently, and a
mirror-symmetric PET reads up to 5 % apart (entorhinal cortex 8 %)."""
SMALLEST_SHARE = 0.5


@dataclass(frozen=True)
class RegionValue:
    """One region of one PET.

    Attributes
    ----------
    region
        Desikan-Killiany name or key of `COMPOSITES`.
    side
        ``"L"``, ``"R"``, ``"B"`` (unpaired) or ``"both"``.
    ml
        Measured volume in mL.
    mean, sd_voxels, median, p90
        Mean, standard deviation, median and 90th percentile over the voxels, SUVR. NaN when the
        scan does not show the region.
    interval
        90 % interval of the mean in SUVR, or None when the model has no calibration for it.
    asymmetry
        Side difference in words; empty on one side and for unpaired regions.
    """

    region: str
    side: str
    ml: float
    mean: float
    sd_voxels: float
    median: float
    p90: float
    interval: tuple[float, float] | None = None
    asymmetry: str = ""


@dataclass(frozen=True)
class RegionTable:
    """Every regional number of one PET.

    Attributes
    ----------
    tracer, reference_region
        Meaning of the SUVR.
    slice_mm
        Largest voxel edge of the scan in mm.
    headline
        The tracer's target and the large regions, each both | L | R.
    regions
        Every atlas region, each both | L | R, or B.
    findings
        Regions of which the scan or the brain mask shows too little.
    """

    tracer: str
    reference_region: str
    slice_mm: float
    headline: tuple[RegionValue, ...]
    regions: tuple[RegionValue, ...]
    findings: list[Finding]

    def value(self, region: str, side: str = "both") -> RegionValue:
        """The row of ``region`` on ``side`` (`KeyError` when there is none)."""
        for row in (*self.headline, *self.regions):
            if (row.region, row.side) == (region, side):
                return row
        raise KeyError(f"the table has no region {region!r} on side {side!r}")


def asymmetry_words(left: float, right: float) -> str:
    """Side difference in words: ``"left lower by 6 %"``.

    The difference is a share of the two sides' mean: 100 |L - R| / ((L + R) / 2).
    """
    middle = (left + right) / 2.0
    if not np.isfinite(middle) or middle <= 0.0:
        return ""
    percent = 100.0 * abs(left - right) / middle
    if percent < ALIKE_PERCENT:
        return f"sides alike (within {ALIKE_PERCENT:g} %)"
    return f"{'left' if left < right else 'right'} lower by {percent:.0f} %"


@dataclass(frozen=True, eq=False)
class _Voxels:
    """Values inside the labels, sorted by label so that a region is a few slices."""

    start: NDArray[np.intp]
    pet: NDArray[np.float64]
    sd: NDArray[np.float64] | None
    voxel_ml: float

    @classmethod
    def gather(cls, pet: PetVolume, sd: PetVolume | None, labels: Volume) -> _Voxels:
        """Collect the labelled voxels of volumes that share one grid."""
        chosen = np.flatnonzero(labels.data)
        label = labels.data.ravel()[chosen].astype(np.intp)
        order = np.argsort(label, kind="stable")
        chosen = chosen[order]
        return cls(
            start=np.searchsorted(label[order], np.arange(max(region_names()) + 2)),
            pet=pet.data.ravel()[chosen].astype(np.float64),
            sd=None if sd is None else sd.data.ravel()[chosen].astype(np.float64),
            voxel_ml=pet.grid.voxel_ml,
        )

    def row(self, region: str, side: str, factor: float | None) -> RegionValue:
        """Statistics of one region on one side."""
        parts = [slice(self.start[n], self.start[n + 1]) for n in labels_of(region, side)]
        values = np.concatenate([self.pet[part] for part in parts])
        if values.size == 0:
            nothing = float("nan")
            return RegionValue(region, side, 0.0, nothing, nothing, nothing, nothing)
        mean = float(values.mean())
        interval = None
        if factor is not None and self.sd is not None:
            half = Z_90 * factor * float(np.concatenate([self.sd[p] for p in parts]).mean())
            interval = (max(mean - half, 0.0), mean + half)
        return RegionValue(
            region=region,
            side=side,
            ml=values.size * self.voxel_ml,
            mean=mean,
            sd_voxels=float(values.std()),
            median=float(np.median(values)),
            p90=float(np.percentile(values, 90)),
            interval=interval,
        )

    def rows(self, region: str, factor: float | None) -> list[RegionValue]:
        """Both sides, left and right of a region; one row when it is unpaired."""
        if {region_names()[label][1] for label in labels_of(region, "both")} == {"B"}:
            return [self.row(region, "B", factor)]
        both, left, right = (self.row(region, side, factor) for side in ("both", "L", "R"))
        words = asymmetry_words(left.mean, right.mean)
        return [replace(both, asymmetry=words), left, right]


def quantify(
    pet: PetVolume,
    sd: PetVolume | None,
    labels: Volume,
    regional_sd_factor: Mapping[str, float],
) -> RegionTable:
    """Measure a PET in the regions of ``labels``.

    Parameters
    ----------
    pet
        SUVR, native space.
    sd
        Its voxel-wise standard deviation, or None.
    labels
        Label map (`assets.region_names`) on the same grid.
    regional_sd_factor
        Region or composite -> factor that turns the mean of ``sd`` over the region into the
        standard deviation of the region's mean; used for either side and both. A region without
        a factor gets no interval.

    Raises
    ------
    ValueError
        When the volumes do not share one grid.
    """
    if not all(other is None or pet.grid.same_as(other.grid) for other in (sd, labels)):
        msg = "PET, standard deviation and labels must share one grid"
        raise ValueError(msg)
    voxels = _Voxels.gather(pet, sd, labels)

    def table(regions: tuple[str, ...]) -> tuple[RegionValue, ...]:
        return tuple(
            row for name in regions for row in voxels.rows(name, regional_sd_factor.get(name))
        )

    names = tuple(dict.fromkeys(name for name, _ in region_names().values()))
    return RegionTable(
        tracer=pet.tracer,
        reference_region=pet.reference_region,
        slice_mm=max(pet.grid.spacing),
        headline=table((tracer(pet.tracer).target_region, *HEADLINE)),
        regions=table(names),
        findings=_missing_regions(voxels),
    )


def _missing_regions(voxels: _Voxels) -> list[Finding]:
    """Regions that are far smaller than the template's at this head's size.

    The median over regions of (measured volume / template volume) is the head's size; a region
    below `SMALLEST_SHARE` of it is cut off by the field of view or by the brain mask.
    """
    template = template_regions()
    numbers = np.array(sorted(region_names()))
    expected = np.bincount(template.data.ravel().astype(np.intp))[numbers]
    share = np.diff(voxels.start)[numbers] / expected * voxels.voxel_ml / template.grid.voxel_ml
    size = float(np.median(share))
    short = numbers[share < SMALLEST_SHARE * size] if size > 0 else numbers
    if short.size == 0:
        sentence = "Every atlas region lies inside the scan and the brain mask."
    else:
        named = [region_names()[int(number)] for number in short]
        some = ", ".join(f"{title_of(name).lower()} {SIDE_WORDS[side]}" for name, side in named[:6])
        more = f" and {len(named) - 6} more" if len(named) > 6 else ""
        sentence = f"Too little is seen of {some}{more}: do not use these values."
    return [
        Finding(
            "region_coverage",
            int(short.size),
            f"no region below {100 * SMALLEST_SHARE:g} % of its expected volume",
            Verdict.AMBER if short.size else Verdict.GREEN,
            sentence,
        )
    ]
