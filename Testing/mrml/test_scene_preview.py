"""The preview: one node over the T1 while the run lasts, and no trace of it afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from head import Head, linear, previewIn, straight, turned, worldOf
from slicer_scene import SlicerScene

from PETSynthLib.errors import PETSynthError
from PETSynthScene import (
    exportInputs,
    findT1Candidates,
    importResult,
    isSynthetic,
    listResults,
    previewNode,
    removePreview,
    showPreview,
    showResult,
)
from PETSynthScene.Slices import compositeOf
from PETSynthScene.Volumes import arrayOf


def test_a_preview_lies_over_the_t1_as_it_is_in_the_world(
    host: SlicerScene, tmp_path: Path
) -> None:
    head = Head(turned(0, 15, 0) @ straight(), order=(2, 0, 1))
    t1 = head.node(host.scene)
    t1.SetAndObserveTransformNodeID(linear(host.scene, turned(30, 0, 0)).GetID())
    node = showPreview(host.env, previewIn(tmp_path, head), t1.GetID(), "fdg")
    hottest = np.argwhere(arrayOf(node) == 2.0)[0][::-1]
    inT1 = np.argwhere(arrayOf(t1) > 130).mean(axis=0)[::-1]

    # Half a voxel of 8 mm in each direction.
    assert np.linalg.norm(worldOf(node, hottest) - worldOf(t1, inT1)) < 7.0
    assert compositeOf(host.env, "Red").GetForegroundVolumeID() == node.GetID()
    assert compositeOf(host.env, "Red").GetBackgroundVolumeID() == t1.GetID()


def test_a_preview_is_marked_hidden_and_not_saved(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    node = showPreview(host.env, previewIn(tmp_path, head), head.node(host.scene).GetID(), "fdg")

    assert isSynthetic(node)
    assert node.GetHideFromEditors()
    assert not node.GetSaveWithScene()
    assert listResults(host.env) == []
    assert node not in findT1Candidates(host.env)


def test_the_next_preview_uses_the_same_node_and_leaves_the_views_alone(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    first = showPreview(host.env, previewIn(tmp_path, head), t1.GetID(), "fdg")
    compositeOf(host.env, "Red").SetForegroundOpacity(0.9)
    second = showPreview(host.env, previewIn(tmp_path, head, (22, 26, 21)), t1.GetID(), "fdg")

    assert second is first
    assert arrayOf(second).shape == (21, 26, 22)
    assert compositeOf(host.env, "Red").GetForegroundOpacity() == 0.9


def test_the_result_takes_the_place_of_the_preview(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    inputs = exportInputs(host.env, tmp_path, t1)
    showPreview(host.env, previewIn(tmp_path, head), t1.GetID(), "fdg")
    nodes = importResult(host.env, head.result(tmp_path / "job"), inputs)
    showResult(host.env, nodes)
    removePreview(host.env)

    assert previewNode(host.env) is None
    assert compositeOf(host.env, "Red").GetForegroundVolumeID() == nodes.pet.GetID()
    assert compositeOf(host.env, "PETSynthPetAxial").GetBackgroundVolumeID() == nodes.pet.GetID()


def test_after_cancelling_the_views_show_the_t1_again(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    count = host.scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")
    showPreview(host.env, previewIn(tmp_path, head), t1.GetID(), "fdg")
    removePreview(host.env)
    removePreview(host.env)

    assert host.scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == count
    assert compositeOf(host.env, "Red").GetForegroundVolumeID() is None
    assert compositeOf(host.env, "PETSynthPetAxial").GetBackgroundVolumeID() == t1.GetID()


def test_a_preview_without_its_t1_is_not_shown(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    assert showPreview(host.env, previewIn(tmp_path, head), "vtkMRMLGone1", "fdg") is None
    assert previewNode(host.env) is None


def test_a_tracer_that_mri_does_not_determine_has_no_preview(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)

    assert showPreview(host.env, previewIn(tmp_path, head), t1.GetID(), "pib") is None
    assert previewNode(host.env) is None


def test_a_preview_that_vanished_is_told(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    path = previewIn(tmp_path, head)
    path.unlink()

    with pytest.raises(PETSynthError):
        showPreview(host.env, path, head.node(host.scene).GetID(), "fdg")
    assert previewNode(host.env) is None
