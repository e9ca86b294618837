"""A PET on the brain surface in Slicer: models, pages, marks, whose they are, saving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import Head
from slicer_scene import SlicerScene
from surface_case import PAGE, folder_of_surface, peak
from vtk.util.numpy_support import vtk_to_numpy

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.project.references import REFERENCES
from PETSynthLib.project.surface import surfaces
from PETSynthScene import (
    SSP,
    Role,
    SurfaceLook,
    importResult,
    importSurface,
    isSynthetic,
    lookOfSurface,
    paintSurface,
    registerLayouts,
    roleOf,
    showPage,
    showSurface,
    surfaceHeader,
    surfaceOf,
)
from PETSynthScene.Attributes import TRACER, VOXELS_SHA256
from PETSynthScene.Corner import wordsOf
from PETSynthScene.Hierarchy import folderOf
from PETSynthScene.Identity import identityOf
from PETSynthScene.Layouts import SURFACE_VIEWS, surfaceViewId
from PETSynthScene.Surfaces import SurfaceNodes, requireOwn
from PETSynthScene.SurfaceViews import cameraOf, isPageOnly
from PETSynthScene.Volumes import arrayOf


@pytest.fixture
def other() -> Iterator[SlicerScene]:
    """A second, fresh scene: Slicer started anew."""
    scene = SlicerScene()
    yield scene
    scene.close()


def pet_in(host: SlicerScene, head: Head, folder: Path, key: str = "fdg") -> Any:
    """The PET of an imported result."""
    return importResult(host.env, head.result(folder, key), t1Node=head.node(host.scene)).pet


def on_surface(
    host: SlicerScene, head: Head, folder: Path, key: str = "fdg", **more: Any
) -> SurfaceNodes:
    """A synthetic PET and its surface."""
    pet = pet_in(host, head, folder / "result", key)
    return importSurface(host.env, folder_of_surface(folder / "surface", key, **more), pet)


def values(node: Any, name: str) -> np.ndarray:
    """A map of a model."""
    return vtk_to_numpy(node.GetMesh().GetPointData().GetArray(name))


def test_each_hemisphere_becomes_a_model_with_its_maps(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = on_surface(host, head, tmp_path, z=True)
    for side, model in nodes.models.items():
        shape = surfaces()[side]
        points = vtk_to_numpy(model.GetMesh().GetPoints().GetData())
        assert np.allclose(points, shape.vertices, atol=1e-4)
        assert model.GetMesh().GetNumberOfPolys() == len(shape.faces)
        assert np.allclose(values(model, "SUVR"), 1.0 + peak(side, 1.0), atol=1e-6)
        assert np.allclose(values(model, "SD percent"), 10.0, atol=1e-4)
        data = model.GetMesh().GetPointData()
        for index in range(data.GetNumberOfArrays()):
            assert np.isfinite(vtk_to_numpy(data.GetArray(index))).all()
    left = values(nodes.models["L"], "z PNS")
    wall = surfaces()["L"].medial_wall
    assert not left[wall].any(), "no cortex lies below the medial wall"
    assert not left[:3].any(), "where nothing is normal there is no z"
    assert left[3:][~wall[3:]] == pytest.approx(peak("L")[3:][~wall[3:]], abs=1e-5)
    assert nodes.references == list(REFERENCES)


def test_every_node_is_marked_linked_and_in_the_results_folder(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = on_surface(host, head, tmp_path, z=True)
    every = [*nodes.models.values(), *nodes.pages.values()]
    assert len(every) == 5
    assert {roleOf(node) for node in every} == {Role.SURFACE, Role.PAGE}
    for node in every:
        assert isSynthetic(node)
        assert node.GetName().startswith("[SYN] FDG SSP")
        assert marks.CORNER in wordsOf(node)
        assert node.GetNodeReference("PETSynth.PET") is nodes.pet
        assert node.GetAttribute(VOXELS_SHA256)
        assert folderOf(host.env, node) == folderOf(host.env, nodes.pet) != 0
    assert surfaceHeader(nodes) == [marks.DEMONSTRATION]
    found = surfaceOf(host.env, nodes.pet)
    assert found.models == nodes.models
    assert found.pages == nodes.pages


def test_a_second_projection_takes_the_place_of_the_first(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = on_surface(host, head, tmp_path)
    paintSurface(host.env, nodes, SurfaceLook())
    importSurface(host.env, folder_of_surface(tmp_path / "again", z=True), nodes.pet)
    found = [n for n in host.env.nodes("vtkMRMLModelNode") if roleOf(n) is Role.SURFACE]
    assert len(found) == 2
    assert surfaceOf(host.env, nodes.pet).references == list(REFERENCES)


def test_of_an_exploratory_tracer_only_the_page_with_all_three_is_shown(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = on_surface(host, head, tmp_path, "pib")
    assert nodes.models == {}
    assert not [n for n in host.env.nodes("vtkMRMLModelNode") if roleOf(n) is Role.SURFACE]
    with pytest.raises(PETSynthError, match="low, middle and high only") as caught:
        showSurface(host.env, nodes)
    assert caught.value.code is ErrorCode.BAD_REQUEST
    registerLayouts(host.env.layoutNode)
    showPage(host.env, nodes)
    # It stays where it was put, unlike a middle alone.
    assert isPageOnly(host.env, "PETSynthSspPage")


def test_the_surface_of_an_acquired_pet_says_acquired(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    pet = head.volume(host.scene, "Real PET", np.ones((40, 48, 36), np.float32))
    nodes = importSurface(host.env, folder_of_surface(tmp_path, synthetic=False), pet)
    for node in [*nodes.models.values(), *nodes.pages.values()]:
        assert not isSynthetic(node)
        assert wordsOf(node) == "ACQUIRED PET"
        assert node.GetName().startswith("FDG SSP")
        assert node.GetAttribute(TRACER) == "fdg"
    assert not nodes.uncertain


class TestWhoseItIs:
    def test_a_pet_that_changed_in_the_meantime_gets_no_surface(
        self, host: SlicerScene, head: Head, tmp_path: Path
    ) -> None:
        pet = pet_in(host, head, tmp_path / "result")
        sent = identityOf(host.env, pet)
        arrayOf(pet)[0, 0, 0] += 1.0
        pet.GetImageData().GetPointData().GetScalars().Modified()
        before = host.scene.GetNumberOfNodes()
        with pytest.raises(PETSynthError, match="was changed since"):
            importSurface(host.env, folder_of_surface(tmp_path / "s"), pet, sent)
        assert host.scene.GetNumberOfNodes() == before

    def test_the_surface_of_another_image_is_refused(
        self, host: SlicerScene, head: Head, tmp_path: Path
    ) -> None:
        nodes = on_surface(host, head, tmp_path)
        showSurface(host.env, nodes)
        arrayOf(nodes.pet)[1, 1, 1] += 1.0
        nodes.pet.GetImageData().GetPointData().GetScalars().Modified()
        with pytest.raises(PETSynthError, match="belongs to another image"):
            requireOwn(host.env, nodes)
        with pytest.raises(PETSynthError, match="belongs to another image"):
            showPage(host.env, nodes)

    def test_numbers_that_were_changed_are_refused(
        self, host: SlicerScene, head: Head, tmp_path: Path
    ) -> None:
        pet = pet_in(host, head, tmp_path / "result")
        folder = folder_of_surface(tmp_path / "s")
        np.savez(folder / "fdg_synth_ssp.npz", uptake_L=np.zeros(3))
        before = host.scene.GetNumberOfNodes()
        with pytest.raises(PETSynthError, match="was changed since it was written") as caught:
            importSurface(host.env, folder, pet)
        assert caught.value.code is ErrorCode.BAD_DATA
        assert host.scene.GetNumberOfNodes() == before

    def test_a_folder_of_something_else_is_refused(
        self, host: SlicerScene, head: Head, tmp_path: Path
    ) -> None:
        pet = pet_in(host, head, tmp_path / "result")
        with pytest.raises(PETSynthError, match="no finished surface"):
            importSurface(host.env, tmp_path / "result", pet)


def test_the_page_stands_upright_in_an_axial_view(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = on_surface(host, head, tmp_path)
    page = nodes.pages["ssp"]
    assert page.GetImageData().GetDimensions() == (*PAGE, 1)
    view = host.sliceView("PETSynthSspPage", size=120)
    showPage(host.env, nodes, switchLayout=False)
    view.logic.FitSliceToBackground()
    picture = view.image()[..., :3].astype(int)
    red = np.argwhere(picture[..., 0] > 200)
    # 120 pixels show 60 x 40: twice as large, with 20 pixels above and below.
    assert red.min(axis=0) == pytest.approx([20, 0], abs=2)
    assert red.max(axis=0) == pytest.approx([39, 29], abs=2)


def test_everything_survives_saving_and_loading(
    host: SlicerScene, other: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = on_surface(host, head, tmp_path, z=True)
    registerLayouts(host.env.layoutNode)
    look = SurfaceLook("CBL", 2.4, "increase", "uniform", hatch=False)
    paintSurface(host.env, nodes, look)
    showSurface(host.env, nodes)
    turned = cameraOf(host.env, SURFACE_VIEWS["SUP"])
    turned.SetParallelScale(77.0)
    nodes.models["L"].SetName("renamed by the user")
    host.save(tmp_path / "größe scene.mrb")
    registerLayouts(other.env.layoutNode)
    other.load(tmp_path / "größe scene.mrb")

    (pet,) = [n for n in other.env.nodes("vtkMRMLScalarVolumeNode") if roleOf(n) is Role.PET]
    after = surfaceOf(other.env, pet)
    requireOwn(other.env, after)
    for side, old in nodes.models.items():
        new = after.models[side]
        for name in ("SUVR", "z CBL", "z PNS hatched", "Medial wall"):
            assert np.array_equal(values(new, name), values(old, name)), name
        assert isSynthetic(new)
        display, before = new.GetDisplayNode(), old.GetDisplayNode()
        assert display.GetActiveScalarName() == "z CBL"
        assert display.GetScalarRange() == before.GetScalarRange() == (-5.0, 0.0)
        for entry in (0, 100, 200, 255):
            colours = [[0.0] * 4, [0.0] * 4]
            display.GetColorNode().GetColor(entry, colours[0])
            before.GetColorNode().GetColor(entry, colours[1])
            assert colours[0] == pytest.approx(colours[1], abs=0.01)
        assert display.IsDisplayableInView(surfaceViewId(SURFACE_VIEWS["SUP"]))
        assert not display.IsDisplayableInView("vtkMRMLViewNode1")
    assert after.models["L"].GetName() == "renamed by the user"
    assert lookOfSurface(after) == look
    assert np.array_equal(arrayOf4(after.pages["ssp"]), arrayOf4(nodes.pages["ssp"]))
    assert other.env.layoutNode.GetViewArrangement() == SSP
    assert cameraOf(other.env, SURFACE_VIEWS["SUP"]).GetParallelScale() == pytest.approx(77.0)
    view = other.env.node(surfaceViewId(SURFACE_VIEWS["ANT"]))
    assert (view.GetRenderMode(), view.GetBoxVisible()) == (view.Orthographic, 0)


def arrayOf4(node: Any) -> np.ndarray:
    """Colours of a picture, (rows, columns, 3)."""
    width, height, _ = node.GetImageData().GetDimensions()
    return vtk_to_numpy(node.GetImageData().GetPointData().GetScalars()).reshape(height, width, 3)
