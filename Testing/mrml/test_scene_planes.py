"""Reading planes: the slices tilt as the head says, and nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import Head, bending, linear, straight, turned
from scipy import ndimage
from slicer_scene import SlicerScene

from PETSynthLib.assets import atlas_volume
from PETSynthLib.errors import PETSynthError
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.quantify.regions import labels_of
from PETSynthScene import (
    EXPECTED,
    LayoutWatcher,
    ReadingPlanes,
    importResult,
    listResults,
    planesOn,
    registerLayouts,
    setPlanes,
    showFused,
    switchTo,
    whyNoPlanes,
)
from PETSynthScene.Corner import CornerMarks
from PETSynthScene.Planes import AC, HIPPOCAMPAL_PITCH, PC, axesOf
from PETSynthScene.Volumes import ijkToRas, numpyMatrix, voxelsDigest

VIEWS = (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal"))

# A head that looks 20 degrees down and 30 to the right; the way to the template undoes both.
OBLIQUE = turned(20, 0, 0) @ turned(0, 0, 30)
# By hand. Left-right is where that way's first row points: (cos 30, -sin 30, 0). The AC-PC line
# runs atan(2.5 / 28) = 5.10 degrees down in the template, so 25.10 degrees down in the head, turned
# there by 30 degrees to the right: (cos 25.10 sin 30, cos 25.10 cos 30, -sin 25.10).
RIGHT = (0.8660, -0.5000, 0.0)
FRONT = (0.4528, 0.7842, -0.4243)
# Up = right x front.
UP = (0.2121, 0.3674, 0.9056)


@pytest.fixture
def other() -> Iterator[SlicerScene]:
    """A second, fresh scene."""
    scene = SlicerScene()
    yield scene
    scene.close()


def imported(
    host: SlicerScene,
    folder: Path,
    toTemplate: np.ndarray | None = OBLIQUE,
    head: Head | None = None,
    **more: Any,
) -> Any:
    """A result whose job left this way to the template."""
    head = head or Head()
    head.result(folder, **more)
    if toTemplate is not None:
        NativeToTemplate(toTemplate).write(folder / "space" / "native_to_template.tfm")
    return importResult(host.env, folder, t1Node=head.node(host.scene))


def threeViews(host: SlicerScene) -> list[Any]:
    """Slicer's own three views."""
    return [host.sliceView(name, plane) for name, plane in VIEWS]


def axes(node: Any) -> np.ndarray:
    """Axes of a slice in RAS: its columns across, up, through."""
    return numpyMatrix(node.GetSliceToRAS())[:3, :3]


def test_the_slices_of_an_oblique_head_follow_its_acpc_line(
    host: SlicerScene, tmp_path: Path
) -> None:
    red, green, yellow = threeViews(host)
    nodes = imported(host, tmp_path)
    setPlanes(host.env, nodes.pet, ReadingPlanes.ACPC)
    right, front, up = (np.array(axis) for axis in (RIGHT, FRONT, UP))

    # Radiological: the patient's right is on the left; sagittal slices look to the left.
    assert np.allclose(axes(red.node), np.column_stack([-right, front, up]), atol=1e-4)
    assert np.allclose(axes(green.node), np.column_stack([-right, up, front]), atol=1e-4)
    assert np.allclose(axes(yellow.node), np.column_stack([-front, up, -right]), atol=1e-4)


def test_under_a_linear_transform_the_planes_follow_the_head_in_the_world(
    host: SlicerScene, tmp_path: Path
) -> None:
    red = threeViews(host)[0]
    nodes = imported(host, tmp_path)
    # Turning the head back by 30 degrees leaves the tilt alone: cos and sin of 25.10 degrees.
    place = linear(host.scene, turned(0, 0, 30))
    nodes.pet.SetAndObserveTransformNodeID(place.GetID())
    setPlanes(host.env, nodes.pet, ReadingPlanes.ACPC)

    assert np.allclose(axes(red.node)[:, 0], (-1, 0, 0), atol=1e-4)
    assert np.allclose(axes(red.node)[:, 1], (0, 0.9056, -0.4243), atol=1e-4)


def test_the_hippocampal_planes_are_tilted_by_the_atlas(host: SlicerScene, tmp_path: Path) -> None:
    green = threeViews(host)[1]
    nodes = imported(host, tmp_path, np.eye(4))
    setPlanes(host.env, nodes.pet, ReadingPlanes.HIPPOCAMPUS)
    # cos and sin of 38.7 degrees: coronal slices stand across the hippocampus.
    assert np.allclose(axes(green.node)[:, 2], (0, 0.7804, -0.6252), atol=1e-4)


def test_planes_are_square_and_midsagittal_even_where_the_affine_shears(
    host: SlicerScene, tmp_path: Path
) -> None:
    shear = np.eye(4)
    shear[0, 1], shear[1, 2], shear[0, 0] = 0.15, -0.1, 1.2
    shear[:3, 3] = (4, -7, 12)
    nodes = imported(host, tmp_path, shear @ OBLIQUE)
    found = axesOf(nodes.pet, ReadingPlanes.ACPC)
    assert np.allclose(found.T @ found, np.eye(3), atol=1e-9)
    assert np.linalg.det(found) == pytest.approx(1.0)
    inHead = [np.linalg.inv(shear @ OBLIQUE) @ [*point, 1.0] for point in (AC, PC)]
    line = (inHead[0] - inHead[1])[:3]
    # The axial plane through AC holds PC; so does the sagittal one.
    assert np.abs(found[:, [0, 2]].T @ line).max() < 1e-9
    top = (np.linalg.inv(shear @ OBLIQUE) @ [0, 0, 70, 1.0])[:3]
    assert found[:, 0] @ (top - inHead[0][:3]) == pytest.approx(0.0, abs=1e-9)


def test_nothing_but_the_views_moves(host: SlicerScene, tmp_path: Path) -> None:
    threeViews(host)
    nodes = imported(host, tmp_path)
    volumes = host.env.nodes("vtkMRMLScalarVolumeNode")
    before = [(voxelsDigest(v), ijkToRas(v).tolist(), v.GetTransformNodeID()) for v in volumes]
    transforms = len(host.env.nodes("vtkMRMLTransformNode"))
    for planes in ReadingPlanes:
        setPlanes(host.env, nodes.pet, planes)
    after = [(voxelsDigest(v), ijkToRas(v).tolist(), v.GetTransformNodeID()) for v in volumes]

    assert after == before
    assert len(host.env.nodes("vtkMRMLTransformNode")) == transforms


def test_the_point_looked_at_stays_and_native_gives_slicers_planes_back(
    host: SlicerScene, tmp_path: Path
) -> None:
    views = threeViews(host)
    nodes = imported(host, tmp_path)
    point = np.array([12.0, -31.0, 22.0])
    for view in views:
        view.node.JumpSliceByOffsetting(*point)
    for planes in (ReadingPlanes.ACPC, ReadingPlanes.HIPPOCAMPUS, ReadingPlanes.NATIVE):
        setPlanes(host.env, nodes.pet, planes)
        assert planesOn(host.env, nodes.pet) is planes
        for view in views:
            matrix = numpyMatrix(view.node.GetSliceToRAS())
            assert matrix[:3, 2] @ (point - matrix[:3, 3]) == pytest.approx(0.0, abs=1e-6)
    assert [view.node.GetOrientation() for view in views] == [plane for _, plane in VIEWS]


def test_planes_of_the_users_own_are_none_of_ours(host: SlicerScene, tmp_path: Path) -> None:
    red = threeViews(host)[0]
    nodes = imported(host, tmp_path)
    setPlanes(host.env, nodes.pet, ReadingPlanes.ACPC)
    red.node.SetOrientation("Axial")
    assert planesOn(host.env, nodes.pet) is None


def test_what_is_not_known_is_refused_in_a_sentence(host: SlicerScene, tmp_path: Path) -> None:
    red = threeViews(host)[0]
    old = imported(host, tmp_path / "old", None)
    assert "way to the template" in whyNoPlanes(old.pet)
    with pytest.raises(PETSynthError, match="way to the template"):
        setPlanes(host.env, old.pet, ReadingPlanes.ACPC)
    bent = imported(host, tmp_path / "bent")
    assert whyNoPlanes(bent.pet) == ""
    bent.pet.SetAndObserveTransformNodeID(bending(host.scene).GetID())
    with pytest.raises(PETSynthError, match="non-linear"):
        setPlanes(host.env, bent.pet, ReadingPlanes.ACPC)
    assert red.node.GetOrientation() == "Axial"
    setPlanes(host.env, bent.pet, ReadingPlanes.NATIVE)


def test_views_made_later_tilt_too(host: SlicerScene, tmp_path: Path) -> None:
    red = threeViews(host)[0]
    nodes = imported(host, tmp_path, expected=True)
    watcher = LayoutWatcher(host.env)
    watcher.start()
    setPlanes(host.env, nodes.pet, ReadingPlanes.ACPC)
    registerLayouts(host.env.layoutNode)
    switchTo(host.env, EXPECTED)
    late = host.env.node("vtkMRMLSliceNodePETSynthExpectedAxial")
    watcher.stop()

    assert np.allclose(axes(late), axes(red.node))


def test_fitting_and_showing_leave_the_tilt(host: SlicerScene, tmp_path: Path) -> None:
    threeViews(host)
    nodes = imported(host, tmp_path)
    setPlanes(host.env, nodes.pet, ReadingPlanes.HIPPOCAMPUS)
    showFused(host.env, nodes)
    assert planesOn(host.env, nodes.pet) is ReadingPlanes.HIPPOCAMPUS


def test_a_saved_scene_comes_back_in_its_planes(
    host: SlicerScene, other: SlicerScene, tmp_path: Path
) -> None:
    threeViews(host)
    head = Head(turned(0, 0, 20) @ straight(), order=(1, 2, 0))
    nodes = imported(host, tmp_path, head=head)
    nodes.t1.SetAndObserveTransformNodeID(linear(host.scene, turned(9, 0, 0)).GetID())
    nodes.pet.SetAndObserveTransformNodeID(nodes.t1.GetTransformNodeID())
    setPlanes(host.env, nodes.pet, ReadingPlanes.ACPC)
    wanted = axesOf(nodes.pet, ReadingPlanes.ACPC)
    host.save(tmp_path / "scene.mrb")
    threeViews(other)
    other.load(tmp_path / "scene.mrb")
    (pet,) = listResults(other.env)

    assert planesOn(other.env, pet) is ReadingPlanes.ACPC
    assert np.allclose(axesOf(pet, ReadingPlanes.ACPC), wanted, atol=1e-6)
    setPlanes(other.env, pet, ReadingPlanes.NATIVE)
    assert other.sliceView("Red").node.GetOrientation() == "Axial"


@pytest.mark.parametrize(
    ("degrees", "plane", "letters"),
    [
        # Left, right, lower, upper edge. Tilted by 30 degrees up is (0, cos 30, sin 30): mostly A.
        ((30, 0, 0), "Axial", "RLPA"),
        # By 60 degrees it is mostly S, and the coronal slice's (0, -sin 60, cos 60) mostly P.
        ((60, 0, 0), "Axial", "RLIS"),
        ((60, 0, 0), "Coronal", "RLAP"),
        # Turned by 30 degrees: across is (-cos 30, -sin 30, 0), mostly from R to L.
        ((0, 0, 30), "Axial", "RLPA"),
        # By 60 degrees across is mostly from A to P, and up, (-sin 60, cos 60, 0), towards L.
        ((0, 0, 60), "Axial", "APRL"),
        ((0, 0, 30), "Sagittal", "APIS"),
    ],
)
def test_letters_of_an_oblique_slice_are_those_of_its_largest_component(
    host: SlicerScene, degrees: tuple[float, ...], plane: str, letters: str
) -> None:
    view = host.sliceView("Red", plane)
    matrix = view.node.GetSliceToRAS()
    turnedAxes = turned(*degrees)[:3, :3] @ axes(view.node)
    for row in range(3):
        for column in range(3):
            matrix.SetElement(row, column, turnedAxes[row, column])
    view.node.UpdateMatrices()

    assert "".join(CornerMarks(host.env, lambda node: None).lettersOf(view.node)) == letters


def test_the_landmarks_are_where_the_shipped_template_has_them() -> None:
    template = atlas_volume("template_t1")

    def line(points: np.ndarray) -> np.ndarray:
        homogeneous = np.column_stack([points, np.ones(len(points))])
        voxels = (np.linalg.inv(template.affine) @ homogeneous.T)[:3]
        return np.asarray(ndimage.map_coordinates(template.data, voxels, order=3))

    steps = np.arange(-4.0, 4.01, 0.5)
    frontBack = line(np.array([(0.0, AC[1] + step, AC[2]) for step in steps]))
    assert abs(steps[frontBack.argmax()]) <= 0.5
    upDown = line(np.array([(0.0, PC[1], PC[2] + step) for step in steps[steps > -3]]))
    assert abs(steps[steps > -3][upDown.argmax()]) <= 0.5


@pytest.mark.parametrize("side", ["L", "R"])
def test_the_hippocampal_pitch_is_that_of_the_atlas(side: str) -> None:
    atlas = atlas_volume("regions")
    voxels = np.argwhere(np.isin(atlas.data, labels_of("hippocampus", side)))
    points = voxels @ atlas.affine[:3, :3].T
    longest = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    pitch = np.degrees(np.arctan(longest[2] / longest[1]))
    assert pitch == pytest.approx(HIPPOCAMPAL_PITCH, abs=0.1)
