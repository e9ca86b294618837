"""The DICOM series from which the T1 was made: found by its geometry, proved by its voxels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...checks import Finding, Verdict
from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ...volume import FloatArray, Grid, Volume
from .lattice import SAME_PLACE_MM, Lattice, canonical, from_planes, require_right_angles
from .study import MR_IMAGE, Study, header

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

ALIKE = 0.95
"""Correlation of voxels above which two images are one: converted, not of another person."""
_DEGREES = 1e-3
_ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
_NAME_SERIES = "Name the folder of the DICOM series from which the T1 was made, or leave it out."


@dataclass(frozen=True, eq=False)
class Series:
    """A stack of single-frame MR images.

    Attributes
    ----------
    paths, slices
        Files and their headers (no pixels) in the order of the planes.
    lattice
        The planes.
    """

    paths: tuple[Path, ...]
    slices: tuple[Dataset, ...]
    lattice: Lattice


def own_study(
    folder: Path, stored: Grid, t1: Volume | None, progress: Progress
) -> tuple[Study, Finding]:
    """The study of the T1's DICOM series.

    Parameters
    ----------
    folder
        With the DICOM files, at any depth; other series may lie beside.
    stored
        Grid of the T1 as in its file.
    t1
        The T1 (canonical), when it is at hand: its voxels tell it from the same protocol run on
        another person.
    progress
        May cancel.

    Returns
    -------
    The study, and how sure it is that it is the T1's.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when no series there is that of the T1, or several may be.
    """
    found, enhanced = _headers(folder, progress)
    if not found:
        kind = (
            "only multi-frame MR images (Enhanced MR), which PETSynth does not refer to"
            if enhanced
            else "no MR images in DICOM"
        )
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The folder {folder} holds {kind}.",
            _NAME_SERIES
            if not enhanced
            else "Convert them to single-frame MR images (e.g. with emf2sf of dcm4che), or leave "
            "--source-dicom out, which begins a new study.",
        )
    here = canonical(stored)
    placed = [
        series
        for series in (_stack(group) for group in found)
        if series and canonical(series.lattice.grid).same_as(here, SAME_PLACE_MM)
    ]
    if not placed:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"None of the {len(found)} MR series in {folder} has the geometry of the T1: it is "
            "another scan, or the T1 was resampled or cropped.",
            _NAME_SERIES,
        )
    series, likeness = _the_one(placed, t1, folder)
    _require_one_person(series)
    _require_one_frame(series)
    study = Study(
        series.lattice, tuple(header(one, series.lattice) for one in series.slices), real=True
    )
    if likeness is None:
        return study, Finding(
            "dicom_study",
            "same geometry",
            f"voxels that correlate above {ALIKE:g}",
            Verdict.AMBER,
            "The DICOM series has the geometry of the T1; its voxels could not be compared, "
            "because the T1's file is no longer where it was.",
            key="dicom_study.unproved",
        )
    return study, Finding(
        "dicom_study",
        round(likeness, 3),
        f"voxels that correlate above {ALIKE:g}",
        Verdict.GREEN,
        "The DICOM series is the T1's: same geometry, same voxels.",
    )


def _headers(folder: Path, progress: Progress) -> tuple[list[list[tuple[Path, Dataset]]], bool]:
    """MR images by series, without pixels; and whether there are multi-frame ones."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    series: dict[str, list[tuple[Path, Dataset]]] = {}
    enhanced = False
    for path in _files(folder):
        progress.check()
        try:
            one = dcmread(path, stop_before_pixels=True)
            kind = one.get("SOPClassUID")
        except (InvalidDicomError, OSError, ValueError, KeyError, AttributeError):
            continue  # a readme, a DICOMDIR of another make, a damaged file: no series of ours
        if kind == MR_IMAGE:
            series.setdefault(str(one.get("SeriesInstanceUID")), []).append((path, one))
        enhanced = enhanced or kind == _ENHANCED_MR
    return list(series.values()), enhanced


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The DICOM folder {folder} does not exist.",
            _NAME_SERIES,
        )
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names))


def _stack(images: Sequence[tuple[Path, Dataset]]) -> Series | None:
    """Images as evenly spaced parallel planes; None when they are none."""
    first = images[0][1]
    try:
        orientation = np.array(first.ImageOrientationPatient, float)
        spacing = [float(value) for value in first.PixelSpacing]
        shape = [int(first.Rows), int(first.Columns)]
        positions = np.array([one.ImagePositionPatient for _, one in images], float)
        turned = [np.array(one.ImageOrientationPatient, float) for _, one in images]
        sizes = {(one.Rows, one.Columns, *map(float, one.PixelSpacing)) for _, one in images}
    except (AttributeError, TypeError, ValueError):
        return None
    if len(sizes) > 1 or np.abs(np.array(turned) - orientation).max() > _DEGREES:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    order = np.argsort(positions @ normal)
    positions = positions[order]
    grid = from_planes(orientation.tolist(), spacing, positions, shape)
    even = positions[0] + np.outer(
        np.arange(len(order)), (positions[-1] - positions[0]) / max(len(order) - 1, 1)
    )
    if np.abs(positions - even).max() > SAME_PLACE_MM or abs(np.linalg.det(grid.affine)) < 1e-6:
        return None
    try:
        require_right_angles(grid.affine)
    except PETSynthError:
        return None
    paths = tuple(images[n][0] for n in order)
    return Series(paths, tuple(images[n][1] for n in order), Lattice(grid))


def _the_one(placed: list[Series], t1: Volume | None, folder: Path) -> tuple[Series, float | None]:
    """The series whose voxels are the T1's, and how alike they are (None: not compared)."""
    if t1 is None:
        if len(placed) > 1:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"{len(placed)} series in {folder} have the geometry of the T1, and its file is no "
                "longer there to tell which it was made from.",
                "Name a folder with that series alone.",
            )
        return placed[0], None
    likeness = [_likeness(_pixels(one.paths), one.lattice.planes(t1)) for one in placed]
    best = int(np.argmax(likeness))
    if likeness[best] < ALIKE:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A series in {folder} has the geometry of the T1 but other voxels: it is of another "
            "patient, or of another scan.",
            _NAME_SERIES,
        )
    return placed[best], likeness[best]


def _pixels(paths: Sequence[Path]) -> FloatArray:
    """Voxels (plane, row, column) of single-frame files, decoded as SimpleITK can."""
    import SimpleITK as sitk

    try:
        planes = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in paths]
    except RuntimeError as problem:
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The DICOM images in {paths[0].parent} cannot be decoded.",
            "Export them again without compression.",
        ) from problem
    return np.concatenate([plane.reshape(-1, *plane.shape[-2:]) for plane in planes]).astype(
        np.float32
    )


def _likeness(one: FloatArray, other: FloatArray) -> float:
    """Correlation of two images; 0 where one of them is flat."""
    a, b = (array.ravel().astype(np.float64) for array in (one, other))
    if a.std() == 0.0 or b.std() == 0.0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _require_one_person(series: Series) -> None:
    if len({(one.get("PatientID"), one.get("StudyInstanceUID")) for one in series.slices}) > 1:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "The DICOM series of the T1 mixes several patients or studies.",
            "Export it from the archive again.",
        )


def _require_one_frame(series: Series) -> None:
    frames = {one.get("FrameOfReferenceUID") or "" for one in series.slices}
    if len(frames) > 1 or "" in frames:
        what = "has no frame of reference" if frames == {""} else "has several frames of reference"
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The DICOM series of the T1 {what}: nothing can be laid onto it.",
            "Export it from the archive again, or leave --source-dicom out.",
        )
