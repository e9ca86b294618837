"""The eight views of the surface: left is left, colours are the page's, they move together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import Head
from slicer_scene import SlicerScene
from surface_case import LEFT_FRONTAL, ThreeDView, folder_of_surface, peak
from vtk.util.numpy_support import vtk_to_numpy

from PETSynthLib import colour_maps
from PETSynthLib.errors import PETSynthError
from PETSynthLib.project.paint import Row, paint
from PETSynthLib.project.surface import surfaces
from PETSynthLib.project.views import VIEWS
from PETSynthLib.quantify.regions import labels_of
from PETSynthScene import (
    SSP,
    CornerMarks,
    Role,
    SurfaceLink,
    SurfaceLook,
    importResult,
    importSurface,
    lookDefault,
    paintSurface,
    previousLayout,
    registerLayouts,
    restoreLayout,
    roleOf,
    showSurface,
)
from PETSynthScene.Attributes import ROLE
from PETSynthScene.Layouts import SURFACE_VIEWS, surfaceViewId
from PETSynthScene.SurfaceOutline import keepOffSurface, outlineOnSurface
from PETSynthScene.Surfaces import SurfaceNodes
from PETSynthScene.SurfaceViews import cameraOf, lettersOfView, nameOfView

# Where a bright left-frontal blob appears: right of the middle, above the middle (quantification.md
# 1.2); None where the spec says nothing of it.
SEEN = {"LT.LAT": (-1, 1), "SUP": (-1, 1), "INF": (1, 1), "ANT": (1, None)}
LETTERS = {"SUP": ("L", "R"), "INF": ("R", "L"), "ANT": ("R", "L"), "POST": ("L", "R")}


@pytest.fixture
def nodes(host: SlicerScene, head: Head, tmp_path: Path) -> SurfaceNodes:
    """A PET of the sample case on the surface, with z."""
    registerLayouts(host.env.layoutNode)
    pet = importResult(host.env, head.result(tmp_path / "r"), t1Node=head.node(host.scene)).pet
    return importSurface(host.env, folder_of_surface(tmp_path / "s", z=True), pet)


@pytest.fixture
def views(host: SlicerScene, nodes: SurfaceNodes) -> Iterator[dict[str, ThreeDView]]:
    """The eight views, shown."""
    showSurface(host.env, nodes)
    made = {view.name: ThreeDView(host, view.name) for view in VIEWS}
    yield made
    for view in made.values():
        view.close()


def nearest(side: str) -> np.ndarray:
    """The surface's point under `LEFT_FRONTAL`, RAS."""
    vertices = surfaces()[side].vertices
    return vertices[np.linalg.norm(vertices - LEFT_FRONTAL, axis=1).argmin()]


def entry(nodes: SurfaceNodes, value: float) -> np.ndarray:
    """The colour (3,), 0..255, in which a value is shown."""
    display = nodes.models["L"].GetDisplayNode()
    low, high = display.GetScalarRange()
    colour = [0.0] * 4
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    display.GetColorNode().GetColor(min(int(share * 256), 255), colour)
    return 255.0 * np.array(colour[:3])


class TestOrientation:
    def test_a_point_of_the_left_frontal_lobe_appears_where_the_page_has_it(
        self, views: dict[str, ThreeDView]
    ) -> None:
        for name, (right, up) in SEEN.items():
            views[name].picture()
            x, y = views[name].seen(nearest("L"))
            assert np.sign(x) == right, name
            assert up is None or np.sign(y) == up, name

    def test_front_and_top_point_where_the_page_has_them(
        self, views: dict[str, ThreeDView]
    ) -> None:
        for view in VIEWS:
            views[view.name].picture()
            start = np.array(views[view.name].seen((0, 0, 0)))
            for axis, mm in ((0, 40.0), (1, 40.0), (2, 40.0)):
                step = mm * np.eye(3)[axis]
                moved = np.array(views[view.name].seen(step)) - start
                expected = (
                    np.array([view.right @ step, view.up @ step]) / 115.0
                )  # half its height in mm
                assert moved == pytest.approx(expected, abs=1e-4), (view.name, axis)

    def test_what_is_drawn_is_the_librarys_own_page(
        self, host: SlicerScene, nodes: SurfaceNodes, views: dict[str, ThreeDView]
    ) -> None:
        """The painted patch covers the same part of the brain's picture, view by view."""
        paintSurface(host.env, nodes, SurfaceLook("GLB", 1.0, hatch=False))
        left, right = (np.where(surfaces()[s].medial_wall, 0, peak(s)) for s in "LR")
        row = Row("GLB", left, -peak("L"), "z")
        assert right.max() < 5
        for view in VIEWS:
            mine = patch(views[view.name].picture())
            page = patch(np.asarray(paint(row, view.name, "classic")))
            assert (mine is None) == (page is None), view.name
            if mine is not None:
                assert mine == pytest.approx(page, abs=0.06), view.name

    def test_each_hemisphere_is_drawn_in_its_own_views_only(
        self, nodes: SurfaceNodes, views: dict[str, ThreeDView]
    ) -> None:
        for view in VIEWS:
            viewId = surfaceViewId(SURFACE_VIEWS[view.name])
            for side, model in nodes.models.items():
                assert model.GetDisplayNode().IsDisplayableInView(viewId) == (side in view.sides)
        assert not nodes.models["L"].GetDisplayNode().IsDisplayableInView("vtkMRMLViewNode1")

    def test_letters_stand_where_the_camera_has_left_and_right(
        self, host: SlicerScene, views: dict[str, ThreeDView]
    ) -> None:
        for view in VIEWS:
            assert lettersOfView(host.env, views[view.name].node) == LETTERS.get(view.name)
        camera = cameraOf(host.env, SURFACE_VIEWS["ANT"])
        camera.SetPosition(-500, 0, 0)  # turned to the left side
        assert lettersOfView(host.env, views["ANT"].node) is None
        camera.SetPosition(0, -500, 0)  # to the back
        assert lettersOfView(host.env, views["ANT"].node) == ("L", "R")

    def test_a_view_bears_its_name_until_it_is_turned(
        self, host: SlicerScene, views: dict[str, ThreeDView]
    ) -> None:
        for view in VIEWS:
            assert nameOfView(host.env, views[view.name].node) == view.name
        camera = cameraOf(host.env, SURFACE_VIEWS["RT.LAT"])
        x, y, z = camera.GetFocalPoint()
        camera.SetPosition(x + 500, y + 40, z)  # by five degrees
        assert nameOfView(host.env, views["RT.LAT"].node) == "RT.LAT"
        camera.SetPosition(x - 500, y, z)  # the left side, in a view made for the right
        assert nameOfView(host.env, views["RT.LAT"].node) == ""

    def test_the_name_stands_in_the_views_corner(
        self, host: SlicerScene, views: dict[str, ThreeDView]
    ) -> None:
        renderers = {surfaceViewId(SURFACE_VIEWS[n]): view.renderer for n, view in views.items()}
        watcher = CornerMarks(host.env, lambda node: renderers.get(node.GetID()), lambda node: None)
        watcher.start()
        props = views["LT.LAT"].renderer.GetViewProps()
        actors = [props.GetItemAsObject(n) for n in range(props.GetNumberOfItems())]
        corner = [a.GetText(2) for a in actors if a.IsA("vtkCornerAnnotation")]
        watcher.stop()
        assert [words for words in corner if words] == ["LT.LAT"]


def patch(picture: np.ndarray) -> Any:
    """Middle (right, down) of what is coloured, as a share of the brain's own picture.

    None when nothing is coloured.
    """
    colours = picture[..., :3].astype(int)
    brain = np.argwhere(colours.sum(axis=2) > 40)
    low, high = brain.min(axis=0), brain.max(axis=0)
    painted = np.argwhere(np.ptp(colours, axis=2) > 60)
    if len(painted) < 0.005 * len(brain):
        return None
    down, across = (painted.mean(axis=0) - low) / (high - low)
    return across, down


class TestPaint:
    def test_a_value_has_the_colour_of_the_page(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        for palette, name in (("classic", "nih"), ("uniform", "uniform")):
            paintSurface(host.env, nodes, SurfaceLook("PNS", 1.0, palette=palette))
            # Two of the four standard deviations from 1 to 5: the middle of the colour map.
            assert entry(nodes, 3.0) == pytest.approx(colour_maps.table(name)[127], abs=4)
            assert entry(nodes, 4.99) == pytest.approx(colour_maps.table(name)[254], abs=4)

    def test_below_the_threshold_lies_the_grey_brain(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        paintSurface(host.env, nodes, SurfaceLook("PNS", 2.5))
        for value in (-9.0, 0.0, 1.5, 2.45):
            assert np.ptp(entry(nodes, value)) < 1
        for value in (2.55, 4.0, 9.0):
            assert np.ptp(entry(nodes, value)) > 60

    def test_an_increase_is_painted_where_z_of_a_decrease_is_negative(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        paintSurface(host.env, nodes, SurfaceLook("PNS", 1.0, "increase"))
        assert np.ptp(entry(nodes, 3.0)) < 1
        assert entry(nodes, -3.0) == pytest.approx(colour_maps.table("nih")[127], abs=4)

    def test_uptake_is_painted_whole_in_the_tracers_window(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        paintSurface(host.env, nodes, SurfaceLook("uptake", 4.0))
        assert nodes.models["R"].GetDisplayNode().GetScalarRange() == (0.0, 2.2)
        assert entry(nodes, 1.1) == pytest.approx(colour_maps.table("nih")[127], abs=6)

    def test_hatching_cuts_stripes_where_z_is_not_reliable(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        paintSurface(host.env, nodes, SurfaceLook("GLB", hatch=True))
        assert nodes.models["R"].GetDisplayNode().GetActiveScalarName() == "z GLB hatched"
        for side, share in (("L", 0.0), ("R", 1 / 3)):  # `folder_of_surface`: the left is reliable
            data = nodes.models[side].GetMesh().GetPointData()
            plain, hatched = (
                vtk_to_numpy(data.GetArray(f"z GLB{end}")) for end in ("", " hatched")
            )
            cut = (plain != 0) & (hatched == 0)
            assert cut.sum() / (plain != 0).sum() == pytest.approx(share, abs=0.03)
            assert np.array_equal(hatched[~cut], plain[~cut])

    def test_a_stripe_is_grey_at_any_threshold(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        for direction in ("decrease", "increase"):
            paintSurface(host.env, nodes, SurfaceLook("GLB", 0.0, direction))
            assert np.ptp(entry(nodes, 0.0)) < 1

    def test_a_map_that_is_not_there_is_refused(
        self, host: SlicerScene, head: Head, tmp_path: Path
    ) -> None:
        pet = importResult(host.env, head.result(tmp_path / "r"), t1Node=head.node(host.scene)).pet
        plain = importSurface(host.env, folder_of_surface(tmp_path / "s"), pet)
        assert lookDefault(plain).shown == "uptake"
        with pytest.raises(PETSynthError, match="no such map"):
            paintSurface(host.env, plain, SurfaceLook("PNS"))

    def test_the_default_is_z_of_the_pons_in_the_tracers_direction(
        self, nodes: SurfaceNodes
    ) -> None:
        look = lookDefault(nodes)
        assert (look.shown, look.direction, look.threshold) == ("PNS", "decrease", 2.0)


class TestTogether:
    @pytest.fixture
    def link(self, host: SlicerScene, nodes: SurfaceNodes) -> Iterator[SurfaceLink]:
        link = SurfaceLink(host.env)
        link.start()
        showSurface(host.env, nodes)
        yield link
        link.stop()

    def test_zoom_goes_to_all_eight(self, host: SlicerScene, link: SurfaceLink) -> None:
        cameraOf(host.env, SURFACE_VIEWS["SUP"]).SetParallelScale(60.0)
        scales = {cameraOf(host.env, n).GetParallelScale() for n in SURFACE_VIEWS.values()}
        assert scales == {60.0}
        # Slicer's view overwrites the zoom by its own field whenever it changes.
        fields = {host.env.node(surfaceViewId(n)).GetFieldOfView() for n in SURFACE_VIEWS.values()}
        assert fields == {60.0}

    def test_a_turn_is_made_from_each_views_own_side(
        self, host: SlicerScene, link: SurfaceLink
    ) -> None:
        """Seen from the right and looked at from a little in front: so is the left."""
        right, left = (cameraOf(host.env, SURFACE_VIEWS[n]) for n in ("RT.LAT", "LT.LAT"))
        focus = np.array(right.GetFocalPoint())
        angle = np.deg2rad(30)
        # To the right of the picture of RT.LAT lies the front.
        right.SetPosition(*(focus + 500 * np.array([np.cos(angle), np.sin(angle), 0.0])))
        towards = np.array(left.GetPosition()) - left.GetFocalPoint()
        # To the right of the picture of LT.LAT lies the back.
        assert towards / 500 == pytest.approx([-np.cos(angle), -np.sin(angle), 0.0], abs=1e-6)

    def test_a_shift_goes_the_same_way_in_every_picture(
        self, host: SlicerScene, link: SurfaceLink
    ) -> None:
        top, front = (cameraOf(host.env, SURFACE_VIEWS[n]) for n in ("SUP", "ANT"))
        before = np.array(front.GetFocalPoint())
        focus, place = np.array(top.GetFocalPoint()), np.array(top.GetPosition())
        was = top.StartModify()
        step = np.array([10.0, 0.0, 0.0])  # to the right of SUP: the patient's right
        top.SetFocalPoint(*(focus + step))
        top.SetPosition(*(place + step))
        top.EndModify(was)
        # To the right of ANT is the patient's left.
        assert np.array(front.GetFocalPoint()) - before == pytest.approx([-10, 0, 0], abs=1e-6)

    def test_views_made_by_slicers_layout_menu_are_set_up_too(self, host: SlicerScene) -> None:
        registerLayouts(host.env.layoutNode)
        link = SurfaceLink(host.env)
        link.start()
        host.env.layoutNode.SetViewArrangement(SSP)
        view = host.env.node(surfaceViewId(SURFACE_VIEWS["POST"]))
        assert (view.GetRenderMode(), view.GetBoxVisible()) == (view.Orthographic, 0)
        assert view.GetBackgroundColor() == (0.0, 0.0, 0.0)
        link.stop()


def test_the_layout_has_the_eight_views_and_gives_way_to_the_users(
    host: SlicerScene, nodes: SurfaceNodes
) -> None:
    host.env.layoutNode.SetViewArrangement(3)
    showSurface(host.env, nodes)
    made = host.layoutLogic.GetViewNodes()
    names = [made.GetItemAsObject(i).GetLayoutName() for i in range(made.GetNumberOfItems())]
    assert names == [SURFACE_VIEWS[view.name] for view in VIEWS]
    assert previousLayout(host.env) == 3
    restoreLayout(host.env)
    assert host.env.layoutNode.GetViewArrangement() == 3


class TestOutline:
    def test_a_regions_border_is_drawn_on_its_side_and_not_saved(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        outlineOnSurface(host.env, "precuneus", "L")
        (line,) = [n for n in host.env.nodes("vtkMRMLModelNode") if roleOf(n) is Role.OUTLINE]
        points = vtk_to_numpy(line.GetMesh().GetPoints().GetData())
        mine = surfaces()["L"]
        region = mine.vertices[np.isin(mine.labels, labels_of("precuneus", "L"))]
        # Half an edge of the mesh and the lift away from the region's outermost vertices.
        assert (points.min(axis=0) > region.min(axis=0) - 4).all()
        assert (points.max(axis=0) < region.max(axis=0) + 4).all()
        assert (points[:, 0] < 4).all(), "left"
        assert not line.GetSaveWithScene()
        display = line.GetDisplayNode()
        assert display.IsDisplayableInView(surfaceViewId(SURFACE_VIEWS["LT.MED"]))
        assert not display.IsDisplayableInView(surfaceViewId(SURFACE_VIEWS["RT.MED"]))
        outlineOnSurface(host.env, "precuneus", "both")
        assert (
            len([n for n in host.env.nodes("vtkMRMLModelNode") if roleOf(n) is Role.OUTLINE]) == 2
        )

    def test_what_lies_in_the_heads_own_space_stays_out_of_the_eight_views(
        self, host: SlicerScene, nodes: SurfaceNodes
    ) -> None:
        display = host.scene.AddNewNodeByClass("vtkMRMLModelDisplayNode")
        keepOffSurface(host.env, display)
        assert display.GetNumberOfViewNodeIDs() == 0, "no such view is there yet"
        host.scene.AddNewNodeByClass("vtkMRMLViewNode", "View1")
        showSurface(host.env, nodes)
        keepOffSurface(host.env, display)
        assert not display.IsDisplayableInView(surfaceViewId(SURFACE_VIEWS["SUP"]))
        assert display.IsDisplayableInView("vtkMRMLViewNode1")


def test_a_region_that_was_clicked_before_stays_out_of_the_eight_views(
    host: SlicerScene, nodes: SurfaceNodes
) -> None:
    clicked = host.scene.AddNewNodeByClass("vtkMRMLModelNode")
    clicked.SetAttribute(ROLE, Role.HIGHLIGHT.value)
    clicked.CreateDefaultDisplayNodes()

    showSurface(host.env, nodes)

    display = clicked.GetDisplayNode()
    assert not any(
        display.IsDisplayableInView(surfaceViewId(name)) for name in SURFACE_VIEWS.values()
    )


def test_every_view_of_a_synthetic_surface_says_so(
    host: SlicerScene, views: dict[str, ThreeDView]
) -> None:
    corner = CornerMarks(host.env, lambda node: None)
    corner.start()
    for view in views.values():
        assert "SYNTHETIC PET" in corner.textOf(view.node)
    corner.stop()


def test_the_surface_of_another_pet_is_put_away(
    host: SlicerScene, nodes: SurfaceNodes, head: Head, tmp_path: Path
) -> None:
    showSurface(host.env, nodes)
    pet = importResult(host.env, head.result(tmp_path / "b"), t1Node=head.node(host.scene)).pet
    second = importSurface(host.env, folder_of_surface(tmp_path / "t"), pet)
    showSurface(host.env, second)
    assert not nodes.models["L"].GetDisplayNode().GetVisibility()
    assert second.models["L"].GetDisplayNode().GetVisibility()
