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


class Loop:
    """An event loop moved by hand."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def later(self, function: Any) -> None:
        """Called at the next turn."""
        self.calls.append(function)

    def turn(self) -> None:
        """One turn."""
        calls, self.calls = self.calls, []
        for function in calls:
            function()


class TestDeferred:
    """Marks are brought up to date once a turn of the event loop, and before every frame."""

    @pytest.fixture
    def loop(self) -> Loop:
        """The loop."""
        return Loop()

    @pytest.fixture
    def rendered(self) -> list[str]:
        """Views that were asked to draw."""
        return []

    @pytest.fixture
    def late(self, host: SlicerScene, loop: Loop, rendered: list[str]) -> Iterator[CornerMarks]:
        """A watcher that waits for the loop."""

        def rendererOf(node: Any) -> Any:
            view = host.views.get(node.GetLayoutName())
            return None if view is None else view.renderer

        made = CornerMarks(
            host.env, rendererOf, lambda node: rendered.append(node.GetLayoutName()), loop.later
        )
        made.start()
        yield made
        made.stop()

    def test_no_frame_is_drawn_without_the_mark_though_the_loop_stands_still(
        self, host: SlicerScene, late: CornerMarks, loop: Loop, tmp_path: Path
    ) -> None:
        view = host.sliceView("Red", size=400)
        late.viewsChanged()  # as when the layout has made it
        nodes = imported(host, tmp_path)
        nodes.regions.GetDisplayNode().SetVisibility(False)
        assert not orange(view.snapshot()).any()
        showFused(host.env, nodes, opacity=0.0)
        assert orange(view.snapshot()).sum() > 100
        view.composite.SetForegroundVolumeID(None)
        assert not orange(view.snapshot()).any()
        assert loop.calls, "the loop has not turned once"

    def test_a_change_after_a_turn_is_in_the_next_frame_too(
        self, host: SlicerScene, late: CornerMarks, loop: Loop, tmp_path: Path
    ) -> None:
        view = host.sliceView("Red", size=400)
        late.viewsChanged()
        nodes = imported(host, tmp_path)
        nodes.regions.GetDisplayNode().SetVisibility(False)
        loop.turn()
        assert not orange(view.snapshot()).any()
        view.composite.SetBackgroundVolumeID(nodes.sd.GetID())
        assert orange(view.snapshot()).sum() > 100

    def test_many_events_are_one_look_and_one_drawing(
        self,
        host: SlicerScene,
        late: CornerMarks,
        loop: Loop,
        rendered: list[str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        host.sliceView("Red")
        loop.turn()
        rendered.clear()
        looks = []
        refresh = late.refresh
        monkeypatch.setattr(late, "refresh", lambda: (looks.append(1), refresh()))
        showFused(host.env, imported(host, tmp_path))
        assert (looks, len(loop.calls)) == ([], 1)
        loop.turn()
        assert len(looks) == 1
        assert rendered == ["Red"]
        assert not loop.calls

    def test_a_stopped_watcher_is_not_called_again(
        self, host: SlicerScene, late: CornerMarks, loop: Loop, tmp_path: Path
    ) -> None:
        view = host.sliceView("Red")
        showFused(host.env, imported(host, tmp_path))
        late.stop()
        loop.turn()
        assert view.renderer.GetViewProps().GetNumberOfItems() == 0


def test_the_lower_edge_has_its_letter_over_the_words(
    host: SlicerScene, watcher: CornerMarks, tmp_path: Path
) -> None:
    view = host.sliceView("Red")
    other = host.sliceView("PETSynthMriAxial")
    watcher.start()
    showFused(host.env, imported(host, tmp_path))

    def lowerEdge(renderer: Any) -> list[str]:
        props = renderer.GetViewProps()
        actors = [props.GetItemAsObject(i) for i in range(props.GetNumberOfItems())]
        return [a.GetText(4) for a in actors if a.IsA("vtkCornerAnnotation") and a.GetText(4)]

    (words,) = lowerEdge(view.renderer)
    assert words.splitlines()[0] == "P"
    assert words.splitlines()[1].startswith("SYNTHETIC")
    assert lowerEdge(other.renderer) == ["P"]
