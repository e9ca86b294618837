"""Pages as pictures: the brain surface and the figure, each under a strip that says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...colour_maps import ORANGE
from .. import marks
from ..figure_parts import font
from ..finished import Finished
from .stamp import Stamp
from .study import Study

if TYPE_CHECKING:
    from highdicom.sc import SCImage

STRIP = 36
"""Height of the strip that is burned in above a page, pixels."""
_NAMES = {"": "figure"}


def write_pages(finished: Finished, study: Study, stamp: Stamp, folder: Path) -> list[Path]:
    """Write every page of the result as a Secondary Capture image."""
    from pydicom.uid import generate_uid

    series = generate_uid(prefix=None)
    written = []
    for number, (part, name) in enumerate(sorted(finished.pages.items()), 1):
        made = _capture(study, stamp, with_strip(finished.folder / name), series, number)
        stamp.press(made, "page")
        path = folder / finished.file_name(f"page-{_NAMES.get(part, part)}", ".dcm")
        written.append(stamp.save(made, path))
    return written


def with_strip(path: Path) -> NDArray[np.uint8]:
    """The page (height, width, 3) with the mark burned in above it."""
    with Image.open(path) as file:
        page = file.convert("RGB")
    marked = Image.new("RGB", (page.width, page.height + STRIP))
    marked.paste(page, (0, STRIP))
    pen = ImageDraw.Draw(marked)
    size = STRIP - 14
    while size > 6 and pen.textlength(marks.CORNER, font=font(size)) > page.width - 8:
        size -= 1
    pen.text((4, STRIP // 2), marks.CORNER, fill=ORANGE, font=font(size), anchor="lm")
    return np.asarray(marked)


def _capture(
    study: Study, stamp: Stamp, pixels: NDArray[np.uint8], series: str, number: int
) -> SCImage:
    from highdicom.sc import SCImage
    from pydicom.uid import generate_uid

    first = study.slices[0]
    made = SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=first.StudyInstanceUID,
        series_instance_uid=series,
        series_number=study.series_number("sc"),
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=number,
        patient_id=first.PatientID,
        patient_name=first.PatientName,
        patient_birth_date=first.PatientBirthDate,
        patient_sex=first.PatientSex,
        accession_number=first.AccessionNumber,
        study_id=first.StudyID,
        study_date=first.StudyDate,
        study_time=first.StudyTime,
        referring_physician_name=first.ReferringPhysicianName,
        patient_orientation=("L", "F"),
        **stamp.equipment,
    )
    # A page shows several views: no one direction is that of its rows.
    made.PatientOrientation = []
    made.BurnedInAnnotation = "YES"
    return made
