"""SUVR as a PT series, for archives that know nothing else: opt-in, and burned into every slice.

Written by hand, since highdicom has no PT. It holds nothing that only a scanner could know: no
radiopharmaceutical, no dose, no decay, no unit of activity.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...errors import ErrorCode, PETSynthError
from ...volume import FloatArray
from .. import marks
from ..figure_parts import font
from ..finished import Finished
from .parametric_map import middle_or_all, together_comment
from .stamp import Stamp
from .study import Study, number, patient_and_study

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PT_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
LARGEST = 32767
SMALLEST = 6
"""Letter height below which the word cannot be read, pixels."""
_SHARE = 12
"""The letters begin with this part of a slice's height."""


def write_pt(finished: Finished, study: Study, stamp: Stamp, folder: Path) -> list[Path]:
    """Write a series of single slices; of an exploratory tracer three, in one folder."""
    from pydicom.uid import generate_uid

    place = folder / marks.file_name(finished.tracer.key, "pt", "")
    place.mkdir()
    written = []
    for offset, part in enumerate(middle_or_all(finished)):
        planes = burned(study.lattice.planes(finished.pet(part)), finished.tracer.window[1])
        series = generate_uid(prefix=None)
        for index, plane in enumerate(planes):
            one = _slice(study, index, plane, series)
            one.SeriesNumber = study.series_number("pt") + offset
            one.update(_equipment(stamp))
            stamp.press(one, comment=together_comment(finished, part))
            name = marks.file_name(finished.tracer.key, f"{part}-{index + 1:04d}", ".dcm")
            written.append(stamp.save(one, place / name))
    return written


def burned(planes: FloatArray, value: float) -> FloatArray:
    """The planes with the mark written into their corners where there is no uptake at all.

    Parameters
    ----------
    planes
        SUVR (plane, row, column), 0 outside the brain.
    value
        Of the letters, SUVR.

    Raises
    ------
    PETSynthError
        ``BAD_GEOMETRY`` when no corner has room for the word.
    """
    background: NDArray[np.bool_] = np.all(planes <= 0.0, axis=0)
    letters = _corners(background)
    if letters is None:
        raise PETSynthError(
            ErrorCode.BAD_GEOMETRY,
            f"The slices leave no corner in which the word {marks.WORD} could be burned.",
            "Choose the Parametric Map (pm) instead of pt.",
        )
    marked = planes.copy()
    marked[:, letters] = value
    return marked


def _corners(background: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Pixels of the word in every corner that is background in all slices; None without any."""
    rows, columns = background.shape
    for size in range(max(rows // _SHARE, SMALLEST), SMALLEST - 1, -1):
        word = _word(marks.WORD, size)
        height, width = word.shape
        if height > rows or width > columns:
            continue
        found = np.zeros_like(background)
        for top in (0, rows - height):
            for left in (0, columns - width):
                box = (slice(top, top + height), slice(left, left + width))
                if background[box].all():
                    found[box] |= word
        if found.any():
            return found
    return None


def _word(text: str, size: int) -> NDArray[np.bool_]:
    """The letters of a word, with a pixel of space around them."""
    left, top, right, bottom = font(size).getbbox(text)
    picture = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, fill=255, font=font(size))
    return np.asarray(picture) > 96


def _slice(study: Study, index: int, plane: FloatArray, series: str) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    source = study.slices[index]
    one = Dataset()
    patient_and_study(one, source)
    one.SOPClassUID, one.SOPInstanceUID = PT_IMAGE, generate_uid(prefix=None)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    one.Modality, one.SeriesInstanceUID = "PT", series
    one.InstanceNumber = one.ImageIndex = index + 1
    # The standard wants PRIMARY of every PT image.
    one.ImageType = ["DERIVED", "PRIMARY", marks.WORD]
    one.BurnedInAnnotation = "NO"  # the standard means the person's name
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"):
        setattr(one, keyword, getattr(source, keyword))
    one.SliceThickness = source.SliceThickness
    one.FrameOfReferenceUID = source.FrameOfReferenceUID
    one.PositionReferenceIndicator = source.PositionReferenceIndicator
    _dates(one)
    _pet_module(one, len(study.slices))
    _pixels(one, plane)
    if study.real:
        one.SourceImageSequence = [_reference(source)]
    return one


def _equipment(stamp: Stamp) -> Dataset:
    from pydicom.dataset import Dataset

    made = Dataset()
    made.Manufacturer = stamp.equipment["manufacturer"]
    made.ManufacturerModelName = stamp.equipment["manufacturer_model_name"]
    made.SoftwareVersions = stamp.equipment["software_versions"]
    made.DeviceSerialNumber = stamp.equipment["device_serial_number"]
    return made


def _dates(one: Dataset) -> None:
    """When the series was made. Nothing was acquired: those dates stay empty."""
    from datetime import datetime

    now = datetime.now()
    one.SeriesDate = one.ContentDate = one.InstanceCreationDate = now.strftime("%Y%m%d")
    one.SeriesTime = one.ContentTime = one.InstanceCreationTime = now.strftime("%H%M%S")
    one.AcquisitionDate = one.AcquisitionTime = ""


def _pet_module(one: Dataset, planes: int) -> None:
    """What the standard wants of every PT image, as far as it is true."""
    one.Units = "NONE"
    one.CountsSource = "EMISSION"
    one.SeriesType = ["STATIC", "IMAGE"]
    one.NumberOfSlices = planes
    one.CorrectedImage = ""
    one.DecayCorrection = "NONE"
    one.CollimatorType = ""
    one.RadiopharmaceuticalInformationSequence = []
    one.ActualFrameDuration = ""
    one.FrameReferenceTime = "0"
    one.PatientOrientationCodeSequence = []
    one.PatientGantryRelationshipCodeSequence = []


def _pixels(one: Dataset, plane: FloatArray) -> None:
    """16 bit with a slope of its own; half a step is the largest error."""
    slope = number(max(float(plane.max()), 1e-6) / LARGEST, digits=10)
    stored = np.clip(np.rint(plane / float(slope)), 0, LARGEST).astype(np.int16)
    one.RescaleSlope, one.RescaleIntercept = slope, "0"
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.Rows, one.Columns = plane.shape
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
    one.PixelData = stored.tobytes()


def _reference(source: Dataset) -> Dataset:
    """A slice of the T1 as the source of one of ours."""
    from pydicom.dataset import Dataset
    from pydicom.sr.codedict import codes as known

    from ...quantify.terminology import Code
    from .codes import concept

    purpose = known.DCM.SourceImageForImageProcessingOperation
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [
        concept(Code(purpose.value, purpose.scheme_designator, purpose.meaning))
    ]
    return item
