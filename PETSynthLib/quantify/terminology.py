"""What a region is called in SNOMED CT, and its colour: for segmentations, tables and reports.

The codes are those of DICOM's CID 7153 and CID 7140 (brain structures), as pydicom ships them.
They know lobes, not gyri: a gyrus carries the code of its lobe, and its own name as label.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import cache

from ..assets import region_names
from .regions import COMPOSITES


@dataclass(frozen=True)
class Code:
    """A coded concept: value, coding scheme and meaning, e.g. ``12738006``, ``SCT``, ``Brain``."""

    value: str
    scheme: str
    meaning: str


ANATOMICAL_STRUCTURE = Code("123037004", "SCT", "Anatomical Structure")
"""The category of every region."""
SIDES = {"L": Code("7771000", "SCT", "Left"), "R": Code("24028007", "SCT", "Right")}
"""Laterality; an unpaired region has none."""
BOTH_SIDES = Code("51440002", "SCT", "Bilateral")

_BRAIN = Code("12738006", "SCT", "Brain")
_FRONTAL = Code("83251001", "SCT", "Frontal lobe")
_PARIETAL = Code("16630005", "SCT", "Parietal lobe")
_TEMPORAL = Code("78277001", "SCT", "Temporal lobe")
_OCCIPITAL = Code("31065004", "SCT", "Occipital lobe")
_LIMBIC = Code("279215006", "SCT", "Limbic lobe")
_CEREBELLUM = Code("113305005", "SCT", "Cerebellum")

_LOBES = {
    "frontal_lobe": _FRONTAL,
    "parietal_lobe": _PARIETAL,
    "temporal_lobe": _TEMPORAL,
    "occipital_lobe": _OCCIPITAL,
}
_OWN = {
    **_LOBES,
    "accumbensarea": Code("427667007", "SCT", "Nucleus accumbens"),
    "amygdala": Code("4958002", "SCT", "Amygdala"),
    "brainstem": Code("119238007", "SCT", "Brain stem"),
    "caudate": Code("11000004", "SCT", "Caudate nucleus"),
    "cerebellum": _CEREBELLUM,
    "entorhinal": Code("3937002", "SCT", "Entorhinal Cortex"),
    "hippocampus": Code("5366008", "SCT", "Hippocampus"),
    "insula": Code("36169008", "SCT", "Insula"),
    "pallidum": Code("14738005", "SCT", "Globus pallidus"),
    "putamen": Code("89278009", "SCT", "Putamen"),
    "striatum": Code("31428008", "SCT", "Corpus striatum"),
    "thalamusproper": Code("42695009", "SCT", "Thalamus"),
    "cerebellum_whole": _CEREBELLUM,
    "cerebellum_grey": Code("25991003", "SCT", "Cerebellar Cortex"),
    "cerebellum_grey_inferior": Code("25991003", "SCT", "Cerebellar Cortex"),
    "pons": Code("119238007", "SCT", "Brain stem"),
    "white_matter": Code("68523003", "SCT", "Cerebral White Matter"),
}
_CINGULATE = "cingulate"


def code_of(region: str) -> Code:
    """The structure a region belongs to; the brain for composites over several lobes.

    Parameters
    ----------
    region
        Desikan-Killiany name, key of `COMPOSITES`, reference region, or any other name.
    """
    if region in _OWN:
        return _OWN[region]
    if region.endswith(_CINGULATE):
        return _LIMBIC
    for lobe, code in _LOBES.items():
        if region in COMPOSITES[lobe]:
            return code
    return _BRAIN


def colour_of(region: str) -> tuple[int, int, int]:
    """Colour of a region (red, green, blue, 0 to 255), the same on both sides.

    Regions of one structure share a hue and differ in brightness and saturation.
    """
    return _palette().get(region, (200, 200, 200))


@cache
def _palette() -> dict[str, tuple[int, int, int]]:
    names = sorted({name for name, _ in region_names().values()})
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(code_of(name).meaning, []).append(name)
    palette = {}
    for number, members in enumerate(groups.values()):
        hue = number / len(groups)
        for place, name in enumerate(members):
            share = place / max(len(members) - 1, 1)
            rgb = colorsys.hsv_to_rgb(hue, 0.85 - 0.4 * share, 0.65 + 0.3 * share)
            palette[name] = (round(255 * rgb[0]), round(255 * rgb[1]), round(255 * rgb[2]))
    return palette
