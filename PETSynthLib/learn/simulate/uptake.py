"""The PET of a simulated brain as linear basis maps: PET = sum_b coefficient_b(L) basis_b(x).

The maps are made once an anatomy; hidden states can then be redrawn at every training step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...assets import region_names
from ...generate.atlas.forward import (
    FWHM_PER_SIGMA,
    UptakeTable,
    labels_named,
    population_uptake,
    uptake_table,
)
from .fields import blur
from .people import People

Table = NDArray[np.float32]
TRACERS = ("fdg", "pib", "florbetapir", "flortaucipir", "pbr28")
PSF_FWHM_MM = {"siemens": 5.0, "ge": 6.0, "philips": 7.0}
"""Resolution by manufacturer, inside the 3.5-8.5 mm seen across scanners."""

CORTEX = [k for k, (name, _) in region_names().items() if k <= 75 and name != "brainstem"]

LOSS_AD = uptake_table(
    {
        "inferiorparietal": 0.36, "posteriorcingulate": 0.36, "isthmuscingulate": 0.36,
        "precuneus": 0.30, "inferiortemporal": 0.32, "middletemporal": 0.28,
        "supramarginal": 0.20, "bankssts": 0.25, "entorhinal": 0.20, "hippocampus": 0.20,
        "parahippocampal": 0.15, "fusiform": 0.12, "rostralmiddlefrontal": 0.10,
        "caudalmiddlefrontal": 0.12, "superiorparietal": 0.15, "brainstem": 0.0,
        "thalamusproper": 0.0, "putamen": 0.0, "pallidum": 0.0, "precentral": 0.0,
        "postcentral": 0.0, "pericalcarine": 0.0, "cuneus": 0.0, "cerebellum": 0.0,
    },
    0.02,
)  # fmt: skip
"""Share of FDG uptake lost at neurodegeneration 1 (temporo-parietal, posterior cingulate)."""
LOSS_FRONTOTEMPORAL = uptake_table(
    {
        "superiorfrontal": 0.25, "rostralmiddlefrontal": 0.28, "caudalmiddlefrontal": 0.2,
        "medialorbitofrontal": 0.3, "lateralorbitofrontal": 0.28, "frontalpole": 0.25,
        "rostralanteriorcingulate": 0.3, "caudalanteriorcingulate": 0.25, "insula": 0.2,
        "parsopercularis": 0.2, "parsorbitalis": 0.25, "parstriangularis": 0.22,
        "temporalpole": 0.3, "caudate": 0.15, "superiortemporal": 0.08,
    },
    0.0,
)  # fmt: skip
LOSS_OCCIPITAL = uptake_table(
    {
        "pericalcarine": 0.28, "cuneus": 0.28, "lateraloccipital": 0.28, "lingual": 0.22,
        "inferiorparietal": 0.12, "superiorparietal": 0.12, "precuneus": 0.1,
    },
    0.0,
)  # fmt: skip
LOSS_AGEING = uptake_table(
    {
        "superiorfrontal": 0.10, "rostralmiddlefrontal": 0.10, "medialorbitofrontal": 0.12,
        "caudalanteriorcingulate": 0.12, "rostralanteriorcingulate": 0.12, "insula": 0.06,
        "caudate": 0.08,
    },
    0.0,
)  # fmt: skip
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
BRAAK_1_2 = ("entorhinal", "hippocampus")
BRAAK_3_4 = (
    "parahippocampal", "fusiform", "lingual", "amygdala", "middletemporal", "inferiortemporal",
    "insula", "caudalanteriorcingulate", "rostralanteriorcingulate", "posteriorcingulate",
    "isthmuscingulate", "temporalpole",
)  # fmt: skip
TSPO = (
    "inferiorparietal", "inferiortemporal", "posteriorcingulate", "isthmuscingulate", "precuneus",
    "middletemporal", "superiortemporal", "supramarginal",
)  # fmt: skip


def _only(names: tuple[str, ...], value: float) -> Table:
    return uptake_table(dict.fromkeys(names, value), 0.0)


def _braak_5_6() -> Table:
    table = np.zeros(86, np.float32)
    cortical = [k for k in CORTEX if region_names()[k][0] not in _NOT_CORTEX]
    table[cortical] = 0.8
    table[labels_named(*BRAAK_1_2, *BRAAK_3_4)] = 0.0
    return table


_NOT_CORTEX = {
    "thalamusproper", "caudate", "putamen", "pallidum", "accumbensarea", "hippocampus", "amygdala",
}  # fmt: skip


def _side(table: Table, side: str) -> Table:
    wanted = [k for k, (_, s) in region_names().items() if s == side]
    out = np.zeros_like(table)
    out[wanted] = table[wanted]
    return out


def _step(value: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-(value - centre) / width)))


@dataclass(frozen=True, eq=False)
class Basis:
    """One map of the linear model.

    Attributes
    ----------
    tracer
        Which PET it belongs to.
    table
        Uptake (or its change) by tissue and territory.
    coefficient
        What multiplies it, given the people: array (n,).
    """

    tracer: str
    table: UptakeTable
    coefficient: Callable[[People], NDArray[np.float64]]


def _ageing(p: People) -> NDArray[np.float64]:
    return (p.age - 60.0) / 30.0


def _build() -> tuple[Basis, ...]:
    fdg = population_uptake("fdg")

    def loss(share: Table, white: float = 0.0) -> UptakeTable:
        return UptakeTable(-fdg.grey * share, -white, 0.0, 0.0)

    def gain(grey: Table, white: float = 0.0) -> UptakeTable:
        return UptakeTable(grey, white, 0.0, 0.0)

    return (
        Basis("fdg", fdg, lambda p: np.ones_like(p.age)),
        Basis("fdg", loss(_side(LOSS_AD, "L")), lambda p: p.neurodegeneration * (1 + p.asymmetry)),
        Basis("fdg", loss(_side(LOSS_AD, "R")), lambda p: p.neurodegeneration * (1 - p.asymmetry)),
        Basis("fdg", loss(LOSS_FRONTOTEMPORAL, 0.02), lambda p: p.frontotemporal),
        Basis("fdg", loss(LOSS_OCCIPITAL, 0.01), lambda p: p.occipital),
        Basis("fdg", loss(LOSS_AGEING, 0.02), _ageing),
        Basis("pib", population_uptake("pib"), lambda p: np.ones_like(p.age)),
        Basis("pib", gain(0.85 * AMYLOID, 0.05), lambda p: p.amyloid),
        Basis("florbetapir", population_uptake("florbetapir"), lambda p: np.ones_like(p.age)),
        Basis("florbetapir", gain(0.62 * AMYLOID, 0.05), lambda p: p.amyloid),
        Basis("flortaucipir", population_uptake("flortaucipir"), lambda p: np.ones_like(p.age)),
        Basis("flortaucipir", gain(_only(BRAAK_1_2, 0.7)), lambda p: _step(p.tau, 0.22, 0.05)),
        Basis("flortaucipir", gain(_only(BRAAK_3_4, 0.9)), lambda p: _step(p.tau, 0.42, 0.06)),
        Basis("flortaucipir", gain(_braak_5_6()), lambda p: _step(p.tau, 0.62, 0.07)),
        Basis("pbr28", population_uptake("pbr28"), lambda p: np.ones_like(p.age)),
        Basis("pbr28", gain(_only(TSPO, 0.14), 0.02), lambda p: p.inflammation),
    )


BASES = _build()
BASES_OF = {t: [k for k, b in enumerate(BASES) if b.tracer == t] for t in TRACERS}

SCALE_SD = {"fdg": 0.04, "pib": 0.05, "florbetapir": 0.05, "flortaucipir": 0.05, "pbr28": 0.08}
FIELD_SD = {"fdg": 0.05, "pib": 0.05, "florbetapir": 0.05, "flortaucipir": 0.05, "pbr28": 0.04}
TEXTURE_SD = {"fdg": 0.05, "pib": 0.05, "florbetapir": 0.05, "flortaucipir": 0.06, "pbr28": 0.06}
"""Log-normal biology that MRI does not show: whole brain, about 40 mm, about 8 mm."""


def coefficients(people: People) -> NDArray[np.float32]:
    """Array (n, B): what multiplies each of `BASES`."""
    return np.stack([b.coefficient(people) for b in BASES], -1).astype(np.float32)


def basis_maps(
    tissues: torch.Tensor,
    labels: torch.Tensor,
    deep: torch.Tensor,
    lesions: torch.Tensor,
    reference: dict[str, torch.Tensor],
    fwhm_mm: float,
    spacing_mm: float,
) -> torch.Tensor:
    """The B basis maps of one anatomy after the scanner's blur, SUVR.

    Parameters
    ----------
    tissues
        Grey, white, CSF fractions (3, I, J, K).
    labels, deep, lesions
        Territory labels, deep-grey mask and white-matter lesion fraction (I, J, K).
    reference
        Reference-region mask by tracer: each tracer's first map has mean 1 there.
    fwhm_mm, spacing_mm
        Scanner resolution and voxel size.

    Returns
    -------
    Tensor (B, I, J, K).
    """
    grey = tissues[0] + tissues[1] * deep
    white = tissues[1] * ~deep
    cerebellum = labels >= 84
    maps = []
    for basis in BASES:
        table = basis.table
        activity = grey * torch.as_tensor(table.grey)[labels] + tissues[2] * table.csf
        white_uptake = torch.where(cerebellum, table.white_cerebellum, table.white)
        if basis.tracer == "fdg":
            white_uptake = white_uptake * (1 - 0.4 * lesions)
        maps.append(activity + white * white_uptake)
    blurred = blur(torch.stack(maps), (fwhm_mm / FWHM_PER_SIGMA / spacing_mm,) * 3)
    for tracer, index in BASES_OF.items():
        blurred[index] /= blurred[index[0]][reference[tracer]].mean()
    return blurred
