"""What a segment of ours was measured to be: for Slicer's Segment Statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from .Attributes import Role, isSynthetic, resultDigest, roleOf
from .Environment import SceneEnvironment
from .RegionSegments import REGION_TAG, SIDE_TAG, tagOf
from .RegionTable import number, rowsOf

_SAME_ML = 1e-3
"""Largest relative difference between the volume of a segment and that in its row."""
_COLUMNS = {"suvr": "suvr", "low": "interval90_low", "high": "interval90_high", "z": "z"}


def measuredOf(env: SceneEnvironment, segmentation: Any, segmentId: str) -> dict[str, float]:
    """Values of a segment by name (``suvr``, ``low``, ``high``, ``z``), as its table has them.

    Only what is shown in the table; nothing for a segment that is none of ours, or that was edited
    since: its volume is no longer that of the row. Names of a synthetic PET's begin with
    ``synthetic_``.
    """
    table = _tableOf(env, segmentation)
    segment = segmentation.GetSegmentation().GetSegment(segmentId)
    if table is None or segment is None:
        return {}
    place = (tagOf(segment, REGION_TAG), tagOf(segment, SIDE_TAG))
    row = next((r for r in rowsOf(table) if (r["region"], r["side"]) == place), None)
    if row is None or abs(_millilitres(segment) / number(row["ml"]) - 1.0) > _SAME_ML:
        return {}
    prefix = "synthetic_" if isSynthetic(segmentation) else ""
    values = {prefix + name: number(row.get(column)) for name, column in _COLUMNS.items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _tableOf(env: SceneEnvironment, segmentation: Any) -> Any:
    """The table of the measurement that a segmentation is of, or None.

    By the digest and not by reference: of a segmentation under a transform, Segment Statistics asks
    for a hardened copy, which has the attributes of the original and none of its references.
    """
    digest = resultDigest(segmentation)
    tables = env.nodes("vtkMRMLTableNode") if digest else []
    return next((t for t in tables if roleOf(t) is Role.TABLE and resultDigest(t) == digest), None)


def _millilitres(segment: Any) -> float:
    kind = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    image = segment.GetRepresentation(kind)
    if image is None or image.GetPointData().GetScalars() is None:
        return 0.0
    voxels = np.count_nonzero(
        vtk_to_numpy(image.GetPointData().GetScalars()) == segment.GetLabelValue()
    )
    return float(voxels * np.prod(image.GetSpacing()) / 1000.0)
