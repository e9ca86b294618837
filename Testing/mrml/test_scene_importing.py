"""What a result becomes: marked nodes in their own folder, in the tracer's colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vtk
from head import LEFT_TARGET, RIGHT_TARGET, Head, straight, turned
from slicer_scene import SlicerScene

from PETSynthLib import colour_maps
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthScene import (
    Role,
    headline,
    importResult,
    isSynthetic,
    listResults,
    notices,
    resultOf,
    roleOf,
    windowOf,
)


def children(host: SlicerScene, item: int) -> list[str]:
    """Names of the items in a folder."""
    tree, ids = host.env.subjectHierarchy, vtk.vtkIdList()
    tree.GetItemChildren(item, ids)
    return [tree.GetItemName(ids.GetId(i)) for i in range(ids.GetNumberOfIds())]


def imported(host: SlicerScene, folder: Path, key: str = "fdg", **more: Any) -> Any:
    """A result over a new T1."""
    head = Head()
    return importResult(host.env, head.result(folder, key, **more), t1Node=head.node(host.scene))


def test_every_node_is_marked_by_name_attribute_and_description(
    host: SlicerScene, tmp_path: Path
) -> None:
    before = {host.scene.GetNthNode(i) for i in range(host.scene.GetNumberOfNodes())}
    nodes = imported(host, tmp_path, samples=2, expected=True)
    made = [host.scene.GetNthNode(i) for i in range(host.scene.GetNumberOfNodes())]
    ours = [node for node in made if node not in before and roleOf(node) is not None]
    marked = [node for node in ours if roleOf(node) is not Role.COLOURS]

    # 3 + 1 volumes, 2 samples, mask, outlines, reference, provenance; a legend each volume.
    assert len(marked) == 16
    for node in marked:
        assert node.GetName().startswith("[SYN] ")
        assert node.GetAttribute("PETSynth.Synthetic") == "1"
        assert node.GetDescription().startswith(marks.COMPUTED)
        assert marks.DEMONSTRATION in node.GetDescription()
    pet = nodes.pet
    assert pet.GetAttribute("PETSynth.Tracer") == "fdg"
    assert pet.GetAttribute("PETSynth.ReferenceRegion") == "pons"
    assert pet.GetAttribute("PETSynth.ModelId") == "tiny 1.0"
    assert pet.GetAttribute("PETSynth.ModelHash") == "a" * 64
    assert pet.GetAttribute("PETSynth.Seed") == "7"
    assert pet.GetAttribute("PETSynth.RequestSha256") == "d" * 64
    assert pet.GetNodeReference("PETSynth.SourceT1") is nodes.t1
    assert not isSynthetic(nodes.t1)


def test_the_volume_says_what_it_measures(host: SlicerScene, tmp_path: Path) -> None:
    pet = imported(host, tmp_path).pet

    assert pet.GetImageData().GetScalarTypeAsString() == "float"
    assert pet.GetVoxelValueQuantity().GetCodeMeaning() == marks.QUANTITY
    assert pet.GetVoxelValueUnits().GetCodeValue() == "{ratio}"
    assert pet.GetStorageNode() is None  # nothing points into the job folder


def test_the_folder_holds_the_run_and_a_second_run_gets_its_own(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene, "Head 3/4: T1w")
    folder = head.result(tmp_path, samples=2)
    first = importResult(host.env, folder, t1Node=t1)
    second = importResult(host.env, folder, t1Node=t1)
    tree = host.env.subjectHierarchy

    name = tree.GetItemName(first.folder)
    assert name.startswith("PETSynth - Head 3-4- T1w - FDG - 20")
    assert tree.GetItemAttribute(first.folder, "PETSynth.Synthetic") == "1"
    assert children(host, first.folder) == [
        "[SYN] Head 3/4: T1w FDG SUVR (pons)",
        "[SYN] Head 3/4: T1w FDG SUVR SD",
        "Samples",
        "[SYN] Head 3/4: T1w FDG brain mask",
        "[SYN] Head 3/4: T1w FDG target region",
        "[SYN] Head 3/4: T1w FDG reference region (pons)",
        "[SYN] Head 3/4: T1w FDG provenance",
    ]
    assert second.folder != first.folder
    assert tree.GetItemName(second.folder) != name
    assert len(children(host, first.folder)) == len(children(host, second.folder))
    assert listResults(host.env) == [first.pet, second.pet]


def test_the_folder_lies_in_the_study_of_the_t1(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1, tree = head.node(host.scene), host.env.subjectHierarchy
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "Ä. Müller")
    study = tree.CreateStudyItem(patient, "MRI")
    tree.CreateItem(study, t1)
    nodes = importResult(host.env, head.result(tmp_path), t1Node=t1)

    assert tree.GetItemParent(nodes.folder) == study


@pytest.mark.parametrize(
    ("key", "colours", "window"),
    [("fdg", "nih", (0.0, 2.2)), ("pbr28", "heat", (0.6, 1.6))],
)
def test_colours_and_window_come_from_the_tracer_registry(
    host: SlicerScene, tmp_path: Path, key: str, colours: str, window: tuple[float, float]
) -> None:
    pet = imported(host, tmp_path, key).pet
    display = pet.GetDisplayNode()

    assert windowOf(pet) == pytest.approx(window)
    table = display.GetColorNode()
    for number in (0, 100, 255):
        rgba = [0.0] * 4
        table.GetColor(number, rgba)
        assert np.allclose(rgba[:3], colour_maps.table(colours)[number] / 255.0, atol=1e-3)
    assert display.GetApplyThreshold()
    assert 0 < display.GetLowerThreshold() < 0.2 * window[1]
    assert display.GetUpperThreshold() > 2.0


def test_results_share_one_colour_table(host: SlicerScene, tmp_path: Path) -> None:
    one, two = imported(host, tmp_path / "1"), imported(host, tmp_path / "2")

    assert one.pet.GetDisplayNode().GetColorNode() is two.pet.GetDisplayNode().GetColorNode()


def test_the_legend_names_tracer_and_reference(host: SlicerScene, tmp_path: Path) -> None:
    import slicer

    pet = imported(host, tmp_path).pet
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(pet.GetDisplayNode())

    assert legend.GetTitleText() == "SYNTHETIC FDG PET\nSUVR (pons)"
    assert list(legend.GetViewNodeIDs()) == ["vtkMRMLSliceNodeYellow"]


def test_the_outlines_are_the_target_region_left_and_right(
    host: SlicerScene, tmp_path: Path
) -> None:
    head = Head(turned(0, 0, 170) @ straight(), flips=(1,))
    nodes = importResult(host.env, head.result(tmp_path), t1Node=head.node(host.scene))
    segmentation, display = nodes.regions.GetSegmentation(), nodes.regions.GetDisplayNode()
    names = [segmentation.GetNthSegment(i).GetName() for i in range(2)]

    assert segmentation.GetNumberOfSegments() == 2  # not the brain stem
    assert names == ["SYN AD-like meta-ROI left", "SYN AD-like meta-ROI right"]
    for name, box in zip(names, (LEFT_TARGET, RIGHT_TARGET), strict=True):
        segment = segmentation.GetSegmentIdBySegmentName(name)
        centre = np.array(nodes.regions.GetSegmentCenterRAS(segment))
        assert np.linalg.norm(centre - head.ras(box)) < 3.5  # Slicer takes the nearest voxel
    assert display.GetVisibility2DOutline()
    assert not display.GetVisibility2DFill()
    assert not display.IsDisplayableInView("vtkMRMLSliceNodePETSynthMriAxial")
    assert display.IsDisplayableInView("vtkMRMLSliceNodeRed")


def test_an_exploratory_tracer_brings_low_and_high_in_the_same_window(
    host: SlicerScene, tmp_path: Path
) -> None:
    nodes = imported(host, tmp_path, "pib")

    assert nodes.exploratory
    assert [roleOf(v) for v in nodes.volumes()] == [Role.PET, Role.LOW, Role.HIGH]
    assert {windowOf(v) for v in nodes.volumes()} == {windowOf(nodes.pet)}


def test_the_provenance_tells_the_headline_but_no_folder_of_this_machine(
    host: SlicerScene, tmp_path: Path
) -> None:
    nodes = imported(host, tmp_path)
    text = nodes.provenance.GetText()

    assert json.loads(text)["sidecar"]["Seeds"] == [7]
    assert str(tmp_path) not in text
    assert headline(nodes.pet) == ["AD-like meta-ROI: 1.20 (1.10 to 1.30)"]
    assert notices(nodes.pet) == [marks.DEMONSTRATION]


def test_a_result_is_found_again_after_renaming(host: SlicerScene, tmp_path: Path) -> None:
    nodes = imported(host, tmp_path, samples=2, expected=True)
    for node in (nodes.pet, nodes.sd, nodes.mask):
        node.SetName("renamed")
    again = resultOf(host.env, nodes.pet)

    for name in ("pet", "sd", "mask", "regions", "reference", "provenance", "expected", "t1"):
        assert getattr(again, name) is getattr(nodes, name)
        assert getattr(again, name) is not None
    assert again.difference is nodes.difference
    assert again.samples == nodes.samples
    assert again.folder == nodes.folder


def test_cognition_that_shaped_the_picture_is_kept_with_every_node(
    host: SlicerScene, tmp_path: Path
) -> None:
    used = {"Used": ["age", "mmse"]}
    nodes = imported(host, tmp_path, ConditioningVariables=used, Cognition=marks.COGNITION)

    assert nodes.sd.GetAttribute("PETSynth.Cognition") == "drawn with MMSE"
    assert marks.COGNITION in nodes.sd.GetDescription()


def test_without_regions_there_are_no_outlines_and_nothing_fails(
    host: SlicerScene, tmp_path: Path
) -> None:
    nodes = imported(host, tmp_path, regions=False)

    assert nodes.regions is None
    assert nodes.pet is not None


@pytest.mark.parametrize("damage", ["fdg_synth_sd.nii.gz", "space/regions.nii.gz"])
def test_a_damaged_file_leaves_the_scene_as_it_was(
    host: SlicerScene, head: Head, tmp_path: Path, damage: str
) -> None:
    t1, folder = head.node(host.scene), head.result(tmp_path)
    (folder / damage).write_bytes(b"not an image")
    before = host.scene.GetNumberOfNodesByClass("vtkMRMLStorableNode")

    with pytest.raises(PETSynthError) as problem:
        importResult(host.env, folder, t1Node=t1)
    assert problem.value.code is ErrorCode.BAD_IMAGE
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLStorableNode") == before
    assert listResults(host.env) == []


def test_a_folder_without_result_is_refused(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    head.result(tmp_path)
    (tmp_path / "result.json").unlink()

    with pytest.raises(PETSynthError, match="holds no finished result"):
        importResult(host.env, tmp_path)
