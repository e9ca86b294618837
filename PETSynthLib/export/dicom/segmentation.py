"""The regions of a result as DICOM segmentations: a segment a region, named, coded and coloured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...errors import ErrorCode, PETSynthError
from ...quantify.terminology import ANATOMICAL_STRUCTURE
from ...read import read_scan
from ...volume import Volume
from .. import marks
from ..finished import Finished
from ..quantification_files import BEYOND
from ..segments import Segment, beyond_normals, segments_of
from .codes import ATLAS, concept
from .stamp import MAKER, Stamp
from .study import Study, without_references

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription

_LABELS = 256
_LONGEST = 64


def write_segmentations(
    finished: Finished, study: Study, stamp: Stamp, folder: Path
) -> tuple[list[Path], Segmentation]:
    """Write the regions, and the voxels beyond the normals where there are any.

    These overlap the regions: they are an object of their own, in the same series.

    Returns
    -------
    The files, and the regions as an object, to which a report refers.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the result has no region.
    """
    from pydicom.uid import generate_uid

    labels = finished.regions.volume
    segments = segments_of(labels, finished.synthetic)
    if not segments:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "The result has no regions: none of them lies inside the scan.",
            "Leave seg and sr out.",
        )
    series = generate_uid(prefix=None)
    regions = _segmentation(finished, study, stamp, segments, labels, series, 1)
    written = [stamp.save(regions, folder / finished.file_name("regions", ".dcm"))]
    beyond = beyond_normals(finished)
    if beyond is not None:
        mask = read_scan(finished.folder / "space" / BEYOND, "mask").volume
        made = _segmentation(finished, study, stamp, [beyond], mask, series, 2)
        written.append(stamp.save(made, folder / finished.file_name(beyond.key, ".dcm")))
    return written, regions


def _segmentation(
    finished: Finished,
    study: Study,
    stamp: Stamp,
    segments: Sequence[Segment],
    labels: Volume,
    series: str,
    number: int,
) -> Segmentation:
    from highdicom.seg import Segmentation
    from pydicom.uid import generate_uid

    made = Segmentation(
        source_images=study.slices,
        pixel_array=_numbered(study.lattice.planes(labels), segments),
        segmentation_type="BINARY",
        segment_descriptions=[
            _description(place, segment) for place, segment in enumerate(segments, 1)
        ],
        series_instance_uid=series,
        series_number=study.series_number("seg"),
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=number,
        content_label=marks.CONTENT_LABELS["regions"] if finished.synthetic else "REGIONS",
        content_description=finished.regions_source[:_LONGEST],
        **stamp.equipment,
    )
    if not study.real:
        without_references(made)
    stamp.press(made, "regions")
    return made


def _numbered(labels: NDArray[Any], segments: Sequence[Segment]) -> NDArray[np.uint8]:
    """Labels as DICOM numbers segments: from one, without a gap."""
    numbers = np.zeros(_LABELS, np.uint8)
    numbers[[segment.label for segment in segments]] = np.arange(1, len(segments) + 1)
    return numbers[labels.round().astype(np.uint8)]


def _description(place: int, segment: Segment) -> SegmentDescription:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from pydicom.uid import generate_uid

    made = SegmentDescription(
        place,
        segment.name,
        concept(ANATOMICAL_STRUCTURE),
        concept(segment.code),
        "AUTOMATIC",
        AlgorithmIdentificationSequence(MAKER, concept(ATLAS), __version__),
        tracking_uid=generate_uid(prefix=None),
        tracking_id=segment.name,
        display_color=CIELabColor.from_rgb(*segment.colour),
    )
    if segment.laterality is not None:
        made.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
            concept(segment.laterality)
        ]
    return made
