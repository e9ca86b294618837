"""The images of a measurement as files: an acquired PET on its MRI, the regions of the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.quantify.parcellation import number_of

from .Environment import SceneEnvironment
from .Exporting import exportInputs, placeBeside, plainCopy, write
from .RegionSegments import REGION_TAG, SIDE_TAG, tagOf
from .Simulated import tellSimulated
from .Volumes import arrayOf, ijkToRas, onGridOf, setArray, shapeOf, vtkMatrix


@dataclass(frozen=True)
class MeasuredImages:
    """Files of a measurement; ``regions`` None for the atlas."""

    t1: Path
    pet: Path
    regions: Path | None


def exportMeasured(
    env: SceneEnvironment, jobFolder: Path, t1Node: Any, petNode: Any, regionsNode: Any = None
) -> MeasuredImages:
    """Write T1, acquired PET and the user's regions as uncompressed NRRD.

    The PET goes where it appears beside the T1, as far as that is a rigid motion.

    Parameters
    ----------
    env
        The scene.
    jobFolder
        Existing folder.
    t1Node, petNode
        Scalar volumes.
    regionsNode
        Label map or segmentation in FreeSurfer's numbers (or of our own segments), or None.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when a volume is none of single values; ``BAD_DATA`` when no region lies on
        the T1.
    """
    folder = Path(jobFolder)
    inputs = exportInputs(env, folder, t1Node)
    pet = folder / "pet.nrrd"
    write(pet, plainCopy(petNode, "PET", placeBeside(petNode, t1Node)))
    tellSimulated(t1Node, inputs.t1)
    tellSimulated(petNode, pet)
    return MeasuredImages(inputs.t1, pet, exportRegions(env, folder, t1Node, regionsNode))


def exportRegions(
    env: SceneEnvironment, jobFolder: Path, t1Node: Any, regionsNode: Any
) -> Path | None:
    """Write the user's regions on the grid of the T1; None for none. Errors as `exportMeasured`."""
    if regionsNode is None:
        return None
    if regionsNode.IsA("vtkMRMLSegmentationNode"):
        labels = _ofSegments(env, regionsNode, t1Node)
    else:
        labels = onGridOf(regionsNode, t1Node, linear=False).round().astype(np.int32)
    if not labels.any():
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The regions '{regionsNode.GetName()}' do not lie on the T1w.",
            "Choose the parcellation of this T1w, or the built-in atlas.",
        )
    copy = slicer.vtkMRMLScalarVolumeNode()
    copy.SetIJKToRASMatrix(vtkMatrix(ijkToRas(t1Node)))
    setArray(copy, labels)
    path = Path(jobFolder) / "regions.nrrd"
    write(path, copy)
    return path


def _ofSegments(env: SceneEnvironment, node: Any, t1Node: Any) -> np.ndarray:
    """FreeSurfer's numbers of a segmentation on the T1's grid, (K, J, I).

    A segment of ours is known by its tags, any other by the value it had in its label map.
    """
    segmentation = node.GetSegmentation()
    names = vtk.vtkStringArray()
    numbers = [0]
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        number = _numberOf(segment)
        if number:
            names.InsertNextValue(segmentation.GetNthSegmentID(index))
            numbers.append(number)
    labels = env.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    try:
        slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(
            node, names, labels, t1Node
        )
        if len(numbers) == 1 or shapeOf(labels) != shapeOf(t1Node):
            return np.zeros(shapeOf(t1Node)[::-1], np.int32)
        return np.array(numbers, np.int32)[arrayOf(labels).astype(np.intp)]
    finally:
        display = labels.GetDisplayNode()
        colours = display.GetColorNode() if display is not None else None
        env.scene.RemoveNode(labels)
        if colours is not None and colours.GetAttribute("Category") == "Segmentation":
            env.scene.RemoveNode(colours)


def _numberOf(segment: Any) -> int:
    region, side = tagOf(segment, REGION_TAG), tagOf(segment, SIDE_TAG)
    if region:
        return next(iter(number_of(region, side)), 0)
    return int(segment.GetLabelValue())
