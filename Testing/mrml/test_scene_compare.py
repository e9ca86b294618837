"""An acquired PET beside the synthetic one: what was done to it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import BRAIN, HOT, HOT_UPTAKE, PONS, UPTAKE, Head, filled, linear, turned
from slicer_scene import SlicerScene

from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthScene import (
    COMPARE,
    CornerMarks,
    alignmentOf,
    compareWithAcquired,
    comparisonOf,
    importResult,
    isRescaled,
    isSynthetic,
    showCompare,
    slicesOf,
    windowOf,
)
from PETSynthScene.Slices import compositeOf
from PETSynthScene.Volumes import arrayOf, ijkToRas, shapeOf

PONS_BQ, BRAIN_BQ = 5000.0, 7500.0


def acquired(host: SlicerScene, head: Head, moved: np.ndarray | None = None) -> Any:
    """A PET in Bq/mL on voxels of its own; ``moved`` lies it elsewhere, with its transform back."""
    data = filled((BRAIN, BRAIN_BQ), (PONS, PONS_BQ))
    node = head.volume(host.scene, "PET 2021", data)
    if moved is not None:
        from PETSynthScene.Volumes import vtkMatrix

        node.SetIJKToRASMatrix(vtkMatrix(moved @ ijkToRas(node)))
        back = linear(host.scene, np.linalg.inv(moved), "Registration")
        node.SetAndObserveTransformNodeID(back.GetID())
    return node


def imported(host: SlicerScene, head: Head, folder: Path, key: str = "fdg", **more: Any) -> Any:
    """A result over a new T1."""
    return importResult(host.env, head.result(folder, key, **more), t1Node=head.node(host.scene))


def test_the_difference_is_synthetic_minus_acquired_in_suvr_of_the_same_reference(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)
    difference = compareWithAcquired(host.env, nodes, pet, accepted=True, smoothingMm=0.0)
    aligned, mine, again = comparisonOf(host.env, nodes, pet)
    values = np.transpose(arrayOf(difference))

    assert again is difference
    assert mine is nodes.pet
    assert isRescaled(aligned)
    # 7500 / 5000 = 1.5 in the brain, 1 in the pons.
    assert values[BRAIN][1, 1, 1] == pytest.approx(UPTAKE - 1.5, abs=1e-3)
    assert values[HOT].mean() == pytest.approx(HOT_UPTAKE - 1.5, abs=1e-3)
    assert values[PONS].mean() == pytest.approx(UPTAKE - 1.0, abs=1e-3)
    assert np.array_equal(arrayOf(pet), arrayOf(acquired(host, head)))  # the user's is untouched


def test_the_acquired_pet_is_taken_from_where_its_transform_puts_it(
    host: SlicerScene, tmp_path: Path
) -> None:
    head = Head(order=(2, 0, 1))
    nodes = imported(host, head, tmp_path)
    pet = acquired(host, head, turned(20, 10, 0) @ np.diag([1.0, 1.0, 1.0, 1.0]))
    compareWithAcquired(host.env, nodes, pet, accepted=True, smoothingMm=0.0)
    aligned, _, _ = comparisonOf(host.env, nodes, pet)

    assert shapeOf(aligned) == shapeOf(nodes.pet)
    inside = arrayOf(nodes.pet) > 0
    assert (
        np.abs(arrayOf(aligned)[inside] - arrayOf(acquired(host, head))[inside] / PONS_BQ).max()
        < 0.01
    )


def test_smoothing_blurs_both_alike(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)
    compareWithAcquired(host.env, nodes, pet, accepted=True, smoothingMm=12.0)
    aligned, mine, _ = comparisonOf(host.env, nodes, pet)

    assert mine is not nodes.pet
    assert isSynthetic(mine)
    for volume in (aligned, mine):
        edge = np.transpose(arrayOf(volume))[BRAIN[0].start - 1, 24, 18]
        assert edge > 0.1  # it was zero


def test_the_two_are_shown_in_one_window(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)
    difference = compareWithAcquired(host.env, nodes, pet, accepted=True)
    showCompare(host.env, nodes, pet)
    aligned, mine, _ = comparisonOf(host.env, nodes, pet)
    row = [compositeOf(host.env, name).GetBackgroundVolumeID() for name in slicesOf(COMPARE)[0]]

    assert row == [aligned.GetID(), mine.GetID(), difference.GetID()]
    assert windowOf(aligned) == windowOf(mine)
    assert windowOf(difference) == (-0.5, 0.5)
    tables = [v.GetDisplayNode().GetColorNode() for v in (aligned, mine)]
    assert tables[0] is tables[1]


def test_views_tell_acquired_from_synthetic(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)
    views = [host.sliceView(name) for name in slicesOf(COMPARE)[0]]
    compareWithAcquired(host.env, nodes, pet, accepted=True)
    showCompare(host.env, nodes, pet, switchLayout=False)
    marked = CornerMarks(host.env, lambda node: None)
    texts = [marked.textOf(view.node) for view in views]

    assert texts[0] == "ACQUIRED PET"
    assert texts[1].startswith("SYNTHETIC")
    assert texts[2].startswith("SYNTHETIC")


def test_without_a_reference_region_the_pet_is_taken_as_suvr(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes, pet = imported(host, head, tmp_path, regions=False), acquired(host, head)
    compareWithAcquired(host.env, nodes, pet, accepted=True, smoothingMm=0.0)
    aligned, _, _ = comparisonOf(host.env, nodes, pet)

    assert not isRescaled(aligned)
    assert arrayOf(aligned).max() == pytest.approx(BRAIN_BQ)


def test_nothing_is_compared_before_the_user_has_accepted_the_alignment(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)

    assert alignmentOf(host.env, nodes, pet).verdict is Verdict.GREEN
    with pytest.raises(PETSynthError, match="accepted") as problem:
        compareWithAcquired(host.env, nodes, pet, accepted=False)
    assert problem.value.code is ErrorCode.ALIGNMENT
    with pytest.raises(PETSynthError, match="has not been computed"):
        showCompare(host.env, nodes, pet)


def test_a_pet_elsewhere_is_refused(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)
    away = np.eye(4)
    away[0, 3] = 500.0
    pet.SetAndObserveTransformNodeID(linear(host.scene, away).GetID())

    assert alignmentOf(host.env, nodes, pet).verdict is Verdict.RED
    with pytest.raises(PETSynthError, match="does not lie over the brain"):
        compareWithAcquired(host.env, nodes, pet, accepted=True)


def test_a_pet_of_ours_and_an_exploratory_tracer_are_refused(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes = imported(host, head, tmp_path / "1")
    pib, pet = imported(host, head, tmp_path / "2", "pib"), acquired(host, head)

    with pytest.raises(PETSynthError, match="made by PETSynth"):
        compareWithAcquired(host.env, nodes, pib.pet, accepted=True)
    with pytest.raises(PETSynthError, match="exploratory"):
        compareWithAcquired(host.env, pib, pet, accepted=True)


def test_comparing_again_replaces_the_volumes(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    nodes, pet = imported(host, head, tmp_path), acquired(host, head)
    compareWithAcquired(host.env, nodes, pet, accepted=True, smoothingMm=8.0)
    count = len(host.env.nodes("vtkMRMLScalarVolumeNode"))
    compareWithAcquired(host.env, nodes, pet, accepted=True, smoothingMm=8.0)

    assert len(host.env.nodes("vtkMRMLScalarVolumeNode")) == count
