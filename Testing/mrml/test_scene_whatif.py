"""Model sensitivity: what another score changes, marked as the model's habit and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import HOT, Head, linear, straight, turned
from slicer_scene import SlicerScene
from whatif_case import HIGHER, WORDS, finished

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.finished import read_finished
from PETSynthScene import (
    CornerMarks,
    Role,
    importResult,
    importWhatIf,
    isSynthetic,
    listResults,
    resultOf,
    roleOf,
    setWindow,
    showWhatIf,
    whatIfsOf,
    windowOf,
)
from PETSynthScene.Identity import belongsTo
from PETSynthScene.RegionTable import headerOf, numbers, rowsOf
from PETSynthScene.Slices import compositeOf
from PETSynthScene.Volumes import arrayOf, setArray


@pytest.fixture
def other() -> Iterator[SlicerScene]:
    """A second, fresh scene."""
    scene = SlicerScene()
    yield scene
    scene.close()


def asked(host: SlicerScene, folder: Path, head: Head | None = None, **more: Any) -> Any:
    """A result and the answer to one question of it."""
    head = head or Head()
    before = finished(head, folder / "now")
    nodes = importResult(host.env, before, t1Node=head.node(host.scene))
    after = finished(head, folder / "then", other=True, **more)
    return nodes, importWhatIf(host.env, nodes, read_finished(before), after, WORDS)


def test_the_change_is_the_other_picture_minus_the_result(
    host: SlicerScene, tmp_path: Path
) -> None:
    # Stored in another order: voxels must be subtracted from those of the same place.
    head = Head(turned(0, 0, 20) @ straight(), flips=(0,), order=(1, 2, 0))
    nodes, found = asked(host, tmp_path, head)
    change = arrayOf(found.change)

    assert np.allclose(np.unique(np.round(change, 5)), [0.0, HIGHER])
    assert np.array_equal(change > 0.1, arrayOf(nodes.pet) > 1.9)
    assert (change > 0.1).sum() == np.prod([s.stop - s.start for s in HOT])
    assert np.allclose(arrayOf(found.pet) - arrayOf(nodes.pet), change)


def test_it_is_painted_symmetrically_and_named_for_what_it_is(
    host: SlicerScene, tmp_path: Path
) -> None:
    nodes, found = asked(host, tmp_path)
    tree = host.env.subjectHierarchy

    assert windowOf(found.change) == pytest.approx((-0.5, 0.5))
    assert not found.change.GetDisplayNode().GetApplyThreshold()
    folder = tree.GetItemParent(tree.GetItemByDataNode(found.change))
    assert tree.GetItemName(folder) == "What if - MMSE 24 to 29"
    assert tree.GetItemParent(folder) == nodes.folder
    for node in (found.pet, found.change, found.table):
        assert tree.GetItemParent(tree.GetItemByDataNode(node)) == folder
        assert isSynthetic(node)
        assert node.GetName().startswith("[SYN] ")
        assert "not a forecast for this patient" in node.GetDescription()
        assert belongsTo(host.env, node, nodes.pet)
    # Nothing that selects results takes it for one.
    assert listResults(host.env) == [nodes.pet]


def test_the_corner_says_whose_habit_it_is(host: SlicerScene, tmp_path: Path) -> None:
    view = host.sliceView("Red")
    nodes, found = asked(host, tmp_path)
    showWhatIf(host.env, nodes, found, 0.6)
    said = CornerMarks(host.env, lambda node: None).textOf(view.node)

    assert f"{marks.SENSITIVITY}: {WORDS}" in said
    assert marks.CORNER in said
    assert "drawn with MMSE" in said
    composite = compositeOf(host.env, "Red")
    assert composite.GetForegroundVolumeID() == found.change.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.6)


def test_the_table_says_what_changed_and_keeps_hidden_what_is_hidden(
    host: SlicerScene, tmp_path: Path
) -> None:
    _, found = asked(host, tmp_path)
    # 1.3260 - 1.2000 and 1.2900 - 1.3000; the hippocampus is not shown with the other score.
    assert numbers(found.table, "suvr_change")[:2] == pytest.approx([0.126, -0.01])
    first, _, hidden = rowsOf(found.table)
    assert first["suvr_change"] == "+0.1260"
    assert (hidden["suvr"], hidden["suvr_what_if"], hidden["suvr_change"]) == ("n/a",) * 3
    assert hidden["note"] == "not informative"
    assert first["synthetic"] == "TRUE"
    assert headerOf(found.table)[:2] == [marks.SENSITIVITY, WORDS]


def test_the_same_question_again_overwrites_nothing(host: SlicerScene, tmp_path: Path) -> None:
    nodes, found = asked(host, tmp_path)
    again = importWhatIf(host.env, nodes, read_finished(tmp_path / "now"), tmp_path / "then", WORDS)
    tree = host.env.subjectHierarchy
    folder = tree.GetItemParent(tree.GetItemByDataNode(again.change))
    assert tree.GetItemName(folder) == "What if - MMSE 24 to 29 (2)"
    assert [one.change for one in whatIfsOf(nodes.pet)] == [found.change, again.change]


def test_one_window_for_both_pictures(host: SlicerScene, tmp_path: Path) -> None:
    nodes, found = asked(host, tmp_path)
    setWindow(host.env, nodes, 0.2, 1.7)
    assert windowOf(found.pet) == pytest.approx((0.2, 1.7))
    assert windowOf(found.change) == pytest.approx((-0.5, 0.5))


@pytest.mark.parametrize(
    ("sidecar", "words"),
    [
        ({"Sources": [{"Role": "T1", "Name": "t1.nrrd", "sha256": "c" * 64}]}, "images"),
        ({"Seeds": [8]}, "seeds"),
        ({"Steps": 4}, "steps"),
        ({"Model": {"name": "tiny", "version": "2", "bundle_sha256": "e" * 64}}, "model"),
        ({"used": ()}, "without cognitive scores"),
    ],
)
def test_whatever_else_differs_is_refused_and_leaves_the_scene_alone(
    host: SlicerScene, tmp_path: Path, sidecar: dict[str, Any], words: str
) -> None:
    head = Head()
    before = finished(head, tmp_path / "now")
    nodes = importResult(host.env, before, t1Node=head.node(host.scene))
    after = finished(head, tmp_path / "then", other=True, **sidecar)
    count = host.scene.GetNumberOfNodes()
    with pytest.raises(PETSynthError, match=words):
        importWhatIf(host.env, nodes, read_finished(before), after, WORDS)
    assert host.scene.GetNumberOfNodes() == count
    assert whatIfsOf(nodes.pet) == []


def test_another_grid_is_refused_and_leaves_the_scene_alone(
    host: SlicerScene, tmp_path: Path
) -> None:
    before = finished(Head(), tmp_path / "now")
    nodes = importResult(host.env, before, t1Node=Head().node(host.scene))
    elsewhere = finished(Head(turned(9, 0, 0) @ straight()), tmp_path / "then", other=True)
    count = host.scene.GetNumberOfNodes()
    with pytest.raises(PETSynthError, match="another grid"):
        importWhatIf(host.env, nodes, read_finished(before), elsewhere, WORDS)
    assert host.scene.GetNumberOfNodes() == count


def test_a_picture_changed_since_is_not_its_own_any_more(host: SlicerScene, tmp_path: Path) -> None:
    nodes, found = asked(host, tmp_path)
    setArray(nodes.pet, arrayOf(nodes.pet) * 1.1)
    assert not belongsTo(host.env, found.table, nodes.pet)


def test_a_saved_scene_keeps_question_and_answer(
    host: SlicerScene, other: SlicerScene, tmp_path: Path
) -> None:
    head = Head(turned(0, 0, 20) @ straight(), order=(1, 2, 0))
    before = finished(head, tmp_path / "now")
    t1 = head.node(host.scene)
    t1.SetAndObserveTransformNodeID(linear(host.scene, turned(9, 0, 0)).GetID())
    nodes = importResult(host.env, before, t1Node=t1)
    after = finished(head, tmp_path / "then", other=True)
    old = importWhatIf(host.env, nodes, read_finished(before), after, WORDS)
    host.save(tmp_path / "scene.mrb")
    other.load(tmp_path / "scene.mrb")
    (pet,) = listResults(other.env)
    (new,) = whatIfsOf(pet)

    assert new.words == WORDS
    assert np.allclose(arrayOf(new.change), arrayOf(old.change))
    assert np.allclose(arrayOf(new.pet), arrayOf(old.pet))
    assert windowOf(new.change) == pytest.approx((-0.5, 0.5))
    assert rowsOf(new.table) == rowsOf(old.table)
    assert headerOf(new.table) == headerOf(old.table)
    assert roleOf(new.change) is Role.CHANGE
    assert new.change.GetParentTransformNode() is pet.GetParentTransformNode()
    assert belongsTo(other.env, new.table, pet)
    view = other.sliceView("Red")
    showWhatIf(other.env, resultOf(other.env, pet), new)
    assert WORDS in CornerMarks(other.env, lambda node: None).textOf(view.node)
