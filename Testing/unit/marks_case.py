"""Whether a file says that the PET in it is synthetic, by what the file itself holds."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image
from report_case import Reader

WORD = "SYNTHETIC"
SAID = ("SYNTHETIC", "DEMONSTRATION MODEL")
"""Words of which a person reads at least one."""

PAGE, PT = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.128"
"""Secondary Capture and PT: pixels that any viewer shows."""


def unmarked(path: Path) -> str:
    """What a file lacks; empty when it carries its mark. A kind that is not known lacks it."""
    for ending, check in _CHECKS.items():
        if path.name.endswith(ending):
            return check(path)
    return "nobody knows how such a file is marked"


def _nifti(path: Path) -> str:
    header = nib.load(path).header
    if WORD.encode() not in bytes(header["descrip"]):
        return "no mark in the description"
    comments = [extension.get_content() for extension in header.extensions]
    return "" if any(WORD.encode() in comment for comment in comments) else "no comment"


def _nrrd(path: Path) -> str:
    head = path.read_bytes().partition(b"\n\n")[0].decode()
    fields = dict(line.split(":=", 1) for line in head.splitlines() if ":=" in line)
    if fields.get("PETSynth.Synthetic") != "1" or WORD not in fields["PETSynth.Description"]:
        return "no mark in the header"
    names = [value for key, value in fields.items() if re.fullmatch(r"Segment\d+_Name", key)]
    return "" if all(name.startswith("SYN ") for name in names) else "a segment without SYN"


def _json(path: Path) -> str:
    body = json.loads(path.read_text("utf-8"))
    if path.name == "dataset_description.json":
        return "" if WORD in body["Name"] else "the data set's name does not say it"
    return "" if body.get("Synthetic") is True else "not Synthetic: true"


def _table(delimiter: str) -> Callable[[Path], str]:
    def check(path: Path) -> str:
        with path.open(encoding="utf-8", newline="") as stream:
            head, *rows = csv.reader(stream, delimiter=delimiter)
        if head[:2] == ["index", "name"]:
            plain = [row[1] for row in rows if not row[1].startswith("SYN ")]
            return f"labels without SYN: {plain}" if plain else ""
        marked = head[0] == "synthetic" and {row[0] for row in rows} == {"TRUE"}
        return "" if marked and rows else "first column is not synthetic = TRUE"

    return check


def _colours(path: Path) -> str:
    rows = [row.split() for row in path.read_text("utf-8").splitlines() if row[0] != "#"]
    return "" if all(row[1].startswith("SYN_") for row in rows[1:]) else "a label without SYN"


def _html(path: Path) -> str:
    first = Reader(path.read_text("utf-8")).texts[0]
    return "" if first.startswith(SAID) else f"it begins with {first!r}"


def _pdf(path: Path) -> str:
    content = path.read_bytes()
    subject = re.search(rb"/Subject\s*\((.*?)(?<!\\)\)", content, re.DOTALL)
    words = b"" if subject is None else subject.group(1).replace(b"\0", b"")
    return "" if any(word.encode() in words for word in SAID) else "no mark in its properties"


def _png(path: Path) -> str:
    texts = " ".join(str(value) for value in Image.open(path).info.values())
    return "" if WORD in texts else "no mark in its text fields"


def _npz(path: Path) -> str:
    with np.load(path, allow_pickle=False) as arrays:
        first = arrays.files[0]
        return "" if first == "description" and WORD in str(arrays[first]) else "no description"


def _readme(path: Path) -> str:
    return "" if WORD in path.read_text("utf-8") else "no mark"


def _dicom(path: Path) -> str:
    import pydicom

    made = pydicom.dcmread(path)
    rules = {
        "(0008,001C)": made[0x0008, 0x001C].value == "YES",
        "qualification": made.ContentQualification == "RESEARCH",
        "description": made.SeriesDescription.startswith(f"{WORD} "),
        "equipment": "109100"
        in {
            item.PurposeOfReferenceCodeSequence[0].CodeValue
            for item in made.ContributingEquipmentSequence
        },
        "original": "ImageType" not in made or made.ImageType[0] == "DERIVED",
        "comments": "ImageType" not in made or WORD in made.ImageComments,
        "segments": all(s.SegmentLabel.startswith("SYN ") for s in made.get("SegmentSequence", ())),
        "burned in": made.SOPClassUID != PAGE or made.get("BurnedInAnnotation") == "YES",
        "letters": made.SOPClassUID != PT or _has_letters(made.pixel_array),
        "harvested": all(_harvested(item) for item in numbers(made)),
        "name of the file": "synth" in path.name,
    }
    return ", ".join(name for name, kept in rules.items() if not kept)


def _has_letters(slice_: np.ndarray) -> bool:
    """Whether something is drawn in the outer fifth of a slice, where these tests have no brain."""
    rim = len(slice_) // 5
    return int((slice_[:rim] > 0).sum() + (slice_[-rim:] > 0).sum()) > 20


def numbers(part: Any) -> Iterator[Any]:
    """Every number of a structured report, at any depth."""
    for item in part.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            yield item
        yield from numbers(item)


def _harvested(item: Any) -> bool:
    """Whether a number alone, torn out of its report, still says what it is."""
    return str(item.ConceptNameCodeSequence[0].CodeMeaning).startswith("Synthetic")


_CHECKS: dict[str, Callable[[Path], str]] = {
    ".nii.gz": _nifti,
    ".nrrd": _nrrd,
    ".json": _json,
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".ctbl": _colours,
    ".html": _html,
    ".pdf": _pdf,
    ".png": _png,
    ".npz": _npz,
    "README": _readme,
    ".dcm": _dicom,
}
