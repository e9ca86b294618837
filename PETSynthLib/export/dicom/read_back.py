"""Back from DICOM: Parametric Maps and segmentations as volumes, for programs that know neither.

SimpleITK cannot read floating-point pixels and stacks the segments of a segmentation; from here
`preprocess.itk` makes images of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...preprocess.transform import LPS
from ...read.orientation import to_canonical
from ...volume import Volume

if TYPE_CHECKING:
    from highdicom import Volume as DicomVolume


def read_map(path: Path) -> Volume:
    """The real-world values of a Parametric Map (canonical axes, RAS)."""
    from highdicom.pm import ParametricMap

    return _canonical(ParametricMap.from_file(path).get_volume(apply_real_world_transform=True))


def read_segments(path: Path) -> dict[str, Volume]:
    """Segment label -> mask (0/1), on the planes between the first and the last that has any."""
    from highdicom.seg import segread

    image = segread(path)
    return {
        image.get_segment_description(number).segment_label: _canonical(
            image.get_volume(segment_numbers=[number], combine_segments=True, relabel=True)
        )
        for number in image.segment_numbers
    }


def _canonical(volume: DicomVolume) -> Volume:
    """From (plane, row, column) in LPS."""
    affine = LPS @ volume.affine[:, [2, 1, 0, 3]]
    data, turned = to_canonical(np.asarray(volume.array).transpose(2, 1, 0), affine)
    return Volume(data.astype(np.float32), turned)
