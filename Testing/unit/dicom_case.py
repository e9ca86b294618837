"""A T1 as a scanner sends it: an oblique DICOM series with the tags of a real MR image."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from PETSynthLib.export import marks
from PETSynthLib.export.finished import Finished
from PETSynthLib.export.policy import release
from PETSynthLib.export.record import Source
from PETSynthLib.export.region_rows import MISSING, RegionRows
from PETSynthLib.export.shown import NOT_INFORMATIVE
from PETSynthLib.progress import Silent
from PETSynthLib.read.orientation import to_canonical
from PETSynthLib.request import QUANTIFY, SYNTHESIZE
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import Affine, Grid, Volume

DCIODVFY = shutil.which("dciodvfy")
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = "1.2.840.10008.1.2.1"
NAME, BORN, PATIENT = "Müller^Eva", "19500102", "PID-0042"
TIME = "101112.654321"
"""With its fraction: six digits alone also stand in a random UID now and then."""

_TOO_NEW = (
    "Error - Attribute with an even group number is not a recognized standard attribute - "
    "(0x0008,0x001c)  ?"
)
"""What the tool says of Synthetic Data: the attribute is younger than its dictionary."""
PRECUNEUS_L, PRECUNEUS_R, BRAIN_STEM = 24, 65, 83

ROWS, COLUMNS, SLICES = 64, 60, 12
SPACING = (2.5, 2.0)
"""Between rows and between columns, mm."""
SLICE_MM = 3.0


def oblique() -> Affine:
    """LPS place of (column, row, slice): sagittal slices, tilted about two axes."""
    a, b = np.deg2rad(12.0), np.deg2rad(-7.0)
    turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    # Columns run to posterior, rows to inferior, slices from right to left, as sagittal T1s do.
    axes = turn_z @ turn_x @ np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]], float)
    place = np.eye(4)
    place[:3, :3] = axes * np.array([SPACING[1], SPACING[0], SLICE_MM])
    place[:3, 3] = (-21.5, -18.25, 30.75)
    return place


def voxels(seed: int = 5) -> np.ndarray:
    """T1 brightness (slice, row, column)."""
    return np.random.default_rng(seed).integers(0, 900, (SLICES, ROWS, COLUMNS), np.uint16)


def write_t1(folder: Path, **changes: Any) -> list[Path]:
    """Write the series, a file a slice and in an order that no file name tells.

    Parameters
    ----------
    folder
        Is made.
    changes
        Attributes of every slice that differ, ``place`` and ``pixels`` among them.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import generate_uid

    place = changes.pop("place", oblique())
    pixels = changes.pop("pixels", voxels())
    folder.mkdir(parents=True, exist_ok=True)
    uids = {
        name: generate_uid(entropy_srcs=[name, folder.name]) for name in ("series", "frame", "uid")
    }
    study = generate_uid(entropy_srcs=["study"])
    order = np.random.default_rng(1).permutation(len(pixels))
    written = []
    for number, index in enumerate(order, 1):
        uid = f"{uids['uid'][:48]}.{index + 1}"
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MR_IMAGE
        meta.MediaStorageSOPInstanceUID = uid
        meta.TransferSyntaxUID = EXPLICIT
        path = folder / f"IM{number:04d}"
        one = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        one.SpecificCharacterSet = "ISO_IR 100"
        one.ImageType = ["ORIGINAL", "PRIMARY", "M", "NORM"]
        one.SOPClassUID, one.SOPInstanceUID = MR_IMAGE, uid
        one.StudyDate = one.SeriesDate = one.AcquisitionDate = one.ContentDate = "20240315"
        one.StudyTime = one.SeriesTime = one.AcquisitionTime = one.ContentTime = TIME
        one.AccessionNumber, one.StudyID = "ACC77", "S1"
        one.Modality, one.Manufacturer = "MR", "Scanners Inc"
        one.BodyPartExamined = "HEAD"
        one.InstitutionName, one.ReferringPhysicianName = "General Hospital", "Doctor^A"
        one.StudyDescription, one.SeriesDescription = "MRI brain", "T1 MPRAGE sag"
        one.PatientName, one.PatientID = NAME, PATIENT
        one.PatientBirthDate, one.PatientSex, one.PatientAge = BORN, "F", "074Y"
        one.PatientWeight = "61"
        one.ScanningSequence, one.SequenceVariant, one.ScanOptions = ["GR", "IR"], "SK", ""
        one.MRAcquisitionType, one.MagneticFieldStrength = "3D", "3"
        one.RepetitionTime, one.EchoTime, one.InversionTime = "2300", "2.98", "900"
        one.EchoTrainLength, one.FlipAngle = "1", "9"
        one.SliceThickness, one.SpacingBetweenSlices = str(SLICE_MM), str(SLICE_MM)
        one.PatientPosition = "HFS"
        one.StudyInstanceUID, one.SeriesInstanceUID = study, uids["series"]
        one.SeriesNumber, one.InstanceNumber, one.AcquisitionNumber = 3, int(index) + 1, 1
        one.FrameOfReferenceUID, one.PositionReferenceIndicator = uids["frame"], ""
        column, row, normal = (place[:3, n] / np.linalg.norm(place[:3, n]) for n in range(3))
        one.ImageOrientationPatient = [f"{v:.10f}" for v in (*column, *row)]
        first = place[:3, 3] + index * place[:3, 2]
        assert abs(normal @ np.cross(column, row)) > 0.999
        one.ImagePositionPatient = [f"{v:.8f}" for v in first]
        one.PixelSpacing = [
            f"{np.linalg.norm(place[:3, 1]):g}",
            f"{np.linalg.norm(place[:3, 0]):g}",
        ]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.Rows, one.Columns = pixels.shape[1:]
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
        one.WindowCenter, one.WindowWidth = "450", "900"
        one.PixelData = pixels[index].tobytes()
        for name, value in changes.items():
            setattr(one, name, value)
        one.save_as(path, enforce_file_format=True)
        written.append(path)
    return written


def canonical_t1(pixels: np.ndarray | None = None) -> Volume:
    """The series as a converter makes a volume of it, axes turned towards RAS."""
    data = (voxels() if pixels is None else pixels).transpose(2, 1, 0)
    turned, affine = to_canonical(data, stored().affine)
    return Volume(turned, affine)


def stored() -> Grid:
    """The grid of the T1's file as a converter writes it: columns, rows, slices, in RAS."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ oblique()
    return Grid((COLUMNS, ROWS, SLICES), affine)


def uptake() -> np.ndarray:
    """SUVR in file order (column, row, slice): a block of brain that no mirror leaves alike."""
    data = np.zeros((COLUMNS, ROWS, SLICES), np.float32)
    i, j, k = np.mgrid[24:36, 25:41, 2:10]
    data[24:36, 25:41, 2:10] = 0.2 + 0.021 * i + 0.007 * j + 0.023 * k
    return data


def labels(*, single: bool = False) -> np.ndarray:
    """Regions in file order: left and right precuneus and the brain stem, or one alone."""
    data = np.zeros((COLUMNS, ROWS, SLICES), np.uint8)
    data[25:28, 26:29, 3:6] = PRECUNEUS_L
    if not single:
        data[30:34, 26:30, 3:8] = PRECUNEUS_R
        data[28:30, 34:38, 5:7] = BRAIN_STEM
    return data


ROWS_OF_TABLE = (
    ("precuneus", "both", "1.2500", "1.1000", "1.4000", "n/a"),
    ("precuneus", "L", "1.2000", "1.0500", "1.3500", "n/a"),
    ("precuneus", "R", "1.3000", "1.1500", "1.4500", "n/a"),
    ("hippocampus", "both", "n/a", "n/a", "n/a", NOT_INFORMATIVE),
)
"""Region, side, SUVR, ends of its interval, note."""


def finished(
    folder: Path,
    evidence: str = "real pairs",
    key: str = "fdg",
    *,
    z: str = "",
    measured: bool = False,
    single: bool = False,
    cognition: tuple[str, ...] = (),
) -> Finished:
    """A small result as the reader of result folders gives it.

    Parameters
    ----------
    folder
        Is made.
    evidence
        What the PET rests on (a key of the release policy).
    z
        z of every row with a value; empty where the policy withholds it.
    measured
        Whether it is the folder of a measurement: a table and regions, no pictures.
    single
        Whether there is one region alone.
    """
    (folder / "space").mkdir(parents=True)
    entry = tracer(key)
    policy = release(evidence, entry.exploratory, cognition)
    t1 = folder.parent / "T1 of Eva.nii.gz"
    write_volume(t1, voxels().transpose(2, 1, 0).astype(np.float32))
    sha256 = hashlib.sha256(t1.read_bytes()).hexdigest()
    (folder / "request.json").write_text(json.dumps({"t1": str(t1)}), encoding="utf-8")
    write_volume(folder / "space" / "regions.nii.gz", labels(single=single))
    images, pages = {}, {}
    if not measured:
        parts = {"suvr": 1.0, "sd": 0.1}
        if policy.triptych:
            parts |= {"low10": 0.8, "high90": 1.2}
        for part, factor in parts.items():
            images[part] = marks.file_name(key, part, ".nii.gz")
            write_volume(folder / images[part], factor * uptake())
        for part in ("", "ssp"):
            pages[part] = marks.file_name(key, part, ".png")
            Image.new("RGB", (640, 80), (40, 40, 40)).save(folder / pages[part])
    model = {
        "name": "tiny",
        "version": "1.0",
        "bundle_sha256": "a1" * 32,
        "weights_sha256": "b2" * 32,
    }
    sources = (Source("T1", t1.name, sha256),)
    synthetic = policy.synthetic
    record = {
        "Model": model if synthetic else None,
        "TracerName": f"{entry.label} (simulated)",
        "ReferenceRegion": entry.reference_region,
        "Sources": [{"Role": "T1", "Name": t1.name, "sha256": sha256}],
        "Steps": 4,
        "Seeds": [7, 8],
        "ConditioningVariables": {"Used": ["age", *cognition]},
    }
    columns = ("synthetic", "region", "side", "suvr", "interval90_low", "interval90_high", "z",
               "suvr_image_only", "note")  # fmt: skip
    rows = tuple(
        {
            "synthetic": "TRUE" if synthetic else "FALSE",
            "region": region,
            "side": side,
            "suvr": suvr,
            "interval90_low": low,
            "interval90_high": high,
            "z": z if z and suvr != MISSING else MISSING,
            "suvr_image_only": "1.1900" if cognition and suvr != MISSING else MISSING,
            "note": note,
        }
        for region, side, suvr, low, high, note in ROWS_OF_TABLE
    )
    return Finished(
        folder=folder,
        kind=QUANTIFY if measured else SYNTHESIZE,
        tracer=entry,
        release=replace(policy, withheld=()) if z else policy,
        simulated=False,
        withheld={},
        reference_region=entry.reference_region,
        regions_source="atlas, deformable",
        record=record,
        result={"files": {}},
        sources=sources,
        model=model if synthetic else {},
        images=images,
        pages=pages,
        record_name="",
        table_name="",
        table=RegionRows(columns, rows),
    )


def write_volume(path: Path, data: np.ndarray) -> None:
    """A volume on the T1's grid as a converter writes it."""
    import nibabel as nib

    image = nib.Nifti1Image(data, stored().affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(stored().affine, 1)
    image.set_qform(stored().affine, 1)
    nib.save(image, path)


def errors_of(path: Path) -> list[str]:
    """What ``dciodvfy`` calls an error in a file; skips where the tool is missing."""
    if DCIODVFY is None:
        pytest.skip("dciodvfy is missing (Debian: dicom3tools; `make system-packages`)")
    done = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, check=False)
    said = done.stderr.splitlines()
    return [line for line in said if line.startswith("Error") and line.strip() != _TOO_NEW]


def write(
    result: Finished,
    place: Path,
    objects: tuple[str, ...],
    *,
    source: bool = True,
    deidentify: bool = False,
    token: str = "",
) -> dict[str, Any]:
    """Write DICOM objects and read every file: path below the folder -> dataset."""
    import pydicom

    from PETSynthLib.export.dicom import write_dicom

    series = place / "t1"
    if source and not series.exists():
        write_t1(series)
    out = place / "out"
    out.mkdir()
    whose = series if source else None
    made = write_dicom(result, out, objects, whose, deidentify, Silent(), token)
    assert sorted(made) == sorted(path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): pydicom.dcmread(path) for path in made}
