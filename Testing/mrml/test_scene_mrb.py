"""Saving and loading: everything comes back, marked, placed and coloured as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from head import Head, bending, linear, previewIn, straight, turned
from slicer_scene import SlicerScene

from PETSynthLib.export import marks
from PETSynthScene import (
    FUSED,
    CornerMarks,
    Role,
    SceneEnvironment,
    headline,
    importResult,
    isSynthetic,
    listResults,
    opacity,
    registerLayouts,
    resultOf,
    roleOf,
    showFused,
    shown,
    showPreview,
    windowOf,
)
from PETSynthScene.Hierarchy import folderOf
from PETSynthScene.Volumes import arrayOf, ijkToRas


@pytest.fixture
def other() -> Iterator[SlicerScene]:
    """A second, fresh scene: Slicer started anew."""
    scene = SlicerScene()
    yield scene
    scene.close()


def result(env: SceneEnvironment) -> object:
    """The only result of a scene."""
    (pet,) = listResults(env)
    return resultOf(env, pet)


@pytest.mark.parametrize("kind", ["linear", "non-linear"])
def test_a_saved_scene_comes_back_the_same(
    host: SlicerScene, other: SlicerScene, tmp_path: Path, kind: str
) -> None:
    head = Head(turned(0, 0, 20) @ straight(), order=(1, 2, 0))
    t1 = head.node(host.scene)
    place = linear(host.scene, turned(9, 0, 0)) if kind == "linear" else bending(host.scene)
    t1.SetAndObserveTransformNodeID(place.GetID())
    folder = tmp_path / "Größe mit Leerzeichen"
    before = importResult(host.env, head.result(folder, samples=1, expected=True), t1Node=t1)
    before.pet.SetName("renamed by the user")
    registerLayouts(host.env.layoutNode)
    showFused(host.env, before, opacity=0.35)
    host.save(folder / "scene.mrb")
    registerLayouts(other.env.layoutNode)
    other.load(folder / "scene.mrb")
    after = result(other.env)

    for name in ("pet", "sd", "expected", "difference"):
        old, new = getattr(before, name), getattr(after, name)
        assert np.array_equal(arrayOf(new), arrayOf(old))
        assert np.allclose(ijkToRas(new), ijkToRas(old), atol=1e-4)
        assert windowOf(new) == pytest.approx(windowOf(old))
        assert isSynthetic(new)
        assert new.GetDescription() == old.GetDescription()
        assert new.GetName() == old.GetName()
        assert new.GetParentTransformNode().GetName() == place.GetName()
    assert after.t1.GetName() == "Sample T1w"
    assert len(after.samples) == 1
    assert after.regions.GetSegmentation().GetNumberOfSegments() == 2
    assert after.regions.GetDisplayNode().IsDisplayableInView("vtkMRMLSliceNodeRed")
    assert not after.regions.GetDisplayNode().IsDisplayableInView("vtkMRMLSliceNodeGrey")
    assert not after.mask.GetDisplayNode().GetVisibility()
    assert headline(after.pet) == headline(before.pet)
    assert other.env.subjectHierarchy.GetItemName(after.folder).startswith("PETSynth - Sample T1w")
    assert folderOf(other.env, after.provenance) == after.folder
    assert shown(other.env) is after.pet
    assert opacity(other.env) == pytest.approx(0.35)
    assert other.env.layoutNode.GetViewArrangement() == FUSED
    assert after.pet.GetVoxelValueUnits().GetCodeValue() == "{ratio}"


def test_the_loaded_views_look_the_same_and_are_marked(
    host: SlicerScene, other: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = importResult(host.env, head.result(tmp_path), t1Node=head.node(host.scene))
    pictures = []
    view = host.sliceView("Red")
    showFused(host.env, nodes, opacity=0.6)
    pictures.append(view.image().copy())
    host.save(tmp_path / "scene.mrb")
    marked = CornerMarks(other.env, lambda node: None)
    marked.start()
    again = other.sliceView("Red")
    other.load(tmp_path / "scene.mrb")
    pictures.append(again.image().copy())

    assert pictures[0].any()
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1
    assert marks.CORNER in marked.textOf(again.node)
    marked.stop()


def test_a_second_load_does_not_multiply_colour_tables(
    host: SlicerScene, other: SlicerScene, head: Head, tmp_path: Path
) -> None:
    importResult(host.env, head.result(tmp_path), t1Node=head.node(host.scene))
    host.save(tmp_path / "scene.mrb")
    other.load(tmp_path / "scene.mrb")
    before = len(other.env.nodes("vtkMRMLColorTableNode"))
    importResult(other.env, head.result(tmp_path), t1Node=result(other.env).t1)

    assert len(other.env.nodes("vtkMRMLColorTableNode")) == before
    assert len(listResults(other.env)) == 2


def test_a_preview_is_not_saved(
    host: SlicerScene, other: SlicerScene, head: Head, tmp_path: Path
) -> None:
    showPreview(host.env, previewIn(tmp_path, head), head.node(host.scene).GetID(), "fdg")
    host.save(tmp_path / "scene.mrb")
    other.load(tmp_path / "scene.mrb")

    roles = [roleOf(node) for node in other.env.nodes("vtkMRMLScalarVolumeNode")]
    assert roles == [None]
    assert Role.PREVIEW not in roles
