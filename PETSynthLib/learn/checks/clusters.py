"""What a model paints that is not there, and what it leaves out: cluster volumes, planted lesions.

z is taken against the healthy people of the training split, in the direction of disease. A
*hallucinated* cluster is abnormal in the synthetic PET (z above 3) where the true one is normal (z
below 1); a *missed* cluster the other way round. The two are never added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...assets import region_names
from ..evaluate.zmap import LOWEST_SUVR, abnormal_sign
from ..tidy import Row, Section, Table, number

if TYPE_CHECKING:
    from ..evaluate.results import Image, ImageCase, Results

TITLE = "Hallucinated and missed clusters"
ABNORMAL_Z, NORMAL_Z = 3.0, 1.0
SMALLEST_ML = 0.5
"""A smaller cluster is noise of single voxels."""
SMALLEST_LESION_SUVR = 0.05
"""A planted loss that the person's own asymmetry hides cannot be shown or missed."""
TOUCHING = np.ones((3, 3, 3), bool)
"""Voxels that share a corner belong to one cluster."""
LESION_TRACER = "fdg"
"""Planted focal losses lower FDG alone."""
SEEN, HIDDEN = "with an MRI correlate", "without an MRI correlate"
CLUSTERS = ("abnormal_true_ml", "abnormal_synthetic_ml", "hallucinated_ml", "missed_ml")
WHOLE = (
    *("Model", "Tracer", "Information", "People"),
    *("Abnormal, true mL", "Abnormal, synthetic mL", "Hallucinated mL", "Missed mL"),
)
PLANTED = (
    *("Model", "Information", "Planted loss", "Lesions", "Shown, median", "Range"),
    *("Abnormal there, true mL", "Missed there mL"),
)
METHOD = (
    f"Volume per person of clusters of at least {SMALLEST_ML} mL. Hallucinated: z above "
    f"{ABNORMAL_Z:g} in the synthetic PET, below {NORMAL_Z:g} in the true one; missed: the other "
    "way round. z is taken against the PETs of the healthy training people: a synthetic mean is "
    "smoother than they are."
)
LESIONS = (
    "Planted focal losses of FDG uptake. Shown: side difference of the lesion's region in the "
    "synthetic PET as a share of the true one (1: all of it, 0: nothing). Mean volumes: where the "
    f"true z in that region is above {ABNORMAL_Z:g}, and how much of it is below {NORMAL_Z:g} in "
    "the synthetic PET. A loss that the MRI shows should appear; one that it does not show belongs "
    "into the interval, not into the mean, so about 0 is right."
)


def cluster_ml(where: NDArray[np.bool_], voxel_ml: float) -> float:
    """Volume in mL of the connected clusters of at least `SMALLEST_ML` (I, J, K)."""
    clusters, count = ndimage.label(where, TOUCHING)
    sizes = np.bincount(clusters.ravel(), minlength=count + 1)[1:] * voxel_ml
    return float(sizes[sizes >= SMALLEST_ML].sum())


def z_map(image: Image, case: ImageCase) -> Image:
    """z (I, J, K) in the direction of disease; 0 outside the brain and where the norm is empty."""
    inside = case.brain & (case.norm_mean > LOWEST_SUVR) & (case.norm_sd > 0)
    z = np.zeros(image.shape, np.float32)
    difference = image[inside] - case.norm_mean[inside]
    z[inside] = abnormal_sign(case.tracer) * difference / case.norm_sd[inside]
    return z


def cluster_rows(case: ImageCase) -> list[Row]:
    """Cluster volumes of one image, and how much of each planted lesion it shows.

    Parameters
    ----------
    case
        A synthetic PET beside the true one and the norm.

    Returns
    -------
    Rows of region ``brain`` (`CLUSTERS`, mL) and, for planted lesions in FDG, of the lesion's
    region: ``lesion_shown.seen`` or ``lesion_shown.hidden`` (share of the true side difference),
    ``lesion_true_suvr`` (that difference), ``lesion_abnormal_ml`` and ``lesion_missed_ml``.
    """
    true, made = z_map(case.truth, case), z_map(case.synthetic, case)
    wholly = {
        "abnormal_true_ml": true > ABNORMAL_Z,
        "abnormal_synthetic_ml": made > ABNORMAL_Z,
        "hallucinated_ml": (made > ABNORMAL_Z) & (true < NORMAL_Z),
        "missed_ml": (true > ABNORMAL_Z) & (made < NORMAL_Z),
    }
    rows = [
        _row(case, "brain", name, cluster_ml(where, case.voxel_ml))
        for name, where in wholly.items()
    ]
    if case.tracer == LESION_TRACER:
        for lesion in case.lesions or []:
            rows += _lesion_rows(case, int(lesion["label"]), bool(lesion["visible"]), true, made)
    return rows


def _lesion_rows(case: ImageCase, label: int, visible: bool, true: Image, made: Image) -> list[Row]:
    region, mirror = region_of(label), mirrored(label)
    place = case.labels == label
    if not place.any() or mirror is None or not (case.labels == mirror).any():
        return []
    depth = side_difference(case.truth, case.labels, label, mirror)
    if depth < SMALLEST_LESION_SUVR:
        return []
    shown = side_difference(case.synthetic, case.labels, label, mirror)
    abnormal = place & (true > ABNORMAL_Z)
    kind = "seen" if visible else "hidden"
    values = {
        f"lesion_shown.{kind}": shown / depth,
        "lesion_true_suvr": depth,
        "lesion_abnormal_ml": float(abnormal.sum()) * case.voxel_ml,
        "lesion_missed_ml": float((abnormal & (made < NORMAL_Z)).sum()) * case.voxel_ml,
    }
    return [_row(case, region, name, value) for name, value in values.items()]


def region_of(label: int) -> str:
    """Key of a single region (`region_keys`) by its label."""
    name, side = region_names()[label]
    return name if side == "B" else f"{name}.{side}"


def mirrored(label: int) -> int | None:
    """Label of the same region on the other side; None for an unpaired one."""
    name, side = region_names()[label]
    other = {"L": "R", "R": "L"}.get(side)
    return next((k for k, v in region_names().items() if v == (name, other)), None)


def side_difference(image: Image, labels: NDArray[np.uint8], label: int, mirror: int) -> float:
    """By how much the region ``label`` lies below its mirror image, SUVR."""
    return float(image[labels == mirror].mean() - image[labels == label].mean())


def _row(case: ImageCase, region: str, metric: str, value: float) -> Row:
    who = case.subject
    return Row(case.model, case.seed, case.tracer, case.information, who.subject, who.anatomy,
               who.site, region, metric, value)  # fmt: skip


def section(rows: Sequence[Row], results: Results) -> Section:
    """Mean cluster volumes by model and tracer, and what became of the planted lesions.

    Parameters
    ----------
    rows
        Everything `cluster_rows` gave.
    results
        The evaluation they belong to; only its models' order is used.
    """
    if not rows:
        return Section(TITLE, ("No image was looked at.",))
    whole, lesions = [], []
    for model in results.labels:
        mine = [row for row in rows if row.model == model]
        for tracer, information in dict.fromkeys((r.tracer, r.information) for r in mine):
            part = [r for r in mine if (r.tracer, r.information) == (tracer, information)]
            people = len({r.subject for r in part})
            means = (number(_mean(part, name), 2) for name in CLUSTERS)
            whole.append((model, tracer, information, str(people), *means))
            for kind, words in (("seen", SEEN), ("hidden", HIDDEN)):
                there = [r for r in part if r.metric == f"lesion_shown.{kind}"]
                if there:
                    shown = [r.value for r in there]
                    places = {(r.subject, r.region, r.seed) for r in there}
                    within = [r for r in part if (r.subject, r.region, r.seed) in places]
                    volumes = (
                        number(_mean(within, name), 2)
                        for name in ("lesion_abnormal_ml", "lesion_missed_ml")
                    )
                    low, middle, high = np.quantile(shown, [0, 0.5, 1])
                    ends = f"{number(low, 2)} to {number(high, 2)}"
                    lesions.append(
                        (
                            model,
                            information,
                            words,
                            str(len(shown)),
                            number(middle, 2),
                            ends,
                            *volumes,
                        )
                    )
    tables = [Table("Mean cluster volume per person", WHOLE, tuple(whole))]
    if not lesions:
        words = "No planted focal loss is among these people, or none is known."
        return Section(TITLE, (METHOD, words), (), tuple(tables))
    tables.append(Table("Planted focal losses of FDG uptake", PLANTED, tuple(lesions)))
    return Section(TITLE, (METHOD, LESIONS), (), tuple(tables))


def _mean(rows: Iterable[Row], metric: str) -> float:
    values = [row.value for row in rows if row.metric == metric]
    return float(np.mean(values)) if values else float("nan")
