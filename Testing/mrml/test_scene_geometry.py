"""Where a result lands: on the voxels of the T1 and under its parent transform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import BRAIN, HOT, HOT_UPTAKE, UPTAKE, Head, bending, linear, straight, turned, worldOf
from slicer_scene import SlicerScene

from PETSynthScene import exportInputs, importResult
from PETSynthScene.Volumes import arrayOf, ijkToRas, shapeOf

PLACES = {
    "straight": Head(),
    "oblique": Head(turned(12.0, -7.0, 25.0) @ straight()),
    "upside down": Head(turned(0.0, 180.0, 0.0) @ straight()),
    "sagittal": Head(order=(1, 2, 0)),
    "sagittal oblique": Head(turned(5.0, 9.0, -14.0) @ straight(), order=(1, 2, 0)),
    "left first": Head(flips=(0, 1)),
    "left-handed": Head(flips=(0,)),
    "left-handed oblique": Head(turned(20.0, 0.0, 5.0) @ straight(), flips=(2,), order=(2, 0, 1)),
}


def middleOfHot(node: Any) -> np.ndarray:
    """Mean index (i, j, k) of the hot spot's voxels."""
    return np.argwhere(np.isclose(arrayOf(node), HOT_UPTAKE)).mean(axis=0)[::-1]


@pytest.fixture(params=list(PLACES))
def placed(request: pytest.FixtureRequest) -> Head:
    """A head in one of many orientations."""
    return PLACES[request.param]


def test_the_pet_has_the_voxels_of_the_t1(host: SlicerScene, placed: Head, tmp_path: Path) -> None:
    t1 = placed.node(host.scene)
    pet = importResult(host.env, placed.result(tmp_path / "job"), t1Node=t1).pet

    assert shapeOf(pet) == shapeOf(t1)
    assert np.array_equal(ijkToRas(pet), ijkToRas(t1))
    # The T1 is brightest in the hot spot too: the same voxels, not only the same box.
    assert np.array_equal(arrayOf(pet) > 1.9, arrayOf(t1) > 130)


def test_left_stays_left(host: SlicerScene, placed: Head, tmp_path: Path) -> None:
    pet = importResult(
        host.env, placed.result(tmp_path / "job"), t1Node=placed.node(host.scene)
    ).pet

    found = (ijkToRas(pet) @ [*middleOfHot(pet), 1.0])[:3]
    assert np.linalg.norm(found - placed.ras(HOT)) < 0.4  # 0.1 voxel of 4 mm


def test_without_the_t1_the_pet_still_lies_where_the_head_was(
    host: SlicerScene, placed: Head, tmp_path: Path
) -> None:
    pet = importResult(host.env, placed.result(tmp_path / "job")).pet

    found = (ijkToRas(pet) @ [*middleOfHot(pet), 1.0])[:3]
    assert np.linalg.norm(found - placed.ras(HOT)) < 0.4


@pytest.mark.parametrize("kind", ["linear", "non-linear"])
def test_the_pet_moves_with_the_parent_transform(
    host: SlicerScene, kind: str, tmp_path: Path
) -> None:
    head = PLACES["sagittal oblique"]
    t1 = head.node(host.scene)
    if kind == "linear":
        transform = linear(host.scene, turned(0, 0, 30) @ np.diag([1.2, 0.9, 1, 1]))
    else:
        transform = bending(host.scene)
    t1.SetAndObserveTransformNodeID(transform.GetID())
    nodes = importResult(host.env, head.result(tmp_path / "job"), t1Node=t1)

    for node in (nodes.pet, nodes.sd, nodes.mask, nodes.regions):
        assert node.GetParentTransformNode() is transform
    index = np.argwhere(arrayOf(t1) > 130).mean(axis=0)[::-1]
    away = np.linalg.norm(worldOf(t1, index) - head.ras(HOT))
    assert away > 5.0  # the transform does something here
    assert np.linalg.norm(worldOf(nodes.pet, middleOfHot(nodes.pet)) - worldOf(t1, index)) < 0.4


def test_the_t1_goes_out_in_its_own_space_and_the_result_comes_back_onto_it(
    host: SlicerScene, tmp_path: Path
) -> None:
    head = PLACES["oblique"]
    t1 = head.node(host.scene)
    t1.SetAndObserveTransformNodeID(linear(host.scene, turned(0, 40, 0)).GetID())
    folder = tmp_path / "Täst mit Leerzeichen"
    folder.mkdir()
    inputs = exportInputs(host.env, folder, t1)

    import SimpleITK as sitk

    image = sitk.ReadImage(str(inputs.t1))
    # ITK is LPS: the origin of the file is the T1's own, not where the transform puts it.
    assert np.allclose(image.GetOrigin(), ijkToRas(t1)[:3, 3] * [-1, -1, 1], atol=1e-4)
    assert np.array_equal(sitk.GetArrayFromImage(image), arrayOf(t1))
    pet = importResult(host.env, head.result(folder / "Ergebnis"), inputs).pet
    assert pet.GetTransformNodeID() == t1.GetTransformNodeID()


def test_a_t1_that_was_moved_during_the_run_takes_the_pet_with_it(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    inputs = exportInputs(host.env, tmp_path, t1)
    transform = linear(host.scene, turned(0, 0, 10))
    t1.SetAndObserveTransformNodeID(transform.GetID())
    pet = importResult(host.env, head.result(tmp_path / "job"), inputs).pet

    assert pet.GetParentTransformNode() is transform


def test_a_t1_that_went_away_during_the_run_leaves_its_transform(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    transform = linear(host.scene, turned(0, 0, 10))
    t1.SetAndObserveTransformNodeID(transform.GetID())
    inputs = exportInputs(host.env, tmp_path, t1)
    host.scene.RemoveNode(t1)
    nodes = importResult(host.env, head.result(tmp_path / "job"), inputs)

    assert nodes.t1 is None
    assert nodes.pet.GetParentTransformNode() is transform
    assert "Sample T1w" in nodes.pet.GetName()


def test_the_mask_covers_the_brain(host: SlicerScene, placed: Head, tmp_path: Path) -> None:
    t1 = placed.node(host.scene)
    nodes = importResult(host.env, placed.result(tmp_path / "job"), t1Node=t1)
    inputs = exportInputs(host.env, tmp_path, t1, maskNode=nodes.mask)

    import SimpleITK as sitk

    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(inputs.mask)))
    assert np.array_equal(mask > 0, arrayOf(t1) > 0)
    brain = np.prod([s.stop - s.start for s in BRAIN])
    assert int(mask.sum()) == brain
    assert np.isclose(np.median(arrayOf(nodes.pet)[mask > 0]), UPTAKE)
