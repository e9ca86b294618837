"""SUVR as floating-point numbers on the T1's own planes: the Parametric Map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...quantify.terminology import Code
from .. import marks
from ..columns import RATIO, suvr_code
from ..finished import QUANTITIES, TOGETHER, Finished
from .codes import DERIVATION, SD, concept
from .stamp import Stamp
from .study import Study, without_references

if TYPE_CHECKING:
    from highdicom.pm import ParametricMap

_LABEL, _EXPLANATION = 16, 64
"""Characters that LUT Label and LUT Explanation may have."""


def write_maps(finished: Finished, study: Study, stamp: Stamp, folder: Path) -> list[Path]:
    """Write the SUVR, its standard deviation, and of an exploratory tracer low and high.

    Low, middle and high are instances of one series; the standard deviation has its own.
    """
    parts = [(part, "pm") for part in middle_or_all(finished)]
    if "sd" in finished.images:
        parts.append(("sd", "sd"))
    from pydicom.uid import generate_uid

    series = {kind: generate_uid(prefix=None) for _, kind in parts}
    written = []
    for number, (part, kind) in enumerate(parts, 1):
        made = _map(finished, study, stamp, part, kind, series[kind], number)
        path = folder / finished.file_name(part, ".dcm")
        written.append(stamp.save(made, path))
    return written


def middle_or_all(finished: Finished) -> tuple[str, ...]:
    """Parts of the images of SUVR: of an exploratory tracer low, middle and high together."""
    return TOGETHER if finished.release.triptych else ("suvr",)


def together_comment(finished: Finished, part: str) -> str:
    """What is said of one of low, middle and high; empty for other tracers."""
    if not finished.release.triptych or part not in TOGETHER:
        return ""
    word = {"suvr": "middle"}.get(part, QUANTITIES[part])
    return f"{word}: {marks.AMBIGUOUS}"


def _map(
    finished: Finished, study: Study, stamp: Stamp, part: str, kind: str, series: str, number: int
) -> ParametricMap:
    from highdicom import VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping
    from pydicom.uid import generate_uid

    pet = finished.pet(part)
    planes = study.lattice.planes(pet)
    quantity: Code = SD if part == "sd" else suvr_code(finished.synthetic)
    label = marks.CONTENT_LABELS[part]
    comment = together_comment(finished, part)
    low, high = finished.tracer.window
    made = ParametricMap(
        source_images=study.slices,
        pixel_array=planes,
        series_instance_uid=series,
        series_number=study.series_number(kind),
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=number,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            RealWorldValueMapping(
                lut_label=label[:_LABEL],
                lut_explanation=f"{quantity.meaning}, {finished.reference_region}"[:_EXPLANATION],
                unit=concept(RATIO),
                value_range=(float(np.min(planes)), float(np.max(planes))),
                slope=1.0,
                intercept=0.0,
                quantity_definition=concept(quantity),
            )
        ],
        voi_lut_transformations=[
            VOILUTTransformation((low + high) / 2.0, high - low, marks.CORNER[:_EXPLANATION])
        ],
        content_label=label,
        content_description=comment[:_EXPLANATION] or None,
        derivation=concept(DERIVATION[finished.synthetic]),
        **stamp.equipment,
    )
    if not study.real:
        without_references(made)
    stamp.press(made, "SUVR SD" if part == "sd" else "SUVR", comment)
    return made
