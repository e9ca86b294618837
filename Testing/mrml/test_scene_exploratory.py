"""Low, middle and high of an exploratory tracer are seen together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from head import Head
from slicer_scene import SlicerScene

from PETSynthScene import (
    FUSED,
    TRIPTYCH,
    LayoutWatcher,
    importResult,
    restoreLayout,
    showFused,
    showTriptych,
    slicesOf,
)
from PETSynthScene.Exploratory import isExploratory
from PETSynthScene.Slices import compositeOf, fillColumn, layersOf

FOUR_UP = 3
OWN_VIEWS = ("Red", "Green", "Yellow")


@pytest.fixture
def watcher(host: SlicerScene) -> Iterator[LayoutWatcher]:
    """The user's own layout, watched."""
    host.env.layoutNode.SetViewArrangement(FOUR_UP)
    made = LayoutWatcher(host.env)
    made.start()
    yield made
    made.stop()


def imported(host: SlicerScene, head: Head, folder: Path, key: str = "pib") -> Any:
    """A result over a new T1."""
    return importResult(host.env, head.result(folder, key), t1Node=head.node(host.scene))


def shownIn(host: SlicerScene, *views: str) -> list[list[str]]:
    """Names of the volumes each view shows, from back to front."""
    return [[v.GetName() for v in layersOf(host.env, compositeOf(host.env, w))] for w in views]


@pytest.mark.parametrize("way", ["button", "layout menu", "another of our layouts"])
def test_leaving_the_triptych_takes_the_middle_away(
    host: SlicerScene, head: Head, watcher: LayoutWatcher, tmp_path: Path, way: str
) -> None:
    nodes = imported(host, head, tmp_path)
    showTriptych(host.env, nodes)
    assert shownIn(host, "Red") == [[nodes.t1.GetName(), nodes.pet.GetName()]]
    if way == "button":
        watcher.stop()  # it does not need the watcher
        restoreLayout(host.env)
    else:
        host.env.layoutNode.SetViewArrangement(FOUR_UP if way == "layout menu" else FUSED)

    assert shownIn(host, *OWN_VIEWS) == [[nodes.t1.GetName()]] * 3


def test_coming_back_by_the_layout_menu_brings_the_middle_back(
    host: SlicerScene, head: Head, watcher: LayoutWatcher, tmp_path: Path
) -> None:
    nodes, fdg = imported(host, head, tmp_path / "1"), imported(host, head, tmp_path / "2", "fdg")
    showTriptych(host.env, nodes, opacity=0.7)
    showFused(host.env, fdg)
    assert shownIn(host, "Red") == [[fdg.t1.GetName(), fdg.pet.GetName()]]
    host.env.layoutNode.SetViewArrangement(TRIPTYCH)

    for row in slicesOf(TRIPTYCH):
        fronts = [compositeOf(host.env, view).GetForegroundVolumeID() for view in row]
        assert fronts == [v.GetID() for v in (nodes.low, nodes.pet, nodes.high)]
        assert compositeOf(host.env, row[1]).GetForegroundOpacity() == pytest.approx(0.7)


def test_under_the_users_own_layout_the_middle_is_not_put_into_his_views(
    host: SlicerScene, head: Head, watcher: LayoutWatcher, tmp_path: Path
) -> None:
    nodes = imported(host, head, tmp_path)
    fillColumn(host.env, ["Red"], nodes.t1)
    showTriptych(host.env, nodes, switchLayout=False)

    assert shownIn(host, "Red") == [[nodes.t1.GetName()]]


def test_a_middle_without_a_t1_leaves_an_empty_view(
    host: SlicerScene, head: Head, watcher: LayoutWatcher, tmp_path: Path
) -> None:
    nodes = importResult(host.env, head.result(tmp_path, "pib"))
    showTriptych(host.env, nodes)
    host.env.layoutNode.SetViewArrangement(FOUR_UP)

    assert shownIn(host, *OWN_VIEWS) == [[], [], []]


def test_a_tracer_that_mri_determines_stays_in_the_users_views(
    host: SlicerScene, head: Head, watcher: LayoutWatcher, tmp_path: Path
) -> None:
    nodes = imported(host, head, tmp_path, "fdg")
    showFused(host.env, nodes)
    host.env.layoutNode.SetViewArrangement(FOUR_UP)

    assert not isExploratory(nodes.pet)
    assert shownIn(host, "Red") == [[nodes.t1.GetName(), nodes.pet.GetName()]]


def test_a_loaded_scene_that_shows_the_middle_alone_is_put_right(
    host: SlicerScene, head: Head, watcher: LayoutWatcher, tmp_path: Path
) -> None:
    nodes = imported(host, head, tmp_path)
    watcher.stop()  # as an earlier version of the module left it
    fillColumn(host.env, ["Red"], nodes.t1, nodes.pet)
    host.save(tmp_path / "scene.mrb")
    other = SlicerScene()
    try:
        other.env.layoutNode.SetViewArrangement(FOUR_UP)
        again = LayoutWatcher(other.env)
        again.start()
        other.load(tmp_path / "scene.mrb")
        assert shownIn(other, "Red") == [["Sample T1w"]]
        again.stop()
    finally:
        other.close()
