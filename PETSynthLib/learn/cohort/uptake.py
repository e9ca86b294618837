"""The uptake u(L) of every tissue class: what the hidden state does to each tracer.

Uptake is linear in the hidden state (but for the off-target, unexplained and focal factors, which
multiply) and fixed in the reference regions. Classes: grey matter by region label 0..85, then
cerebral white matter, cerebellar white matter, CSF and white-matter lesion.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ...assets import region_names
from ...generate.atlas.forward import population_uptake, uptake_table
from ...quantify import COMPOSITES
from ...tracers import simulated_tracers
from ..regions import LABELS
from .parameters import UPTAKE, Configuration
from .people import FACTORS, People, Vector

WHITE, WHITE_CEREBELLUM, CSF, LESION = range(LABELS, LABELS + 4)
CLASSES = LABELS + 4
Table = NDArray[np.float32]
FIXED = ("brainstem", "cerebellum")
"""Regions whose uptake no hidden state changes: the references lie in them."""

LOSS_AD = uptake_table(
    {
        "inferiorparietal": 0.40, "posteriorcingulate": 0.40, "isthmuscingulate": 0.38,
        "precuneus": 0.34, "inferiortemporal": 0.34, "middletemporal": 0.30,
        "supramarginal": 0.24, "bankssts": 0.28, "entorhinal": 0.20, "hippocampus": 0.20,
        "parahippocampal": 0.15, "fusiform": 0.14, "rostralmiddlefrontal": 0.10,
        "caudalmiddlefrontal": 0.12, "superiorparietal": 0.18, "thalamusproper": 0.0,
        "putamen": 0.0, "pallidum": 0.0, "precentral": 0.0, "postcentral": 0.0,
        "pericalcarine": 0.0, "cuneus": 0.0, "brainstem": 0.0, "cerebellum": 0.0,
    },
    0.02,
)  # fmt: skip
"""Pattern of FDG loss and atrophy (R: temporo-parietal, posterior cingulate); its size is
`parameters.Uptake.fdg_ad`."""
LOSS_FRONTAL = uptake_table(
    {
        "superiorfrontal": 0.25, "rostralmiddlefrontal": 0.28, "caudalmiddlefrontal": 0.2,
        "medialorbitofrontal": 0.3, "lateralorbitofrontal": 0.28, "frontalpole": 0.25,
        "rostralanteriorcingulate": 0.3, "caudalanteriorcingulate": 0.25, "insula": 0.2,
        "parsopercularis": 0.2, "parsorbitalis": 0.25, "parstriangularis": 0.22,
        "temporalpole": 0.3, "caudate": 0.15, "superiortemporal": 0.08,
    },
    0.0,
)  # fmt: skip
"""Share lost in frontotemporal disease of severity 1 (R)."""
LOSS_OCCIPITAL = uptake_table(
    {
        "pericalcarine": 0.28, "cuneus": 0.28, "lateraloccipital": 0.28, "lingual": 0.22,
        "inferiorparietal": 0.12, "superiorparietal": 0.12, "precuneus": 0.1,
    },
    0.0,
)  # fmt: skip
"""Share lost in Lewy body disease and the posterior variant at severity 1 (R)."""
LOSS_AGEING = uptake_table(
    {
        "superiorfrontal": 0.10, "rostralmiddlefrontal": 0.10, "medialorbitofrontal": 0.12,
        "caudalanteriorcingulate": 0.12, "rostralanteriorcingulate": 0.12, "insula": 0.06,
        "caudate": 0.08, "inferiorparietal": 0.04, "precuneus": 0.04, "inferiortemporal": 0.04,
        "posteriorcingulate": 0.06, "isthmuscingulate": 0.05,
    },
    0.0,
)  # fmt: skip
"""Share lost between 60 and 90 years (R)."""
AMYLOID = uptake_table(
    {
        "precuneus": 1.0, "posteriorcingulate": 1.0, "isthmuscingulate": 0.9,
        "medialorbitofrontal": 1.0, "rostralanteriorcingulate": 1.0,
        "caudalanteriorcingulate": 0.9, "rostralmiddlefrontal": 0.9, "superiorfrontal": 0.85,
        "lateralorbitofrontal": 0.9, "frontalpole": 0.9, "inferiorparietal": 0.85,
        "superiorparietal": 0.7, "supramarginal": 0.8, "middletemporal": 0.8,
        "superiortemporal": 0.7, "inferiortemporal": 0.75, "caudate": 0.5, "putamen": 0.6,
        "lateraloccipital": 0.4, "precentral": 0.35, "postcentral": 0.3, "hippocampus": 0.15,
        "brainstem": 0.0, "thalamusproper": 0.15, "entorhinal": 0.3, "cerebellum": 0.0,
    },
    0.3,
)  # fmt: skip
"""Amyloid pattern, 1 where it is densest (R)."""
BRAAK = (
    ("entorhinal", "hippocampus"),
    (
        "parahippocampal", "fusiform", "lingual", "amygdala", "middletemporal",
        "inferiortemporal", "insula", "caudalanteriorcingulate", "rostralanteriorcingulate",
        "posteriorcingulate", "isthmuscingulate", "temporalpole",
    ),
)  # fmt: skip
"""Regions of stages I-II and III-IV; all other cortex is V-VI."""
OFF_TARGET = ("putamen", "pallidum", "caudate", "thalamusproper")
DEEP = (
    "thalamusproper", "caudate", "putamen", "pallidum", "accumbensarea", "hippocampus",
    "amygdala",
)  # fmt: skip
TEMPORO_PARIETAL = (
    "inferiorparietal", "inferiortemporal", "posteriorcingulate", "isthmuscingulate",
    "precuneus", "middletemporal", "superiortemporal", "supramarginal",
)  # fmt: skip


def _grey(table: Table) -> Table:
    """A grey-matter table by label as one over all classes."""
    return np.concatenate([table, np.zeros(CLASSES - LABELS, np.float32)])


def _only(names: tuple[str, ...], value: float = 1.0) -> Table:
    return _grey(uptake_table(dict.fromkeys(names, value), 0.0))


def side_of_class() -> NDArray[np.int64]:
    """Array (`CLASSES`,): -1 left, 1 right, 0 neither."""
    sides = np.zeros(CLASSES, np.int64)
    for label, (_, side) in region_names().items():
        sides[label] = {"L": -1, "R": 1}.get(side, 0)
    return sides


def _braak_stages() -> list[Table]:
    stages = [_only(names) for names in BRAAK]
    taken = {name for names in BRAAK for name in names} | set(DEEP) | set(FIXED)
    rest = tuple({name for name, _ in region_names().values()} - taken)
    return [*stages, _only(rest, 0.8)]


@cache
def factor_table() -> Table:
    """Array (`FACTORS`, `CLASSES`): where each unexplained factor acts.

    First the whole grey matter, then frontal, parietal, temporal, occipital, cingulate-insular
    and deep regions, left and right; nothing in `FIXED`.
    """
    lobes = [
        COMPOSITES[f"{lobe}_lobe"] for lobe in ("frontal", "parietal", "temporal", "occipital")
    ]
    taken = {name for lobe in lobes for name in lobe} | set(DEEP) | set(FIXED)
    middle = tuple({name for name, _ in region_names().values()} - taken)
    rows = [sum(_only(names) for names in (*lobes, middle, DEEP))]
    for names in (*lobes, middle, DEEP):
        for side in (-1, 1):
            rows.append(_only(names) * (side_of_class() == side))
    table = np.stack(rows).astype(np.float32)
    assert table.shape == (FACTORS, CLASSES)
    return table


@cache
def base_uptake(tracer: str) -> Table:
    """Array (`CLASSES`,): uptake of a healthy 60-year-old before any blur, SUVR."""
    table = population_uptake(tracer)
    rest = [table.white, table.white_cerebellum, table.csf, table.white]
    if tracer == "fdg":
        rest[-1] *= 1 - UPTAKE.fdg_lesion
    return np.concatenate([table.grey, rest]).astype(np.float32)


def _terms(tracer: str, p: People) -> list[tuple[Vector, Table]]:
    """What the hidden state adds: pairs of a coefficient (n,) and a table (`CLASSES`,)."""
    base = base_uptake(tracer)
    if tracer == "fdg":
        ad, ageing = -UPTAKE.fdg_ad * base * _grey(LOSS_AD), (p.age - 60) / 30
        sides = side_of_class()
        vascular = -UPTAKE.fdg_vascular * base * _only(COMPOSITES["frontal_lobe"])
        return [
            (p.neurodegeneration * (1 + p.asymmetry), ad * (sides < 0)),
            (p.neurodegeneration * (1 - p.asymmetry), ad * (sides > 0)),
            (p.frontal, -base * _grey(LOSS_FRONTAL)),
            (p.occipital, -base * _grey(LOSS_OCCIPITAL)),
            (ageing, -base * _grey(LOSS_AGEING)),
            (p.vascular, vascular),
        ]
    if tracer in ("pib", "florbetapir"):
        gain = UPTAKE.amyloid_pib if tracer == "pib" else UPTAKE.amyloid_florbetapir
        return [(p.amyloid, gain * _grey(AMYLOID))]
    if tracer == "flortaucipir":
        stages = zip(UPTAKE.tau, UPTAKE.tau_steps, _braak_stages(), strict=True)
        terms = [
            (expit((p.tau - middle) / width) - expit(-middle / width), gain * table)
            for gain, (middle, width), table in stages
        ]
        off = UPTAKE.tau_off_target_sd * base * _only(OFF_TARGET)
        return [*terms, (p.off_target, off)]
    return [
        (p.inflammation, UPTAKE.inflammation * _only(TEMPORO_PARIETAL)),
        (p.mixed_binder, UPTAKE.mixed_binder * factor_table()[0]),
    ]


def uptake(
    tracer: str,
    people: People,
    focal: tuple[NDArray[np.int64], Vector] | None,
    configuration: Configuration,
) -> Table:
    """Uptake of every class, array (n, `CLASSES`), SUVR before any blur.

    Parameters
    ----------
    focal
        Labels (n,; 0: none) and depths (n,) of focal losses; they act on FDG alone.
    """
    total = np.repeat(base_uptake(tracer)[None], len(people), 0)
    for coefficient, table in _terms(tracer, people):
        total += coefficient.astype(np.float32)[:, None] * table
    order = list(simulated_tracers()).index(tracer)
    spread = np.full(FACTORS, UPTAKE.lobe_sd[order], np.float32)
    spread[0] = UPTAKE.global_sd[order]
    weights = people.factors[:, order] * (spread * np.float32(configuration.unexplained))
    total *= 1 + weights @ factor_table()
    if focal is not None and tracer == "fdg":
        labels, depths = focal
        there = np.flatnonzero(labels)
        total[there, labels[there]] *= (1 - depths[there]).astype(np.float32)
    return np.asarray(np.maximum(total, 0.02), dtype=np.float32)
