"""The user's own parcellation: FreeSurfer's aparc+aseg, FastSurfer's, SynthSeg's with cortex.

All three number alike: 1001 to 1035 and 2001 to 2035 are the left and right cortex after Desikan
and Killiany, small numbers are the rest (FreeSurferColorLUT.txt).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..assets import region_names
from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..preprocess.align import dice
from ..preprocess.transform import resample
from ..volume import Volume
from .native_regions import WHITE, NativeRegions, eroded

CORTEX = (
    "bankssts",
    "caudalanteriorcingulate",
    "caudalmiddlefrontal",
    "",
    "cuneus",
    "entorhinal",
    "fusiform",
    "inferiorparietal",
    "inferiortemporal",
    "isthmuscingulate",
    "lateraloccipital",
    "lateralorbitofrontal",
    "lingual",
    "medialorbitofrontal",
    "middletemporal",
    "parahippocampal",
    "paracentral",
    "parsopercularis",
    "parsorbitalis",
    "parstriangularis",
    "pericalcarine",
    "postcentral",
    "posteriorcingulate",
    "precentral",
    "precuneus",
    "rostralanteriorcingulate",
    "rostralmiddlefrontal",
    "superiorfrontal",
    "superiorparietal",
    "superiortemporal",
    "supramarginal",
    "frontalpole",
    "temporalpole",
    "transversetemporal",
    "insula",
)
"""Cortex by FreeSurfer's number, 1001 (left) and 2001 (right) onwards; 4 is the corpus callosum."""
DEEP = {
    "thalamusproper": (10, 49),
    "caudate": (11, 50),
    "putamen": (12, 51),
    "pallidum": (13, 52),
    "hippocampus": (17, 53),
    "amygdala": (18, 54),
    "accumbensarea": (26, 58),
    "cerebellum": (8, 47),
}
"""Region -> numbers left and right. The cerebellum's are its cortex, as the atlas's is."""
BRAIN_STEM = 16
CEREBELLUM = (7, 8, 46, 47)
GREY_CEREBELLUM = (8, 47)
WHITE_MATTER = (2, 41)
FEWEST_CORTEX = 50
"""Of 68. FastSurfer's atlas leaves out three a side; SynthSeg without ``--parc`` has none."""
OVERLAP = (0.75, 0.85)
"""Dice with the brain of the T1, refused below the first number, amber below the second. Own
decision: the fluid between the gyri belongs to most masks and to no label, which costs 0.1."""


def number_of(region: str, side: str) -> tuple[int, ...]:
    """FreeSurfer's numbers of an atlas region; empty where it has none (ventral diencephalon)."""
    if region == "brainstem":
        return (BRAIN_STEM,)
    if region in DEEP:
        return (DEEP[region]["LR".index(side)],)
    if region in CORTEX:
        return (1000 * (1 + "LR".index(side)) + 1 + CORTEX.index(region),)
    return ()


def labels_on(parcellation: Volume, native_brain: Volume) -> tuple[Volume, Finding]:
    """The user's labels on the T1, if they are labels of this head.

    A parcellation on another lattice but in the same place (FreeSurfer writes 256 cubed) is sampled
    by the nearest voxel. Whether the place is the same is measured, not believed: its labels must
    cover the brain of the T1.

    Parameters
    ----------
    parcellation
        Label numbers as FreeSurfer's.
    native_brain
        Mask on the T1's canonical grid.

    Returns
    -------
    The same numbers on that grid, and how well they cover the brain.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when it has no cortical regions, or lies elsewhere than the T1.
    """
    present = {int(number) for number in np.unique(parcellation.data)}
    cortex = sum(
        1000 < theirs[0] < 3000 and theirs[0] in present for theirs in _numbers_of_atlas().values()
    )
    if cortex < FEWEST_CORTEX:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The parcellation holds {cortex} of the 68 cortical regions (numbers 1001 to 2035).",
            "Give FreeSurfer's or FastSurfer's aparc+aseg, or SynthSeg's with --parc, as NIfTI.",
        )
    same = parcellation.grid.same_as(native_brain.grid, tolerance_mm=0.1)
    numbers = np.rint(
        parcellation.data if same else resample(parcellation, np.eye(4), native_brain.grid, order=0)
    )
    overlap = dice(numbers > 0, native_brain.mask)
    red, amber = OVERLAP
    if overlap < red:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "The parcellation lies on another grid than the T1, in another place (it overlaps the "
            f"brain by {100 * overlap:.0f} %)."
            if not same
            else f"The parcellation does not fit the T1 (it overlaps the brain by "
            f"{100 * overlap:.0f} %).",
            "Use the parcellation of this very T1, in the T1's own space.",
        )
    how = "on the T1's grid" if same else "on another lattice, sampled by the nearest voxel"
    return native_brain.with_data(numbers), Finding(
        "parcellation",
        round(overlap, 3),
        f"overlap at least {amber:g}, refused below {red:g}",
        Verdict.GREEN if overlap >= amber else Verdict.AMBER,
        f"The parcellation ({how}) overlaps the brain of the T1 by {100 * overlap:.0f} %.",
    )


def parcellation_regions(labels: Volume, atlas: NativeRegions) -> NativeRegions:
    """The user's labels in the place of the atlas's.

    Parameters
    ----------
    labels
        `labels_on` the T1.
    atlas
        What the parcellation does not have (pons, inferior cerebellar grey) stays the atlas's.
    """
    numbers = labels.data.astype(np.int32)
    table = np.zeros(int(max(numbers.max(), 2100)) + 1, np.float32)
    for label, theirs in _numbers_of_atlas().items():
        table[list(theirs)] = label
    references = dict(atlas.references)
    source = dict(atlas.reference_source)
    for name, theirs in (
        ("cerebellum_whole", CEREBELLUM),
        ("cerebellum_grey", GREY_CEREBELLUM),
        (WHITE, WHITE_MATTER),
    ):
        voxels = np.isin(numbers, theirs)
        if voxels.any():
            references[name] = labels.with_data(eroded(voxels, labels.grid.spacing))
            source[name] = "parcellation"
    return replace(
        atlas,
        labels=labels.with_data(table[np.clip(numbers, 0, None)]),
        references=references,
        source="parcellation",
        reference_source=source,
    )


def _numbers_of_atlas() -> dict[int, tuple[int, ...]]:
    """Label of the atlas -> FreeSurfer's numbers, where there are any."""
    found = {label: number_of(*place) for label, place in region_names().items()}
    return {label: numbers for label, numbers in found.items() if numbers}
