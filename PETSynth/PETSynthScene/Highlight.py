"""A region in all views: crosshair and slices go there, its outline and its surface show it."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from .Attributes import ROLE, Role
from .Environment import SceneEnvironment
from .RegionSegments import segmentsOf
from .SurfaceOutline import keepOffSurface, outlineOnSurface, removeOutlines

COLOUR = (1.0, 0.9, 0.2)
_OPACITY = 0.7


def showRegion(env: SceneEnvironment, regions: Any, region: str, side: str) -> Any:
    """Go to a region, outline it in slices and show it as a surface.

    Parameters
    ----------
    env
        The scene.
    regions
        Segmentation of a measurement (`RegionSegments.readRegions`).
    region, side
        As in a row of the table.

    Returns
    -------
    World position (R, A, S) that the views went to; None when the segmentation has no such region
    (a reference region), and nothing is changed.
    """
    names = segmentsOf(regions, region, side)
    if not names:
        return None
    _outline(regions, names)
    _surface(env, regions, names)
    outlineOnSurface(env, region, side)
    # Of a region in several parts the first: a mean of left and right lies in neither.
    place = _middle(regions, names[0])
    _goTo(env, place)
    return place


def hideRegion(env: SceneEnvironment, regions: Any) -> None:
    """Put outlines and surface away; the views stay where they are."""
    regions.GetDisplayNode().SetVisibility(False)
    for node in highlights(env):
        env.scene.RemoveNode(node)
    removeOutlines(env)


def highlights(env: SceneEnvironment) -> list[Any]:
    """The surfaces that show a region; at most one."""
    models = env.nodes("vtkMRMLModelNode")
    return [node for node in models if node.GetAttribute(ROLE) == Role.HIGHLIGHT.value]


def _outline(regions: Any, names: list[str]) -> None:
    display = regions.GetDisplayNode()
    wasModifying = display.StartModify()
    segmentation = regions.GetSegmentation()
    for index in range(segmentation.GetNumberOfSegments()):
        name = segmentation.GetNthSegmentID(index)
        display.SetSegmentVisibility(name, name in names)
    display.SetVisibility2DOutline(True)
    display.SetVisibility2DFill(False)
    display.SetSliceIntersectionThickness(2)
    display.SetVisibility(True)
    display.EndModify(wasModifying)


def showAllRegions(regions: Any) -> None:
    """Every segment visible, as the Segment Editor wants them."""
    display = regions.GetDisplayNode()
    wasModifying = display.StartModify()
    segmentation = regions.GetSegmentation()
    for index in range(segmentation.GetNumberOfSegments()):
        display.SetSegmentVisibility(segmentation.GetNthSegmentID(index), True)
    display.SetVisibility(True)
    display.EndModify(wasModifying)


def _surface(env: SceneEnvironment, regions: Any, names: list[str]) -> None:
    """One model of the region in all 3D views; the segmentation itself would make eighty."""
    joined = vtk.vtkAppendPolyData()
    segmentation = regions.GetSegmentation()
    # Segments share their label map unless they were edited: one search for all of one map.
    labels: dict[str, tuple[Any, list[int]]] = {}
    for name in names:
        image = _imageOf(segmentation.GetSegment(name))
        found = labels.setdefault(image.GetAddressAsString(""), (image, []))
        found[1].append(segmentation.GetSegment(name).GetLabelValue())
    for image, values in labels.values():
        joined.AddInputData(_boundary(image, values))
    joined.Update()
    shown = highlights(env)
    if shown:
        node = shown[0]
    else:
        node = slicer.vtkMRMLModelNode()
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        node.SetAttribute(ROLE, Role.HIGHLIGHT.value)
        node = env.scene.AddNode(node)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetSaveWithScene(False)
        display.SetColor(*COLOUR)
        display.SetOpacity(_OPACITY)
        display.SetVisibility2D(False)
    node.SetName(f"{segmentation.GetSegment(names[0]).GetName()} (highlighted)")
    keepOffSurface(env, node.GetDisplayNode())
    node.SetAndObservePolyData(joined.GetOutput())
    node.SetAndObserveTransformNodeID(regions.GetTransformNodeID())


def _middle(regions: Any, name: str) -> tuple[float, ...]:
    """World position of the voxel of a segment that is nearest to the middle of all its voxels."""
    segment = regions.GetSegmentation().GetSegment(name)
    image = _imageOf(segment)
    voxels = np.argwhere(_arrayOf(image) == segment.GetLabelValue())
    nearest = voxels[np.argmin(((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1))][::-1]
    extent = image.GetExtent()
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    own = matrix.MultiplyPoint([*(int(n) + extent[2 * a] for a, n in enumerate(nearest)), 1.0])
    toWorld = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        regions.GetParentTransformNode(), None, toWorld
    )
    return tuple(toWorld.TransformPoint(own[:3]))


def _boundary(image: Any, labels: list[int]) -> Any:
    """The surface around these labels in the segmentation's own millimetres."""
    mask = np.isin(_arrayOf(image), labels)
    ends = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    # With a margin of one voxel, so that the surface is closed where the image ends.
    low = [int(one[0]) for one in ends]
    part = np.pad(mask[tuple(slice(n, int(e[-1]) + 1) for n, e in zip(low, ends, strict=True))], 1)
    k, j, i = part.shape
    plain = vtk.vtkImageData()
    first = [image.GetExtent()[2 * axis] + low[2 - axis] - 1 for axis in range(3)]
    plain.SetExtent(
        *(n for a, size in enumerate((i, j, k)) for n in (first[a], first[a] + size - 1))
    )
    plain.GetPointData().SetScalars(numpy_to_vtk(part.ravel().astype(np.uint8), deep=True))
    edges = vtk.vtkDiscreteFlyingEdges3D()
    edges.SetInputData(plain)
    edges.SetValue(0, 1)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    transform = vtk.vtkTransform()
    transform.SetMatrix(matrix)
    place = vtk.vtkTransformPolyDataFilter()
    place.SetInputConnection(edges.GetOutputPort())
    place.SetTransform(transform)
    place.Update()
    return place.GetOutput()


def _imageOf(segment: Any) -> Any:
    """The label map in which a segment lies."""
    kind = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    return segment.GetRepresentation(kind)


def _arrayOf(image: Any) -> np.ndarray:
    """Its voxels, shape (K, J, I)."""
    i, j, k = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i)


def _goTo(env: SceneEnvironment, place: Any) -> None:
    crosshair = env.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if crosshair is not None:
        crosshair.SetCrosshairRAS(*place)
        if crosshair.GetCrosshairMode() == crosshair.NoCrosshair:
            crosshair.SetCrosshairMode(crosshair.ShowBasic)
    for node in env.nodes("vtkMRMLSliceNode"):
        node.JumpSlice(*place)
