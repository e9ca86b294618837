"""Which voxels belong to which region, and what the regions are called."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..assets import atlas_volume, composites, reference_mask, region_names
from ..volume import Volume, on_grid

COMPOSITES: dict[str, tuple[str, ...]] = {
    **composites(),
    "frontal_lobe": (
        "superiorfrontal",
        "rostralmiddlefrontal",
        "caudalmiddlefrontal",
        "parsopercularis",
        "parstriangularis",
        "parsorbitalis",
        "lateralorbitofrontal",
        "medialorbitofrontal",
        "precentral",
        "paracentral",
        "frontalpole",
    ),
    "parietal_lobe": (
        "superiorparietal",
        "inferiorparietal",
        "supramarginal",
        "postcentral",
        "precuneus",
    ),
    "temporal_lobe": (
        "superiortemporal",
        "middletemporal",
        "inferiortemporal",
        "bankssts",
        "fusiform",
        "transversetemporal",
        "entorhinal",
        "temporalpole",
        "parahippocampal",
    ),
    "occipital_lobe": ("lateraloccipital", "lingual", "cuneus", "pericalcarine"),
    "striatum": ("caudate", "putamen"),
}
"""Composite -> Desikan-Killiany names: the tracers' targets, the lobes as FreeSurfer groups them
(cingulate and insula apart), the striatum."""

HEADLINE = (
    "frontal_lobe",
    "parietal_lobe",
    "temporal_lobe",
    "occipital_lobe",
    "striatum",
    "thalamusproper",
    "cerebellum",
)
"""What every report shows first, after the tracer's own target."""

_COMPOSITE_TITLES = {
    "fdg_ad_metaroi": "AD-like meta-ROI",
    "amyloid_composite": "Amyloid cortical composite",
    "tau_temporal_metaroi": "Tau temporal meta-ROI",
    "tspo_temporoparietal": "Temporo-parietal composite",
    "braak_1_2": "Entorhinal (Braak I-II region)",
    "braak_3_4": "Limbic (Braak III-IV region)",
    "braak_5_6": "Neocortical (Braak V-VI region)",
    "frontal_lobe": "Frontal lobe",
    "parietal_lobe": "Parietal lobe",
    "temporal_lobe": "Temporal lobe",
    "occipital_lobe": "Occipital lobe",
    "striatum": "Striatum",
}

_REGION_TITLES = {
    "accumbensarea": "Accumbens area",
    "bankssts": "Banks of superior temporal sulcus",
    "brainstem": "Brain stem",
    "caudalanteriorcingulate": "Caudal anterior cingulate",
    "caudalmiddlefrontal": "Caudal middle frontal",
    "cerebellum": "Cerebellar grey matter",
    "frontalpole": "Frontal pole",
    "inferiorparietal": "Inferior parietal",
    "inferiortemporal": "Inferior temporal",
    "isthmuscingulate": "Isthmus cingulate",
    "lateraloccipital": "Lateral occipital",
    "lateralorbitofrontal": "Lateral orbitofrontal",
    "medialorbitofrontal": "Medial orbitofrontal",
    "middletemporal": "Middle temporal",
    "parsopercularis": "Pars opercularis",
    "parsorbitalis": "Pars orbitalis",
    "parstriangularis": "Pars triangularis",
    "posteriorcingulate": "Posterior cingulate",
    "rostralanteriorcingulate": "Rostral anterior cingulate",
    "rostralmiddlefrontal": "Rostral middle frontal",
    "superiorfrontal": "Superior frontal",
    "superiorparietal": "Superior parietal",
    "superiortemporal": "Superior temporal",
    "temporalpole": "Temporal pole",
    "thalamusproper": "Thalamus",
    "transversetemporal": "Transverse temporal",
    "cerebellum_whole": "Whole cerebellum (reference region)",
    "cerebellum_grey": "Cerebellar grey matter (reference region)",
    "cerebellum_grey_inferior": "Inferior cerebellar grey matter (reference region)",
    "pons": "Pons (reference region)",
    "white_matter": "Cerebral white matter",
}


SIDE_WORDS = {"L": "left", "R": "right", "B": "midline", "both": "both"}
"""Words for the side of a row."""


def title_of(region: str) -> str:
    """Words for a region or composite, e.g. ``"bankssts"``."""
    titles = {**_COMPOSITE_TITLES, **_REGION_TITLES}
    return titles.get(region, region.replace("_", " ").capitalize())


@cache
def template_regions() -> Volume:
    """Label map on the template: Desikan-Killiany 1..83, cerebellar grey matter 84 and 85.

    The atlas ends at the brain stem; the cerebellum's eroded grey-matter reference is added to
    it, each half under its own label.
    """
    regions = atlas_volume("regions")
    halves = np.where(reference_mask("cerebellum_grey").mask, atlas_volume("territories").data, 0)
    labels = np.where((regions.data == 0) & (halves >= 84), halves, regions.data)
    return on_grid(labels, regions.grid)


@cache
def labels_of(region: str, side: str) -> tuple[int, ...]:
    """Label numbers of a region or composite on one side.

    Parameters
    ----------
    region
        Desikan-Killiany name or key of `COMPOSITES`.
    side
        ``"L"``, ``"R"``, ``"B"`` (unpaired) or ``"both"`` (all there are).

    Raises
    ------
    KeyError
        When the atlas has no such region on that side.
    """
    names = COMPOSITES.get(region, (region,))
    found = tuple(
        label
        for label, (name, hemisphere) in region_names().items()
        if name in names and side in ("both", hemisphere)
    )
    if not found:
        raise KeyError(f"the atlas has no region {region!r} on side {side!r}")
    return found
