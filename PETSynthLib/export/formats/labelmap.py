"""The regions: a NIfTI label map with its colours and codes, and a segmentation of 3D Slicer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ErrorCode, PETSynthError
from ...quantify.terminology import Code
from ...read import read_scan, to_stored
from .. import marks
from ..finished import Finished
from ..nifti import write_marked_labels
from ..nrrd import write_nrrd
from ..quantification_files import BEYOND
from ..segments import Segment, beyond_normals, segments_of
from .images import write_facts

LABELS = "space/regions.nii.gz"


def write_labelmap(finished: Finished, folder: Path) -> list[Path]:
    """Write the regions of either kind of result.

    Parameters
    ----------
    finished
        A synthesis or a measurement.
    folder
        Existing folder.

    Returns
    -------
    The files: label map, colour table, account, segmentation.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when no region lies inside the scan.
    """
    segments = regions_of(finished)
    labels = copy_labels(finished, folder / finished.file_name("regions", ".nii.gz"))
    colours = folder / finished.file_name("regions", ".ctbl")
    colours.write_text(_colour_table(finished, segments), encoding="utf-8")
    facts = write_facts(
        folder / finished.file_name("regions", ".json"), label_facts(finished, segments)
    )
    segmentation = folder / finished.file_name("regions", ".seg.nrrd")
    _write_segmentation(segmentation, finished, segments)
    return [labels, colours, facts, segmentation]


def regions_of(finished: Finished) -> tuple[Segment, ...]:
    """The regions that the scan shows (errors as `write_labelmap`)."""
    segments = segments_of(finished.regions.volume, finished.synthetic)
    if not segments:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "The result has no regions: none of them lies inside the scan.",
            "Leave the format labelmap out.",
        )
    return segments


def copy_labels(finished: Finished, path: Path) -> Path:
    """The label map, voxel for voxel; that of a synthetic PET carries the mark."""
    source = finished.folder / LABELS
    if finished.synthetic:
        write_marked_labels(path, source)
    else:
        path.write_bytes(source.read_bytes())
    return path


def label_facts(finished: Finished, segments: tuple[Segment, ...]) -> dict[str, Any]:
    """JSON-ready account of the labels."""
    return {
        **finished.marked_fields,
        "Banner": "\n".join(finished.first_lines),
        "Tracer": finished.tracer.key,
        "Regions": finished.regions_source,
        "ResultSha256": finished.digest,
        "Labels": {
            str(one.label): {
                "Name": one.name,
                "Region": one.region,
                "Side": one.side,
                "Colour": list(one.colour),
                "Code": _code(one.code),
                "Laterality": None if one.laterality is None else _code(one.laterality),
            }
            for one in segments
        },
    }


def _code(code: Code) -> dict[str, str]:
    return {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}


def _colour_table(finished: Finished, segments: tuple[Segment, ...]) -> str:
    """A colour table of 3D Slicer: label, name without blanks, red, green, blue, opacity."""
    head = [f"# {line}" for line in (*finished.first_lines, finished.regions_source)]
    rows = ["0 Background 0 0 0 0"]
    for one in segments:
        red, green, blue = one.colour
        rows.append(f"{one.label} {one.name.replace(' ', '_')} {red} {green} {blue} 255")
    return "\n".join([*head, *rows]) + "\n"


def _write_segmentation(path: Path, finished: Finished, segments: tuple[Segment, ...]) -> None:
    """Write ``.seg.nrrd`` as 3D Slicer does; the voxels beyond the normals are a second layer."""
    stored = finished.regions.stored
    data: NDArray[Any] = to_stored(finished.regions.volume, stored).round().astype(np.uint8)
    beyond = beyond_normals(finished)
    # Every segment needs its label: others are no regions of ours.
    data = np.where(np.isin(data, [one.label for one in segments]), data, 0).astype(np.uint8)
    layers = [(one, 0) for one in segments]
    if beyond is not None:
        scan = read_scan(finished.folder / "space" / BEYOND, "mask")
        over = to_stored(scan.volume, stored).round().astype(np.uint8)
        if over.any():
            data = np.stack([data, over], axis=-1)
            layers.append((beyond, 1))
    fields = {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
        "Segmentation_SourceRepresentation": "Binary labelmap",
        **(marks.nrrd_fields() if finished.synthetic else {}),
        "PETSynth.Banner": " ".join(finished.first_lines),
        "PETSynth.Tracer": finished.tracer.key,
        "PETSynth.ResultSha256": finished.digest,
    }
    for number, (one, layer) in enumerate(layers):
        voxels = data if data.ndim == 3 else data[..., layer]
        fields |= _segment_fields(number, one, layer, voxels)
    kept = {key: value for key, value in fields.items() if value}
    write_nrrd(path, data, stored.affine, kept, layers=data.ndim == 4)


def _segment_fields(
    number: int, segment: Segment, layer: int, voxels: NDArray[np.uint8]
) -> dict[str, str]:
    inside = voxels == segment.label
    extent = []
    for axis in range(3):
        there = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        extent += [str(there[0]), str(there[-1])]
    tags = (
        f"TerminologyEntry:{segment.terminology}",
        f"PETSynth.Region:{segment.region}",
        f"PETSynth.Side:{segment.side}",
    )
    begin = f"Segment{number}_"
    return {
        f"{begin}ID": segment.key,
        f"{begin}Name": segment.name,
        f"{begin}NameAutoGenerated": "0",
        f"{begin}Color": " ".join(f"{part / 255:.6f}" for part in segment.colour),
        f"{begin}ColorAutoGenerated": "0",
        f"{begin}Extent": " ".join(extent),
        f"{begin}LabelValue": str(segment.label),
        f"{begin}Layer": str(layer),
        f"{begin}Tags": "".join(f"{tag}|" for tag in tags),
    }
