"""What every DICOM object says of itself, and the one door to the disk, which checks that it does.

A writer makes its object, has it pressed (`Stamp.press`) and gives it to `save`. Nothing else in
this folder writes a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...tracers import Tracer
from .. import marks
from ..columns import SCHEME
from ..policy import Release
from . import codes
from .identity import without_dates

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MAKER = "PETSynth"
"""Manufacturer and model name: ours, never the scanner's."""
SYNTHESIZING, PROCESSING = "109100", "109102"
"""What our software was: for a synthetic PET, for an acquired one (DICOM CID 7005)."""
LONGEST_DESCRIPTION = 64
LONGEST_DERIVATION = 1024
_MARKED_ITEMS = ("NUM", "CODE")


@dataclass(frozen=True)
class Stamp:
    """What the objects of one export have in common.

    Attributes
    ----------
    tracer, release
        What the PET shows, and what may be shown of it.
    derivation
        How it came to be (`derivation_text`).
    serial
        Device Serial Number: beginning of the digest of the model's bundle.
    deidentified
        Whether no date is written.
    """

    tracer: Tracer
    release: Release
    derivation: str
    serial: str
    deidentified: bool = False

    @property
    def equipment(self) -> dict[str, Any]:
        """Our software as the equipment, in highdicom's words."""
        return {
            "manufacturer": MAKER,
            "manufacturer_model_name": MAKER,
            "software_versions": __version__,
            "device_serial_number": self.serial,
        }

    def description(self, what: str = "SUVR") -> str:
        """Series Description."""
        if self.release.synthetic:
            return marks.series_description(self.tracer, what)
        return f"{self.tracer.label} {what}, research software, not for diagnosis"

    def press(self, dataset: Dataset, what: str = "SUVR", comment: str = "") -> None:
        """Set every attribute that says what the object is.

        Parameters
        ----------
        dataset
            The finished object.
        what
            What the series holds, for its description.
        comment
            Sentence beside the disclaimer in Image Comments.
        """
        from highdicom import ContributingEquipment
        from pydicom.sr.codedict import codes as known

        synthetic = self.release.synthetic
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.add_new(0x0008001C, "CS", "YES" if synthetic else "NO")
        dataset.ContentQualification = "RESEARCH"
        dataset.SeriesDescription = self.description(what)
        purpose = known.DCM.SynthesizingEquipment if synthetic else known.DCM.ProcessingEquipment
        dataset.ContributingEquipmentSequence = [
            ContributingEquipment(
                MAKER,
                purpose,
                manufacturer_model_name=MAKER,
                software_versions=__version__,
                device_serial_number=self.serial,
                contribution_description=marks.DICOM_CONTRIBUTION if synthetic else None,
            )
        ]
        dataset.CodingSchemeIdentificationSequence = codes.schemes()
        if "ImageType" not in dataset:
            return
        dataset.BodyPartExamined = "HEAD"
        dataset.DerivationDescription = self.derivation
        lines = [marks.DICOM_COMMENTS if synthetic else marks.ACQUIRED, comment]
        dataset.ImageComments = "\n".join(filter(None, (*lines, self.release.banner)))
        dataset.DerivationCodeSequence = [codes.concept(codes.DERIVATION[synthetic])]

    def save(self, dataset: Dataset, path: Path) -> Path:
        """Write a pressed object.

        Raises
        ------
        ValueError
            When a synthetic object lacks a mark: a fault of the program, never of its user.
        """
        if missing := complaints(dataset) if self.release.synthetic else []:
            msg = f"{path.name}: {'; '.join(missing)}"
            raise ValueError(msg)
        if self.deidentified:
            without_dates(dataset)
        dataset.save_as(path, enforce_file_format=True)
        return path


def derivation_text(record: Mapping[str, Any]) -> str:
    """How a PET came to be, in at most 1024 characters, without a file's or a person's name.

    Parameters
    ----------
    record
        The JSON file of the result.
    """
    model = record.get("Model")
    sources = record.get("Sources", ())
    read = ", ".join(f"{one['Role']} sha256 {one['sha256']}" for one in sources)
    parts = [f"PETSynth {__version__}"]
    if model:
        weights = model.get("weights_sha256") or "none"
        parts += [
            f"model {model['name']} {model['version']}",
            f"bundle sha256 {model['bundle_sha256']}, weights sha256 {weights}",
        ]
    if "Steps" in record and model:
        seeds = " ".join(str(seed) for seed in record.get("Seeds", ())) or "none"
        used = ", ".join(record.get("ConditioningVariables", {}).get("Used", ())) or "nothing"
        parts += [f"steps {record['Steps']}, seeds {seeds}", f"used beside the MRI: {used}"]
    parts += [f"reference region {record['ReferenceRegion']}", f"inputs: {read}"]
    if model:
        parts.append(f"tracer {record['TracerName']}, no radiopharmaceutical was given")
    text = "; ".join(parts) + "."
    return text if len(text) <= LONGEST_DERIVATION else text[: LONGEST_DERIVATION - 3] + "..."


def complaints(dataset: Dataset) -> list[str]:
    """The marks that an object of a synthetic PET lacks; empty when it has them all."""
    from pydicom.dataset import Dataset as Empty

    element = dataset.get((0x0008, 0x001C))
    equipment = dataset.get("ContributingEquipmentSequence") or [Empty()]
    described = str(dataset.get("SeriesDescription", ""))
    rules = {
        "(0008,001C) is not YES": element is None or element.value != "YES",
        "Content Qualification is not RESEARCH": dataset.get("ContentQualification") != "RESEARCH",
        "the series description does not begin with the mark": not described.startswith(marks.WORD),
        "the series description is too long": len(described) > LONGEST_DESCRIPTION,
        "the manufacturer is not ours": dataset.get("Manufacturer") != MAKER,
        "Contributing Equipment does not say what made it": SYNTHESIZING
        not in _purposes(equipment),
    }
    if "ImageType" in dataset:
        comments = str(dataset.get("ImageComments", ""))
        rules |= {
            "it claims to be original": dataset.ImageType[0] != "DERIVED",
            "no disclaimer in Image Comments": marks.NOT_ACQUIRED not in comments
            or marks.WORD not in comments,
            "no derivation": not dataset.get("DerivationDescription"),
        }
    return [words for words, broken in rules.items() if broken] + [
        f"unmarked: {name}" for name in unmarked(dataset)
    ]


def unmarked(dataset: Dataset) -> Iterator[str]:
    """Names by which parts of an object would be harvested, as far as they lack the mark.

    Labels of segments, labels and quantities of real-world values, concept names of values.
    """
    for segment in dataset.get("SegmentSequence", ()):
        if not segment.SegmentLabel.startswith(marks.segment_label("")):
            yield segment.SegmentLabel
    if (label := dataset.get("ContentLabel")) is not None and marks.SHORT not in label:
        yield label
    for item in _everywhere(dataset, "RealWorldValueMappingSequence"):
        if marks.SHORT not in item.LUTLabel:
            yield item.LUTLabel
    for item in _everywhere(dataset, "ContentSequence"):
        if item.get("ValueType") in _MARKED_ITEMS and not _names_the_mark(item):
            yield item.ConceptNameCodeSequence[0].CodeMeaning


def _names_the_mark(item: Dataset) -> bool:
    """Whether a value says by its name that it is synthetic, or is no value of the PET at all."""
    name = item.ConceptNameCodeSequence[0]
    if item.ValueType == "CODE" and name.CodingSchemeDesignator != SCHEME:
        return True  # the report's own context: language, procedure, finding site
    return str(name.CodeMeaning).lower().startswith(marks.WORD.lower())


def _everywhere(dataset: Dataset, keyword: str) -> Iterator[Dataset]:
    """Items of every sequence of that name, at any depth."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                if element.keyword == keyword:
                    yield item
                yield from _everywhere(item, keyword)


def _purposes(equipment: Sequence[Dataset]) -> set[str]:
    return {
        code.CodeValue
        for item in equipment
        for code in item.get("PurposeOfReferenceCodeSequence", ())
    }
