"""The inputs of a job as files: in the MRI's own space, with voxels as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from PETSynthLib.errors import ErrorCode, PETSynthError

from .Environment import SceneEnvironment
from .Volumes import arrayOf, ijkToRas, numpyMatrix, onGridOf, setArray, shapeOf, vtkMatrix

_RIGID_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ExportedInputs:
    """What was written for a job, and the nodes it came from.

    Nodes are kept by ID: they may be gone when the job is done.
    """

    t1: Path
    flair: Path | None
    mask: Path | None
    t1Id: str
    flairId: str | None
    transformId: str | None
    t1Name: str


def exportInputs(
    env: SceneEnvironment,
    jobFolder: Path,
    t1Node: Any,
    flairNode: Any = None,
    maskNode: Any = None,
) -> ExportedInputs:
    """Write the inputs as uncompressed NRRD (the scans in their own type, mask uint8).

    The T1 goes out in its own space, whatever transform it is under; the PET comes back in that
    space and is put under the same transform. The FLAIR goes where it appears beside the T1, as
    far as that is a rigid motion, else into its own space: the job aligns it anyway.

    Parameters
    ----------
    env
        The scene.
    jobFolder
        Existing folder.
    t1Node, flairNode
        Scalar volumes.
    maskNode
        Label map, scalar volume (above zero is brain) or segmentation (all segments are joined).

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when a volume has no voxels or is no scalar volume; ``BAD_MASK`` when the
        mask is empty.
    """
    folder = Path(jobFolder)
    t1 = folder / "t1.nrrd"
    write(t1, plainCopy(t1Node, "T1", ijkToRas(t1Node)))
    flair = mask = None
    if flairNode is not None:
        flair = folder / "flair.nrrd"
        write(flair, plainCopy(flairNode, "FLAIR", placeBeside(flairNode, t1Node)))
    if maskNode is not None:
        mask = folder / "mask.nrrd"
        copy = _bare(t1Node)
        setArray(copy, maskOnGridOf(env, maskNode, t1Node))
        write(mask, copy)
    return ExportedInputs(
        t1=t1,
        flair=flair,
        mask=mask,
        t1Id=t1Node.GetID(),
        flairId=flairNode.GetID() if flairNode is not None else None,
        transformId=t1Node.GetTransformNodeID(),
        t1Name=t1Node.GetName(),
    )


def maskOnGridOf(env: SceneEnvironment, maskNode: Any, t1Node: Any) -> np.ndarray:
    """A mask on the T1's grid, uint8 array (K, J, I), where it lies over the T1 in the world."""
    if maskNode.IsA("vtkMRMLSegmentationNode"):
        inside = _joinedSegments(env, maskNode, t1Node)
    else:
        _requireVoxels(maskNode, "mask")
        inside = onGridOf(maskNode, t1Node, linear=False) > 0
    if not inside.any():
        raise PETSynthError(
            ErrorCode.BAD_MASK,
            f"The mask '{maskNode.GetName()}' has no voxel inside the T1.",
            "Choose another mask, or let it be found automatically.",
        )
    return inside.astype(np.uint8)


def _joinedSegments(env: SceneEnvironment, segmentation: Any, t1Node: Any) -> np.ndarray:
    labels = env.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    try:
        names = vtk.vtkStringArray()
        segmentation.GetSegmentation().GetSegmentIDs(names)
        slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(
            segmentation, names, labels, t1Node
        )
        if shapeOf(labels) != shapeOf(t1Node):
            return np.zeros(shapeOf(t1Node)[::-1], bool)
        return arrayOf(labels) > 0
    finally:
        colours = labels.GetDisplayNode().GetColorNode() if labels.GetDisplayNode() else None
        env.scene.RemoveNode(labels)
        if colours is not None and colours.GetAttribute("Category") == "Segmentation":
            env.scene.RemoveNode(colours)


def placeBeside(node: Any, t1Node: Any) -> np.ndarray:
    """Where ``node`` lies in the T1's own space; its own place when that is no rigid motion."""
    own = ijkToRas(node)
    above, aboveT1 = node.GetParentTransformNode(), t1Node.GetParentTransformNode()
    if any(t is not None and not t.IsTransformToWorldLinear() for t in (above, aboveT1)):
        return own
    between = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(above, aboveT1, between)
    motion = numpyMatrix(between)
    turn = motion[:3, :3]
    rigid = np.allclose(turn @ turn.T, np.eye(3), atol=_RIGID_TOLERANCE)
    return motion @ own if rigid and np.linalg.det(turn) > 0 else own


def _requireVoxels(node: Any, role: str) -> None:
    image = node.GetImageData()
    if image is None or image.GetNumberOfScalarComponents() != 1 or not image.GetNumberOfPoints():
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The {role} '{node.GetName()}' is no image of single values.",
            f"Choose another {role}.",
        )


def plainCopy(node: Any, role: str, place: np.ndarray) -> Any:
    """A node outside the scene with the same voxels, not copied, at ``place``."""
    _requireVoxels(node, role)
    copy = slicer.vtkMRMLScalarVolumeNode()
    copy.SetAndObserveImageData(node.GetImageData())
    copy.SetIJKToRASMatrix(vtkMatrix(place))
    return copy


def _bare(node: Any) -> Any:
    copy = slicer.vtkMRMLScalarVolumeNode()
    copy.SetIJKToRASMatrix(vtkMatrix(ijkToRas(node)))
    return copy


def write(path: Path, node: Any) -> None:
    """Write a volume as uncompressed NRRD; ``BAD_OUTPUT`` when the folder cannot be written to."""
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    storage.SetUseCompression(0)
    if not storage.WriteData(node):
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The job folder {path.parent} cannot be written to.",
            "Choose another job folder, or free some disk space.",
        )
