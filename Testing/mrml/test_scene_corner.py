"""The marks in the views follow what a view shows, whatever it is called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import Head, previewIn
from slicer_scene import SlicerScene

from PETSynthLib.export import marks
from PETSynthScene import CornerMarks, importResult, showFused, showPreview, showTriptych


@pytest.fixture
def watcher(host: SlicerScene) -> Iterator[CornerMarks]:
    """A watcher over the views of the scene."""

    def rendererOf(node: Any) -> Any:
        view = host.views.get(node.GetLayoutName())
        return None if view is None else view.renderer

    made = CornerMarks(host.env, rendererOf, lambda node: None)
    yield made
    made.stop()


def imported(host: SlicerScene, folder: Path, key: str = "fdg", **more: Any) -> Any:
    """A result over a new T1."""
    head = Head()
    return importResult(host.env, head.result(folder, key, **more), t1Node=head.node(host.scene))


def orange(picture: np.ndarray) -> np.ndarray:
    """Where a picture has the orange of the marks."""
    red, green, blue = (picture[..., c].astype(int) for c in range(3))
    return (red > 150) & (green > 80) & (green < 190) & (blue < 70)


def test_views_with_something_synthetic_say_so_and_others_do_not(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    fused, mri = host.sliceView("Red"), host.sliceView("PETSynthMriAxial")
    pet = host.sliceView("PETSynthPetAxial")
    watcher.start()
    assert watcher.textOf(fused.node) == ""
    showFused(host.env, imported(host, tmp_path))

    for view in (fused, pet):
        assert watcher.textOf(view.node).splitlines()[0] == marks.CORNER
        assert "DEMONSTRATION MODEL" in watcher.textOf(view.node)
    assert watcher.textOf(mri.node) == ""


def test_the_mark_is_drawn_and_survives_renaming(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red", size=400)
    watcher.start()
    nodes = imported(host, tmp_path)
    nodes.regions.GetDisplayNode().SetVisibility(False)
    assert not orange(view.snapshot()).any()
    showFused(host.env, nodes, opacity=0.0)
    first = orange(view.snapshot())
    nodes.pet.SetName("nothing special")
    second = orange(view.snapshot())

    assert first.sum() > 100
    assert np.argwhere(first)[:, 0].min() > 0.75 * 400  # at the bottom
    assert np.array_equal(first, second)
    assert marks.CORNER in watcher.textOf(view.node)


def test_a_narrow_view_shows_the_whole_mark(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red", size=220)
    watcher.start()
    nodes = imported(host, tmp_path)
    nodes.regions.GetDisplayNode().SetVisibility(False)
    showFused(host.env, nodes, opacity=0.0)
    columns = np.argwhere(orange(view.snapshot()))[:, 1]

    assert columns.min() > 4
    assert columns.max() < 220 - 5


def test_the_mark_goes_when_the_pet_goes(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red", size=400)
    watcher.start()
    nodes = imported(host, tmp_path)
    showFused(host.env, nodes, opacity=0.0)
    nodes.regions.GetDisplayNode().SetVisibility(False)
    view.composite.SetForegroundVolumeID(None)

    assert not orange(view.snapshot()).any()
    assert watcher.textOf(view.node) == ""


def test_a_stopped_watcher_leaves_nothing_behind(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red", size=400)
    watcher.start()
    showFused(host.env, imported(host, tmp_path), opacity=0.0)
    count = view.renderer.GetViewProps().GetNumberOfItems()
    watcher.stop()

    assert view.renderer.GetViewProps().GetNumberOfItems() == count - 2
    assert not orange(view.snapshot()).any()


def test_low_middle_and_high_say_which_they_are(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    names = ("PETSynthLowAxial", "Red", "PETSynthHighAxial")
    views = [host.sliceView(name) for name in names]
    showTriptych(host.env, imported(host, tmp_path, "pib"))

    for view, word in zip(views, ("low (10 %)", "middle", "high (90 %)"), strict=True):
        assert f"{word}: {marks.AMBIGUOUS}" in watcher.textOf(view.node)


def test_cognition_that_shaped_the_picture_stands_in_the_corner(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red")
    used = {"Used": ["mmse", "apoe4"]}
    showFused(host.env, imported(host, tmp_path, ConditioningVariables=used))

    assert "drawn with MMSE, APOE4" in watcher.textOf(view.node).replace("ε", "")


def test_a_preview_says_that_it_is_forming(
    host: SlicerScene, head: Head, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red")
    t1 = head.node(host.scene)
    showPreview(host.env, previewIn(tmp_path, head), t1.GetID(), "fdg")

    assert "preview, still forming" in watcher.textOf(view.node)


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [("Axial", "RLPA"), ("Coronal", "RLIS"), ("Sagittal", "APIS")],
)
def test_letters_are_radiological(
    host: SlicerScene, watcher: CornerMarks, orientation: str, letters: str
) -> None:
    view = host.sliceView("PETSynthPetAxial", orientation)

    assert "".join(watcher.lettersOf(view.node)) == letters


def test_a_slice_shown_in_3d_marks_the_3d_view(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    import slicer

    threeD = slicer.vtkMRMLViewNode()
    threeD.SetLayoutName("1")
    threeD = host.scene.AddNode(threeD)
    view = host.sliceView("Red")
    showFused(host.env, imported(host, tmp_path))
    assert watcher.textOf(threeD) == ""
    view.node.SetSliceVisible(True)

    assert marks.CORNER in watcher.textOf(threeD)


def test_a_copy_of_the_pet_is_marked_as_well(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    import slicer

    view = host.sliceView("Red")
    nodes = imported(host, tmp_path)
    copy = slicer.vtkSlicerVolumesLogic.CloneVolume(host.scene, nodes.pet, "my PET")
    view.composite.SetBackgroundVolumeID(copy.GetID())

    assert marks.CORNER in watcher.textOf(view.node)
