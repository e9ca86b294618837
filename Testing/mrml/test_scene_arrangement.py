"""Views of our layouts that are made one by one, and legends in views that came late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from head import Head
from slicer_scene import SlicerScene, SliceView

from PETSynthScene import (
    EXPECTED,
    FUSED,
    TRIPTYCH,
    LayoutWatcher,
    importResult,
    makeView,
    missingViews,
    registerLayouts,
    setLegendVisible,
    showExpected,
    showFused,
    slicesOf,
)
from PETSynthScene.Legends import legendOf, viewIdsOf


def look(node: Any) -> tuple[Any, ...]:
    """What a layout says of a slice view."""
    colour = tuple(round(c * 255) for c in node.GetLayoutColor())
    names = (node.GetID(), node.GetName(), node.GetSingletonTag(), node.GetLayoutName())
    return (*names, node.GetOrientation(), node.GetLayoutLabel(), colour)


@pytest.mark.parametrize("layout", [FUSED, EXPECTED, TRIPTYCH])
def test_a_view_made_by_hand_is_the_one_the_layout_would_have_made(
    host: SlicerScene, layout: int
) -> None:
    other = SlicerScene()
    try:
        registerLayouts(other.env.layoutNode)
        other.env.layoutNode.SetViewArrangement(layout)
        wanted = {n.GetID(): look(n) for n in other.env.nodes("vtkMRMLSliceNode")}
        names = missingViews(host.env, layout)
        for name in names:
            makeView(host.env, layout, name)
            makeView(host.env, layout, name)
        made = {n.GetID(): look(n) for n in host.env.nodes("vtkMRMLSliceNode")}
        assert len(names) == sum(
            node.startswith("PETSynth") for row in slicesOf(layout) for node in row
        )
        assert made == wanted
        assert missingViews(host.env, layout) == []
        registerLayouts(host.env.layoutNode)
        host.env.layoutNode.SetViewArrangement(layout)
        assert {n.GetID(): look(n) for n in host.env.nodes("vtkMRMLSliceNode")} == made
    finally:
        other.close()


def legendPixels(view: SliceView, nodes: Any) -> int:
    """Number of pixels that the legends change."""
    with_ = view.snapshot().astype(int)
    setLegendVisible(nodes, False)
    without = view.snapshot().astype(int)
    setLegendVisible(nodes, True)
    return int((np.abs(with_ - without).max(axis=2) > 20).sum())


def test_a_view_that_came_after_the_result_has_its_legend(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    nodes = importResult(host.env, head.result(tmp_path, expected=True), t1Node=t1)
    view = host.sliceView("PETSynthPetSagittal", "Sagittal")
    view.snapshot()
    showExpected(host.env, nodes)

    assert legendPixels(view, nodes) > 200
    legend = legendOf(nodes.pet)
    assert legend.GetAttribute("PETSynth.Synthetic") == "1"
    assert viewIdsOf(legend) == ["vtkMRMLSliceNodePETSynthPetSagittal"]
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode") == 4


def test_a_view_that_comes_with_a_layout_gets_the_legends_that_wait_for_it(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    nodes = importResult(host.env, head.result(tmp_path, expected=True), t1Node=t1)
    showExpected(host.env, nodes, switchLayout=False)
    watcher = LayoutWatcher(host.env)
    watcher.start()
    view = host.sliceView("PETSynthPetSagittal", "Sagittal")
    view.snapshot()
    watcher.follow()  # as after any change of the layout
    watcher.stop()

    assert legendPixels(view, nodes) > 200


@pytest.mark.parametrize("part", ["sd", "sample"])
def test_sd_and_samples_have_a_legend_where_the_pet_had_it(
    host: SlicerScene, head: Head, tmp_path: Path, part: str
) -> None:
    import dataclasses

    view = host.sliceView("Yellow", "Sagittal")
    view.snapshot()
    folder = head.result(tmp_path, regions=False, samples=1)
    nodes = importResult(host.env, folder, t1Node=head.node(host.scene))
    volume = nodes.sd if part == "sd" else nodes.samples[0]
    showFused(host.env, dataclasses.replace(nodes, pet=volume))
    title = legendOf(volume).GetTitleText()

    assert legendPixels(view, nodes) > 200
    assert title.startswith("SYNTHETIC")
    assert ("SD" in title) == (part == "sd")


def test_a_removed_volume_takes_display_and_legend_with_it(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    from PETSynthScene.Volumes import discard

    nodes = importResult(host.env, head.result(tmp_path), t1Node=head.node(host.scene))
    classes = ("vtkMRMLScalarVolumeDisplayNode", "vtkMRMLColorLegendDisplayNode")
    before = [host.scene.GetNumberOfNodesByClass(name) for name in classes]
    discard(host.scene, nodes.sd)

    after = [host.scene.GetNumberOfNodesByClass(name) for name in classes]
    assert after == [count - 1 for count in before]
    assert isinstance(nodes.pet.GetDisplayNode(), slicer.vtkMRMLScalarVolumeDisplayNode)
