"""Regional values as a measurement report (TID 1500), every one of which names what it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...quantify.terminology import BOTH_SIDES, SIDES, code_of
from .. import marks
from ..columns import NO_UNIT, RATIO, suvr_code, z_code
from ..finished import Finished
from ..region_rows import MISSING, RegionRows
from ..segments import segment_name
from ..tables import region_words
from .codes import (
    BOUNDS,
    DERIVATION,
    HIDDEN,
    HIDDEN_ANYHOW,
    IMAGE_ONLY,
    REASONS,
    concept,
)
from .stamp import MAKER, Stamp
from .study import Study

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def write_report(
    finished: Finished,
    study: Study,
    stamp: Stamp,
    folder: Path,
    segmentation: Dataset,
) -> Path:
    """Write every value that the result's table shows.

    Parameters
    ----------
    segmentation
        To whose segments the values of single regions refer.
    """
    from highdicom.sr import Comprehensive3DSR
    from pydicom.uid import generate_uid

    content = _content(finished, study, stamp, segmentation)
    # All images behind the segmentation belong to the evidence, or highdicom refuses it.
    evidence = [segmentation, *(study.slices if study.real else ())]
    made = Comprehensive3DSR(
        evidence=evidence,
        content=content[0],
        series_instance_uid=generate_uid(prefix=None),
        series_number=study.series_number("sr"),
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        is_complete=True,
        **stamp.equipment,
    )
    stamp.press(made, "values")
    return stamp.save(made, folder / finished.file_name("values", ".dcm"))


def _content(finished: Finished, study: Study, stamp: Stamp, segmentation: Dataset) -> Any:
    """The template with all its groups."""
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
        RelationshipTypeValues,
        TextContentItem,
    )
    from pydicom.sr.codedict import codes as known
    from pydicom.uid import generate_uid

    segments = {one.SegmentLabel: one for one in segmentation.SegmentSequence}
    report = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(
                known.DCM.Device,
                DeviceObserverIdentifyingAttributes(
                    uid=generate_uid(prefix=None),
                    name=MAKER,
                    manufacturer_name=MAKER,
                    model_name=MAKER,
                    serial_number=stamp.serial,
                ),
            )
        ),
        procedure_reported=concept(DERIVATION[finished.synthetic]),
        imaging_measurements=[
            _group(finished, study, segmentation, segments, row) for row in finished.table.rows
        ],
    )
    for line in _lines(finished):
        report[0].ContentSequence.append(
            TextContentItem(
                known.DCM.Comment, line, relationship_type=RelationshipTypeValues.CONTAINS
            )
        )
    return report


def _lines(finished: Finished) -> list[str]:
    """What has to be said beside the values."""
    words = region_words(finished.reference_region)
    unit = suvr_code(finished.synthetic).meaning
    return [
        *finished.first_lines,
        f"{unit}, {finished.tracer.long_name}, reference {words}.",
        f"Regions: {finished.regions_source}.",
        *([f"{marks.AMBIGUOUS}."] if finished.release.triptych else []),
        *([marks.NOT_ACQUIRED, marks.DO_NOT_USE] if finished.synthetic else [marks.ACQUIRED]),
    ]


def _group(
    finished: Finished,
    study: Study,
    segmentation: Dataset,
    segments: Mapping[str, Dataset],
    row: Mapping[str, str],
) -> Any:
    """One row: TID 1411 where a segment shows its region, TID 1501 for composites."""
    from highdicom.sr import (
        FindingSite,
        MeasurementsAndQualitativeEvaluations,
        ReferencedSegment,
        SourceSeriesForSegmentation,
        TrackingIdentifier,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )
    from pydicom.uid import generate_uid

    region, side = row["region"], row["side"]
    name = segment_name(region, side, finished.synthetic)
    segment = segments.get(name)
    laterality = {**SIDES, "both": BOTH_SIDES}.get(side)
    facts: dict[str, Any] = {
        "finding_type": concept(code_of(region)),
        "finding_sites": [
            FindingSite(
                concept(code_of(region)),
                laterality=None if laterality is None else concept(laterality),
            )
        ],
        "measurements": _measurements(finished.synthetic, row),
        "qualitative_evaluations": _evaluations(finished.synthetic, row),
    }
    if segment is None:
        identifier = TrackingIdentifier(generate_uid(prefix=None), name)
        return MeasurementsAndQualitativeEvaluations(identifier, **facts)
    # By hand: `from_segmentation` fails on a segmentation of a single segment.
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        TrackingIdentifier(segment.TrackingUID, segment.TrackingID),
        referenced_segment=ReferencedSegment(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            segment.SegmentNumber,
            source_series=SourceSeriesForSegmentation(study.slices[0].SeriesInstanceUID),
        ),
        **facts,
    )


def _measurements(synthetic: bool, row: Mapping[str, str]) -> list[Any]:
    """The numbers of a row; each carries the mark in its own name."""
    from highdicom.sr import Measurement

    low, high = BOUNDS[synthetic]
    wanted = {
        "suvr": (suvr_code(synthetic), RATIO),
        "interval90_low": (low, RATIO),
        "interval90_high": (high, RATIO),
        "suvr_image_only": (IMAGE_ONLY, RATIO),
        "z": (z_code(synthetic), NO_UNIT),
    }
    found = []
    for column, (name, unit) in wanted.items():
        value = RegionRows.number(row, column)
        if value is not None:
            found.append(Measurement(concept(name), value, concept(unit)))
    return found


def _evaluations(synthetic: bool, row: Mapping[str, str]) -> list[Any]:
    """Why a row has no numbers."""
    from highdicom.sr import QualitativeEvaluation

    note = row.get("note", MISSING)
    if note == MISSING:
        return []
    reason = REASONS.get(note, HIDDEN_ANYHOW)
    return [QualitativeEvaluation(concept(HIDDEN[synthetic]), concept(reason))]
