"""Label maps as segmentations: the brain mask, and the outlines of the tracer's target region."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer

from PETSynthLib.export import marks
from PETSynthLib.quantify.regions import labels_of, title_of
from PETSynthLib.tracers import Tracer

from .Colours import restrictToViews
from .Volumes import adoptGrid, arrayOf, readVolume, setArray

BRAIN_COLOUR = (0.85, 0.85, 0.65)
SIDES = {"L": "left", "R": "right", "B": "middle"}
SIDE_COLOURS = {"L": (1.0, 1.0, 1.0), "R": (0.75, 1.0, 0.75), "B": (0.9, 0.9, 1.0)}
_BRAIN = (
    "Segmentation category and type - DICOM master list"
    "~SCT^123037004^Anatomical Structure~SCT^12738006^Brain~^^"
    "~Anatomic codes - DICOM master list~^^~^^"
)


def readMask(scene: Any, path: Path, t1Node: Any) -> Any:
    """The brain mask file as segmentation of one hidden segment."""
    labels = readLabels(path, t1Node)
    return _segmentation(scene, labels, {1: (f"{marks.SHORT} brain", BRAIN_COLOUR, _BRAIN)})


def readOutlines(scene: Any, path: Path, t1Node: Any, tracer: Tracer) -> Any:
    """The tracer's target region, left and right, from the file of all regions; 2D outlines.

    Parameters
    ----------
    path
        Label map in the numbers of `PETSynthLib.quantify.regions`.

    Returns
    -------
    Segmentation node, or None when the scan shows nothing of the region.
    """
    labels = readLabels(path, t1Node)
    atlas = arrayOf(labels)
    target = np.zeros(atlas.shape, np.uint8)
    rows = {}
    for number, (side, word) in enumerate(SIDES.items(), 1):
        inside = np.isin(atlas, _labels(tracer.target_region, side))
        if inside.any():
            target[inside] = number
            name = f"{marks.SHORT} {title_of(tracer.target_region)} {word}"
            rows[number] = (name, SIDE_COLOURS[side], "")
    if not rows:
        return None
    setArray(labels, target)
    return _segmentation(scene, labels, rows)


def dressMask(node: Any) -> None:
    """The look of the brain mask: hidden until the user wants it."""
    node.GetDisplayNode().SetVisibility(False)


def dressOutlines(node: Any) -> None:
    """The look of the target region: thin outlines in slices, nothing in 3D."""
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetVisibility3D(False)
    display.SetSliceIntersectionThickness(1)


def showOutlinesIn(node: Any, viewIds: list[str]) -> None:
    """Restrict outlines to the views of these IDs."""
    restrictToViews(node.GetDisplayNode(), viewIds)


def _labels(region: str, side: str) -> tuple[int, ...]:
    try:
        return labels_of(region, side)
    except KeyError:  # no unpaired part, or no such side
        return ()


def readLabels(path: Path, t1Node: Any) -> Any:
    """A label map file as node, on the T1's grid."""
    node = readVolume(path, labels=True)
    if t1Node is not None:
        adoptGrid(node, t1Node)
    return node


def _segmentation(
    scene: Any, labels: Any, rows: dict[int, tuple[str, tuple[float, float, float], str]]
) -> Any:
    """A new segmentation of a label map; one segment a row that has voxels.

    Segment names are set by the numbers of the labels, not by the order of the import.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.ImportLabelmapToSegmentationNode(labels, node, "")
    segmentation = node.GetSegmentation()
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        name, colour, terminology = rows[segment.GetLabelValue()]
        segment.SetName(name)
        segment.SetColor(*colour)
        if terminology:
            segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminology)
    return node
