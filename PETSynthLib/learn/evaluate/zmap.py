"""Agreement of z-maps: is the synthetic PET abnormal where the true one is?

The norm is the training split's healthy people. Region flags use one threshold on the maximum over
regions, set so that 5 % of the norm's own people get any flag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...quantify import COMPOSITES
from ..regions import region_keys
from .results import Floats, Image
from .voxel_controls import Norm

LOWEST_SUVR = 0.3
"""Voxels of the norm below this hold no uptake to be abnormal about."""
THRESHOLDS = (2.0, 3.0)
FLAGGED_SHARE = 0.05
FEWEST_PEOPLE = 20
"""With fewer than 19 the rank of a 95 % bound lies beyond the last of them."""
LOWEST_SD = 0.01


def abnormal_sign(tracer: str) -> float:
    """-1 where disease lowers the tracer (FDG), +1 where it raises it."""
    return -1.0 if tracer == "fdg" else 1.0


def single_regions() -> NDArray[np.intp]:
    """Positions of the atlas regions in `region_keys`, composites left out."""
    return np.array([n for n, key in enumerate(region_keys()) if key not in COMPOSITES])


def zmap_metrics(
    truth: Image, synthetic: Image, norm: Norm, brain: NDArray[np.bool_], sign: float
) -> dict[str, float]:
    """Agreement of the two z-maps inside the brain.

    Returns
    -------
    ``z_r`` (Pearson) and, for z above 2 and 3 in the abnormal direction, ``z2_dice``,
    ``z2_sensitivity``, ``z2_ppv`` (NaN where neither, or the denominator, has a voxel).
    """
    inside = brain & (norm.mean > LOWEST_SUVR)
    true, made = (
        sign * (image[inside] - norm.mean[inside]) / norm.sd[inside] for image in (truth, synthetic)
    )
    flat = not inside.any() or np.ptp(true) == 0 or np.ptp(made) == 0
    found = {"z_r": math.nan if flat else float(np.corrcoef(true, made)[0, 1])}
    for threshold in THRESHOLDS:
        a, b = true > threshold, made > threshold
        both, name = int((a & b).sum()), f"z{threshold:g}"
        found[f"{name}_dice"] = _share(2 * both, int(a.sum()) + int(b.sum()))
        found[f"{name}_sensitivity"] = _share(both, int(a.sum()))
        found[f"{name}_ppv"] = _share(both, int(b.sum()))
    return found


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


@dataclass(frozen=True, eq=False)
class RegionalNorm:
    """Regional values of healthy people.

    Attributes
    ----------
    mean, sd
        (R,), SUVR.
    threshold
        Abnormal z that the highest region of a further healthy person exceeds with a probability
        of at most 5 %: the ceil(0.95 (n + 1))-th smallest of theirs, each person judged by the
        others. NaN for fewer than `FEWEST_PEOPLE`.
    people
        Their number.
    sign
        `abnormal_sign` of the tracer.
    """

    mean: Floats
    sd: Floats
    threshold: float
    people: int
    sign: float

    def z(self, values: Floats) -> Floats:
        """Abnormal z of regional values (N, R)."""
        return np.asarray(self.sign * (values - self.mean) / self.sd)


def regional_norm(values: Floats, tracer: str) -> RegionalNorm:
    """Norm of a tracer from the regional values (n, R) of healthy people."""
    n, sign = len(values), abnormal_sign(tracer)
    nothing = np.full(values.shape[1], np.nan)
    mean = values.mean(0) if n else nothing
    sd = np.maximum(values.std(0, ddof=1), LOWEST_SD) if n > 1 else nothing
    threshold = math.nan
    if n >= FEWEST_PEOPLE:
        highest = []
        for person in range(n):
            others = np.delete(values, person, axis=0)
            spread = np.maximum(others.std(0, ddof=1), LOWEST_SD)
            z = sign * (values[person] - others.mean(0)) / spread
            highest.append(np.nanmax(z[single_regions()]))
        # The rank that a further person exceeds with at most that probability; rounded, because
        # 20 x 0.95 must not become 19.000000000000004.
        rank = math.ceil(round((n + 1) * (1 - FLAGGED_SHARE), 9))
        threshold = float(np.sort(highest)[min(rank, n) - 1])
    return RegionalNorm(mean, sd, threshold, n, sign)


def region_flags(true: Floats, synthetic: Floats, norm: RegionalNorm) -> dict[str, float]:
    """Agreement of region flags over subjects (N, R), composites left out.

    Returns
    -------
    ``flag_sensitivity`` and ``flag_ppv`` over all subjects and regions,
    ``any_flag_true_share``, ``any_flag_share``: share of subjects with any flag;
    ``peak_region_match``: share of flagged subjects whose most abnormal region is the same.
    """
    columns = single_regions()
    known = np.isfinite(true).any(1) & np.isfinite(synthetic).any(1)
    if not known.any() or math.isnan(norm.threshold):
        return {}
    z_true = np.nan_to_num(norm.z(true)[known][:, columns], nan=-np.inf)
    z_made = np.nan_to_num(norm.z(synthetic)[known][:, columns], nan=-np.inf)
    a, b = z_true > norm.threshold, z_made > norm.threshold
    both, flagged = int((a & b).sum()), a.any(1)
    same = (z_true.argmax(1) == z_made.argmax(1))[flagged]
    return {
        "flag_sensitivity": _share(both, int(a.sum())),
        "flag_ppv": _share(both, int(b.sum())),
        "any_flag_true_share": float(flagged.mean()),
        "any_flag_share": float(b.any(1).mean()),
        "peak_region_match": _share(int(same.sum()), int(flagged.sum())),
    }
