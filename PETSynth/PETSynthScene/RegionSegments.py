"""The measured regions as one segmentation: names with their mark, terminology, colours.

All regions share one label map (they do not overlap), so that eighty segments cost what one does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from PETSynthLib.assets import region_names
from PETSynthLib.export import marks
from PETSynthLib.quantify.regions import SIDE_WORDS, labels_of, title_of
from PETSynthLib.quantify.terminology import (
    ANATOMICAL_STRUCTURE,
    SIDES,
    Code,
    code_of,
    colour_of,
)

from .Environment import SceneEnvironment
from .Segments import readLabels
from .Volumes import arrayOf, ijkToRas, vtkMatrix

REGION_TAG, SIDE_TAG = "PETSynth.Region", "PETSynth.Side"
"""Tags of a segment: its region and side as in the table."""
BEYOND_ID = "beyond_normals"
BEYOND_COLOUR = (0.85, 0.25, 0.1)
_CONTEXT = "Segmentation category and type - DICOM master list"
_REGIONAL = "Anatomic codes - DICOM master list"
_NOTHING = "^^"


def readRegions(
    env: SceneEnvironment, path: Path, t1Node: Any, synthetic: bool
) -> tuple[Any, dict[int, np.ndarray]]:
    """The regions of a measurement as segmentation node.

    Parameters
    ----------
    env
        The scene.
    path
        Label map in the numbers of `PETSynthLib.quantify.regions`.
    t1Node
        On whose grid it lies, or None.
    synthetic
        Whether they were laid for a synthetic PET: then every segment says so.

    Returns
    -------
    The node, and label -> how many voxels it has.
    """
    labels = readLabels(path, t1Node)
    node = env.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    counts = np.bincount(arrayOf(labels).astype(np.int64).ravel())
    image = _oriented(labels)
    prefix = f"{marks.SHORT} " if synthetic else ""
    for label, (region, side) in region_names().items():
        if label < len(counts) and counts[label]:
            words = "" if side == "B" else f" {SIDE_WORDS[side]}"
            segment = _segment(image, label, f"{prefix}{title_of(region)}{words}")
            segment.SetColor(*(part / 255.0 for part in colour_of(region)))
            _setTerminology(segment, code_of(region), SIDES.get(side))
            segment.SetTag(REGION_TAG, region)
            segment.SetTag(SIDE_TAG, side)
            node.GetSegmentation().AddSegment(segment, f"{region}.{side}")
    return node, counts


def addBeyond(node: Any, path: Path, t1Node: Any, words: str) -> bool:
    """Add the voxels beyond the normals as the last segment; False when there are none.

    Parameters
    ----------
    path
        Label map of zeros and ones.
    words
        Its name, e.g. ``"decreased z > 2"``.
    """
    labels = readLabels(path, t1Node)
    if not arrayOf(labels).any():
        return False
    segment = _segment(_oriented(labels), 1, words)
    segment.SetColor(*BEYOND_COLOUR)
    _setTerminology(segment, Code("12738006", "SCT", "Brain"), None)
    node.GetSegmentation().AddSegment(segment, BEYOND_ID)
    node.GetDisplayNode().SetSegmentVisibility(BEYOND_ID, True)
    return True


def dressRegions(node: Any) -> None:
    """The look of the regions: thin outlines in slices, hidden until the user wants them."""
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetVisibility3D(False)
    display.SetVisibility(False)


def segmentsOf(node: Any, region: str, side: str) -> list[str]:
    """IDs of the segments of a region or composite on a side (``both``: all there are)."""
    try:
        wanted = {region_names()[label] for label in labels_of(region, side)}
    except KeyError:  # a reference region, or white matter
        return []
    found = []
    segmentation = node.GetSegmentation()
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        if (tagOf(segment, REGION_TAG), tagOf(segment, SIDE_TAG)) in wanted:
            found.append(segmentation.GetNthSegmentID(index))
    return found


def tagOf(segment: Any, name: str) -> str:
    """A tag of a segment; empty when it has none."""
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""


def _segment(image: Any, label: int, name: str) -> Any:
    segment = slicer.vtkSegment()
    kind = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    segment.SetName(name)
    segment.AddRepresentation(kind, image)
    segment.SetLabelValue(label)
    return segment


def _setTerminology(segment: Any, what: Code, side: Code | None) -> None:
    parts = (_CONTEXT, _coded(ANATOMICAL_STRUCTURE), _coded(what), _coded(side))
    entry = "~".join((*parts, _REGIONAL, _NOTHING, _NOTHING))
    segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), entry)


def _coded(code: Code | None) -> str:
    return _NOTHING if code is None else f"{code.scheme}^{code.value}^{code.meaning}"


def _oriented(labels: Any) -> Any:
    """The voxels of a label map as segments hold them: 8 bits, the box that is not empty."""
    array = arrayOf(labels)
    inside = [np.flatnonzero(array.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    box = [slice(int(one[0]), int(one[-1]) + 1) for one in inside] if inside[0].size else None
    image = slicer.vtkOrientedImageData()
    if box is None:
        return image
    part = np.ascontiguousarray(array[tuple(box)].astype(np.uint8))
    k, j, i = ((one.start, one.stop - 1) for one in box)
    image.SetExtent(*i, *j, *k)
    scalars = vtk.util.numpy_support.numpy_to_vtk(part.ravel(), deep=True)
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    image.SetGeometryFromImageToWorldMatrix(vtkMatrix(ijkToRas(labels)))
    return image
