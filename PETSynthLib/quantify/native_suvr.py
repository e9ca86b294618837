"""From uptake in any unit to SUVR, in the scan's own space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..restore.reference import Reference, evenness_findings
from ..volume import PetVolume, Volume
from .native_regions import REFERENCE_ROWS, NativeRegions
from .suvr import RegionTable, RegionValue, asymmetry_words

LARGEST_ASYMMETRY = 10.0
"""Percent. A stroke on one side quiets the other half of the cerebellum (crossed diaschisis), which
is no reference then; the limit is an own decision, as are those of `restore.reference`."""
IN_PET = (0.90, 0.99)
"""Share of the region that must show uptake: refused below the first number, amber below the
second. Own decision."""
UNPAIRED = "pons"


@dataclass(frozen=True)
class NativeReference:
    """Uptake in the reference region, as a table's header tells it.

    Attributes
    ----------
    reference
        Mean in the PET's unit, evenness and volume.
    asymmetry_percent
        100 (L - R) / mean of both; None for the pons.
    in_view
        Share 0..1 of the region with uptake.
    source
        Where its voxels come from.
    """

    reference: Reference
    asymmetry_percent: float | None
    in_view: float
    source: str


def measure_native_reference(
    pet: Volume, regions: NativeRegions, name: str
) -> tuple[NativeReference, list[Finding]]:
    """Uptake of a PET in its reference region, and whether it can be trusted.

    Voxels without uptake are left out of the mean and counted against the field of view.

    Parameters
    ----------
    pet
        On the grid of ``regions``, 0 outside its own field of view.
    name
        Key of `assets.REFERENCE_BITS`.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the region shows no uptake, or none of it lies in the scan.
    """
    words = name.replace("_", " ")
    mask = regions.references[name].mask
    seen = mask & (pet.data > 0.0)
    values = pet.data[seen].astype(np.float64)
    if values.size == 0:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The reference region ({words}) shows no uptake, so there is no SUVR.",
            "Check that the PET shows the whole head down to brain stem and cerebellum; an "
            "acquired PET may be divided by another region with --reference.",
        )
    mean = float(values.mean())
    reference = Reference(
        name,
        mean,
        100.0 * float(values.std()) / mean,
        values.size * pet.grid.voxel_ml,
    )
    share = values.size / int(mask.sum())
    findings = [*evenness_findings(reference), _in_pet(share, words)]
    aside = None
    if name != UNPAIRED:
        aside = asymmetry_percent(pet, seen, regions.left)
        findings.append(_asymmetry(aside, words))
    return NativeReference(reference, aside, share, regions.reference_source[name]), findings


def asymmetry_percent(pet: Volume, mask: NDArray[np.bool_], left: NDArray[np.bool_]) -> float:
    """100 (L - R) / ((L + R) / 2) of the mean uptake; NaN when one side is not seen."""
    sides = [pet.data[mask & side].astype(np.float64) for side in (left, ~left)]
    if not all(side.size for side in sides):
        return float("nan")
    one, other = (float(side.mean()) for side in sides)
    return 200.0 * (one - other) / (one + other)


def _in_pet(share: float, words: str) -> Finding:
    red, amber = IN_PET
    return Finding(
        "reference_in_pet",
        round(100.0 * share, 1),
        f"at least {100 * amber:g} %, refused below {100 * red:g} %",
        grade(-share, -amber, -red),
        f"{100 * share:.0f} % of the reference region ({words}) shows uptake.",
    )


def _asymmetry(percent: float, words: str) -> Finding:
    if np.isnan(percent):
        sentence = f"Only one side of the reference region ({words}) is seen."
        limit = f"at most {LARGEST_ASYMMETRY:g} %"
        return Finding("reference_asymmetry", "one side", limit, Verdict.AMBER, sentence)
    even = abs(percent) <= LARGEST_ASYMMETRY
    side = "left" if percent < 0.0 else "right"
    return Finding(
        "reference_asymmetry",
        round(percent, 1),
        f"at most {LARGEST_ASYMMETRY:g} %",
        Verdict.GREEN if even else Verdict.AMBER,
        f"The two sides of the reference region ({words}) differ by {abs(percent):.0f} %."
        if even
        else f"The {side} side of the reference region ({words}) is lower by {abs(percent):.0f} %: "
        "it may be no reference for this person.",
    )


def reference_rows(pet: PetVolume, regions: NativeRegions) -> tuple[RegionValue, ...]:
    """A table's rows of the reference regions and of white matter, both | L | R (pons: B).

    Parameters
    ----------
    pet
        SUVR on the grid of ``regions``.
    """
    rows: list[RegionValue] = []
    for name in REFERENCE_ROWS:
        mask = regions.references[name].mask
        if name == UNPAIRED:
            rows.append(_row(pet, mask, name, "B"))
            continue
        left = _row(pet, mask & regions.left, name, "L")
        right = _row(pet, mask & ~regions.left, name, "R")
        both = _row(pet, mask, name, "both", asymmetry_words(left.mean, right.mean))
        rows += [both, left, right]
    return tuple(rows)


def _row(
    pet: PetVolume, mask: NDArray[np.bool_], name: str, side: str, asymmetry: str = ""
) -> RegionValue:
    values = pet.data[mask].astype(np.float64)
    if values.size == 0:
        nothing = float("nan")
        return RegionValue(name, side, 0.0, nothing, nothing, nothing, nothing)
    return RegionValue(
        region=name,
        side=side,
        ml=values.size * pet.grid.voxel_ml,
        mean=float(values.mean()),
        sd_voxels=float(values.std()),
        median=float(np.median(values)),
        p90=float(np.percentile(values, 90)),
        asymmetry=asymmetry,
    )


def template_difference(table: RegionTable, template: dict[str, float]) -> Finding:
    """How far native means are from those measured on the template.

    Parameters
    ----------
    table
        Native regions.
    template
        Region key (``precuneus.L``) -> SUVR of the same PET bent onto the template.
    """
    off = [
        100.0 * abs(template[key] - row.mean) / row.mean
        for row in table.regions
        if row.side in ("L", "R", "B")
        for key in [row.region if row.side == "B" else f"{row.region}.{row.side}"]
        if key in template and row.mean > 0.0 and np.isfinite(template[key])
    ]
    median = float(np.median(off)) if off else float("inf")
    return Finding(
        "native_template",
        round(median, 2),
        "at most 5 %",
        grade(median, 5.0, float("inf")),
        f"Measured on the template instead, the regions differ by {median:.1f} % (median).",
    )
