"""What the views show: layouts, layers, and the colours of the blended slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import HOT, HOT_UPTAKE, UPTAKE, Head, linear, straight, turned
from slicer_scene import SlicerScene, SliceView

from PETSynthLib import colour_maps
from PETSynthLib.errors import PETSynthError
from PETSynthScene import (
    COMPARE,
    EXPECTED,
    FUSED,
    TRIPTYCH,
    defaultLook,
    importResult,
    layoutTitles,
    opacity,
    previousLayout,
    registerLayouts,
    restoreLayout,
    setColours,
    setLegendVisible,
    setOpacity,
    setOutlinesVisible,
    setWindow,
    showExpected,
    showFused,
    shown,
    showResult,
    showTriptych,
    slicesOf,
    windowOf,
)
from PETSynthScene.Slices import compositeOf

T1_WINDOW = (0.0, 200.0)
MIDDLE = (0.0, -20.0, 0.0)
"""A point of the brain outside the hot spot."""


def imported(host: SlicerScene, head: Head, folder: Path, key: str = "fdg", **more: Any) -> Any:
    """A result over a new T1 with a known window."""
    t1 = head.node(host.scene)
    t1.GetDisplayNode().SetAutoWindowLevel(False)
    t1.GetDisplayNode().SetWindowLevelMinMax(*T1_WINDOW)
    return importResult(host.env, head.result(folder, key, **more), t1Node=t1)


def at(view: SliceView, ras: Any) -> np.ndarray:
    """Mean RGB of 5 x 5 pixels around a world position, with the plane moved there."""
    view.node.JumpSliceByOffsetting(*ras)
    row, column = view.pixel(tuple(ras))
    return view.image()[row - 2 : row + 3, column - 2 : column + 3, :3].mean(axis=(0, 1))


def colour(value: float, window: tuple[float, float], name: str = "nih") -> np.ndarray:
    """RGB of a value in a colour map, by hand."""
    share = (value - window[0]) / (window[1] - window[0])
    return colour_maps.table(name)[round(share * 255)].astype(float)


def test_the_layouts_are_known_to_slicer_and_make_their_views(host: SlicerScene) -> None:
    node = host.env.layoutNode
    registerLayouts(node)
    registerLayouts(node)

    for layout in (FUSED, COMPARE, EXPECTED, TRIPTYCH):
        assert layout in layoutTitles()
        node.SetViewArrangement(layout)
        views = host.layoutLogic.GetViewNodes()
        made = [views.GetItemAsObject(i) for i in range(views.GetNumberOfItems())]
        names = [name for row in slicesOf(layout) for name in row]
        assert [view.GetLayoutName() for view in made] == names
        planes = ["Axial"] * 3 + ["Coronal"] * 3 + ["Sagittal"] * 3
        assert [view.GetOrientation() for view in made] == planes


def test_the_users_layout_comes_back(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    host.env.layoutNode.SetViewArrangement(3)
    nodes = imported(host, head, tmp_path)
    showFused(host.env, nodes)
    assert host.env.layoutNode.GetViewArrangement() == FUSED
    assert previousLayout(host.env) == 3
    showFused(host.env, nodes)
    restoreLayout(host.env)
    assert host.env.layoutNode.GetViewArrangement() == 3
    assert previousLayout(host.env) is None


@pytest.mark.parametrize("plane", ["Axial", "Coronal", "Sagittal"])
def test_the_fused_slices_blend_mri_and_pet_region_by_region(
    host: SlicerScene, head: Head, tmp_path: Path, plane: str
) -> None:
    name = dict(zip(("Axial", "Coronal", "Sagittal"), ("Red", "Green", "Yellow"), strict=True))
    view = host.sliceView(name[plane], plane)
    nodes = imported(host, head, tmp_path)
    showFused(host.env, nodes, opacity=0.5)

    mri, hotMri = 255 * 100 / 200, 255 * 140 / 200
    brain = 0.5 * colour(UPTAKE, (0.0, 2.2)) + 0.5 * mri
    hot = 0.5 * colour(HOT_UPTAKE, (0.0, 2.2)) + 0.5 * hotMri
    assert np.abs(at(view, MIDDLE) - brain).max() < 4
    assert np.abs(at(view, head.ras(HOT)) - hot).max() < 4
    # Air: the T1's black without the PET's, which its threshold makes transparent.
    assert at(view, (70.0, 85.0, 65.0)).max() < 1


def test_the_columns_are_mri_pet_and_fused(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    mri, pet = host.sliceView("PETSynthMriAxial"), host.sliceView("PETSynthPetAxial")
    showFused(host.env, imported(host, head, tmp_path))

    assert np.abs(at(mri, MIDDLE) - 127.5).max() < 2
    assert np.abs(at(pet, MIDDLE) - colour(UPTAKE, (0.0, 2.2))).max() < 4


def test_a_hot_spot_on_the_left_is_shown_on_the_right_of_the_screen(
    host: SlicerScene, tmp_path: Path
) -> None:
    head = Head(turned(10, 0, 0) @ straight(), order=(1, 2, 0))
    view = host.sliceView("Red")
    nodes = imported(host, head, tmp_path)
    transform = linear(host.scene, turned(0, 0, 15))
    for node in (nodes.t1, nodes.pet):
        node.SetAndObserveTransformNodeID(transform.GetID())
    showFused(host.env, nodes, opacity=1.0)
    where = (turned(0, 0, 15) @ [*head.ras(HOT), 1.0])[:3]

    assert np.abs(at(view, where) - colour(HOT_UPTAKE, (0.0, 2.2))).max() < 8
    assert view.pixel(tuple(where))[1] > view.size / 2


def test_views_that_open_later_show_the_same(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    showFused(host.env, imported(host, head, tmp_path), opacity=1.0, switchLayout=False)
    view = host.sliceView("PETSynthPetCoronal", "Coronal")

    assert view.composite is compositeOf(host.env, "PETSynthPetCoronal")
    assert np.abs(at(view, MIDDLE) - colour(UPTAKE, (0.0, 2.2))).max() < 4


def test_opacity_moves_every_fused_view_and_no_other(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    view = host.sliceView("Red")
    nodes = imported(host, head, tmp_path)
    assert opacity(host.env) is None
    showFused(host.env, nodes, opacity=0.3)
    assert opacity(host.env) == pytest.approx(0.3)
    setOpacity(host.env, 0.0)

    assert np.abs(at(view, MIDDLE) - 127.5).max() < 2
    setOpacity(host.env, 1.0)
    assert np.abs(at(view, MIDDLE) - colour(UPTAKE, (0.0, 2.2))).max() < 4
    assert compositeOf(host.env, "PETSynthMriAxial").GetForegroundVolumeID() is None
    assert compositeOf(host.env, "Yellow").GetForegroundOpacity() == 1.0


def test_window_and_colours_change_for_all_that_is_compared(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = imported(host, head, tmp_path, expected=True, samples=1)
    setWindow(host.env, nodes, 0.5, 1.5)
    setColours(host.env, nodes, "uniform")

    for volume in (nodes.pet, nodes.expected, nodes.samples[0]):
        assert windowOf(volume) == (0.5, 1.5)
        assert volume.GetDisplayNode().GetColorNode().GetName() == "PETSynth Uniform"
    assert windowOf(nodes.sd) != (0.5, 1.5)
    # Air begins at a twentieth of the upper end.
    assert nodes.pet.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.075)
    setWindow(host.env, nodes, 0.5, 3.0)
    assert nodes.samples[0].GetDisplayNode().GetLowerThreshold() == pytest.approx(0.15)
    defaultLook(host.env, nodes)
    assert windowOf(nodes.samples[0]) == (0.0, 2.2)


def test_a_tracer_that_mri_does_not_determine_never_stands_alone(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = imported(host, head, tmp_path, "pib")
    for show in (showResult, showFused, showTriptych):
        show(host.env, nodes)
        assert host.env.layoutNode.GetViewArrangement() == TRIPTYCH
    row = slicesOf(TRIPTYCH)[0]
    shownVolumes = [compositeOf(host.env, name).GetForegroundVolumeID() for name in row]
    assert shownVolumes == [v.GetID() for v in (nodes.low, nodes.pet, nodes.high)]
    assert shown(host.env) is nodes.pet

    host.scene.RemoveNode(nodes.low)
    nodes.low = None
    with pytest.raises(PETSynthError, match="low and high"):
        showResult(host.env, nodes)


def test_the_mean_of_age_and_sex_stands_beside_the_pet(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    view = host.sliceView("PETSynthAddedAxial")
    nodes = imported(host, head, tmp_path, expected=True)
    showExpected(host.env, nodes)

    assert host.env.layoutNode.GetViewArrangement() == EXPECTED
    # The hot spot is 0.8 above the mean: beyond the window of 0.5; the rest is as expected: black.
    assert np.abs(at(view, head.ras(HOT)) - (255, 235, 90)).max() < 3
    assert at(view, MIDDLE).max() < 6


def test_without_a_mean_of_age_and_sex_the_view_says_so(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    with pytest.raises(PETSynthError, match="no mean for age and sex"):
        showExpected(host.env, imported(host, head, tmp_path))


def test_a_result_without_its_t1_is_shown_alone(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = importResult(host.env, head.result(tmp_path))
    showResult(host.env, nodes)

    assert compositeOf(host.env, "Red").GetBackgroundVolumeID() == nodes.pet.GetID()
    assert compositeOf(host.env, "Red").GetForegroundVolumeID() is None
    assert shown(host.env) is nodes.pet


def test_outlines_are_drawn_over_the_fused_view_only(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    fused, mri = host.sliceView("Red"), host.sliceView("PETSynthMriAxial")
    nodes = imported(host, head, tmp_path)
    showFused(host.env, nodes, opacity=0.0)
    for view in (fused, mri):
        view.node.JumpSliceByOffsetting(0, 0, 0)
    with_, plain = fused.snapshot().astype(int), mri.snapshot().astype(int)
    setOutlinesVisible(nodes, False)
    without = fused.snapshot().astype(int)

    drawn = np.argwhere(np.abs(with_ - without).max(axis=2) > 60)
    assert len(drawn) > 50
    # Both sides of the picture, and only where the boxes of the target lie.
    assert (drawn[:, 1] < fused.size / 2).any()
    assert (drawn[:, 1] > fused.size / 2).any()
    assert drawn[:, 0].min() > fused.size / 2  # behind the middle: the lower half
    assert plain.max() < 200  # the T1's grey; the outlines are white


def test_the_legend_is_drawn_in_the_sagittal_fused_view_only(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    fused, other = host.sliceView("Yellow", "Sagittal"), host.sliceView("Red")
    for view in (fused, other):
        view.snapshot()  # a legend needs its view's window before it is made, as in the desktop
    nodes = imported(host, head, tmp_path, regions=False)
    showFused(host.env, nodes)
    with_ = [view.snapshot().astype(int) for view in (fused, other)]
    setLegendVisible(nodes, False)
    without = [view.snapshot().astype(int) for view in (fused, other)]
    changed = [np.abs(a - b).max(axis=2) > 20 for a, b in zip(with_, without, strict=True)]

    assert changed[0].sum() > 200
    assert not changed[1].any()
