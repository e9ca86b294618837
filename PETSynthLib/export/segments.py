"""The regions of a result as named, coloured and coded segments, for every form that has such."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..assets import region_names
from ..quantify.regions import SIDE_WORDS, title_of
from ..quantify.terminology import ANATOMICAL_STRUCTURE, SIDES, Code, code_of, colour_of
from ..volume import Volume
from . import marks
from .finished import Finished
from .quantification_files import BEYOND

BEYOND_KEY = BEYOND.removesuffix(".nii.gz")
BEYOND_COLOUR = (217, 64, 26)
_CONTEXT = "Segmentation category and type - DICOM master list"
_REGIONAL = "Anatomic codes - DICOM master list"
_NOTHING = "^^"


@dataclass(frozen=True)
class Segment:
    """A region that the scan shows.

    Attributes
    ----------
    label
        Number in the label map.
    key
        ``"precuneus.L"``.
    region, side
        As in the table.
    name
        Words for people; those of a synthetic PET begin with its mark.
    colour
        Red, green, blue, 0 to 255.
    code
        What it is in SNOMED CT.
    laterality
        Left or right in SNOMED CT; None for an unpaired region.
    """

    label: int
    key: str
    region: str
    side: str
    name: str
    colour: tuple[int, int, int]
    code: Code
    laterality: Code | None

    @property
    def terminology(self) -> str:
        """The entry of 3D Slicer's terminology: category, type, modifier; no further region."""
        parts = (_coded(ANATOMICAL_STRUCTURE), _coded(self.code), _coded(self.laterality))
        return "~".join((_CONTEXT, *parts, _REGIONAL, _NOTHING, _NOTHING))


def segment_name(region: str, side: str, synthetic: bool) -> str:
    """Words for a segment, e.g. ``SYN Hippocampus left``; an unpaired region has no side."""
    words = title_of(region) if side == "B" else f"{title_of(region)} {SIDE_WORDS[side]}"
    return marks.segment_label(words) if synthetic else words


def segments_of(labels: Volume, synthetic: bool) -> tuple[Segment, ...]:
    """Every region of which the label map holds a voxel, by label.

    Parameters
    ----------
    labels
        Numbers of `assets.region_names`.
    synthetic
        Whether the PET they were laid for is.
    """
    present = set(np.unique(labels.data).astype(int).tolist())
    return tuple(
        Segment(
            label,
            f"{region}.{side}",
            region,
            side,
            segment_name(region, side, synthetic),
            colour_of(region),
            code_of(region),
            SIDES.get(side),
        )
        for label, (region, side) in region_names().items()
        if label in present
    )


def beyond_normals(finished: Finished) -> Segment | None:
    """The voxels beyond the normals as a segment; None where there are none to show.

    Raises
    ------
    KeyError
        When the result does not say what they are beyond.
    """
    if f"space/{BEYOND}" not in finished.result["files"]:
        return None
    if "z-score" in finished.release.withheld:
        return None
    threshold = finished.record["FillStateThreshold"]
    demo = ", demonstration normals" if finished.record["Database"]["demo"] else ""
    words = f"{finished.tracer.abnormal}d z > {threshold:g}{demo}"
    name = marks.segment_label(words) if finished.synthetic else words.capitalize()
    brain = Code("12738006", "SCT", "Brain")
    return Segment(1, BEYOND_KEY, BEYOND_KEY, "both", name, BEYOND_COLOUR, brain, None)


def _coded(code: Code | None) -> str:
    return _NOTHING if code is None else f"{code.scheme}^{code.value}^{code.meaning}"
