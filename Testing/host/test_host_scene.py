"""The scene around a module: nodes, hierarchy, layouts, pictures, saving and loading, closing."""

from __future__ import annotations

import numpy as np
import pytest


def test_the_scene_is_empty_at_the_start_of_a_test_one(host, scene):
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0
    host.addVolume(np.zeros((2, 2, 2)), "left over")


def test_the_scene_is_empty_at_the_start_of_a_test_two(host, scene):
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0


def test_a_test_begins_with_the_views_of_the_four_up_layout_one(host):
    import slicer

    layouts = slicer.app.layoutManager()
    layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutDual3DView)
    layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutThreeOverThreeView)
    assert layouts.threeDViewCount > 1
    assert len(layouts.sliceViewNames()) > 3


def test_a_test_begins_with_the_views_of_the_four_up_layout_two(host, scene):
    import slicer

    layouts = slicer.app.layoutManager()
    assert layouts.threeDViewCount == 1
    assert set(layouts.sliceViewNames()) == {"Red", "Green", "Yellow"}
    assert scene.GetNumberOfNodesByClass("vtkMRMLSliceNode") == 3
    assert scene.GetNumberOfNodesByClass("vtkMRMLViewNode") == 1


def test_a_selector_that_is_gone_leaves_nothing_with_the_scene(host):
    import shiboken6
    import slicer

    scene = slicer.vtkMRMLScene()
    selector = slicer.qMRMLNodeComboBox()
    selector.setMRMLScene(scene)
    added = slicer.vtkMRMLScene.NodeAddedEvent
    assert scene.HasObserver(added)
    shiboken6.delete(selector)
    scene.AddNode(slicer.vtkMRMLTextNode())
    assert not scene.HasObserver(added)


def test_a_bundle_brings_back_volumes_colours_hierarchy_and_parameters(host, scene, tmp_path):
    import slicer

    array = np.arange(24.0).reshape(2, 3, 4)
    matrix = np.array([[0, 0, 2, -5], [1, 0, 0, 7], [0, 3, 0, 9], [0, 0, 0, 1.0]])
    volume = host.addVolume(array, "PET ü", matrix)
    volume.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLPETProceduralColorNodePET-Heat")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "Results")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), folder)
    path = tmp_path / "a case" / "fall ü.mrb"
    path.parent.mkdir()
    assert slicer.util.saveScene(str(path))
    scene.Clear(0)
    assert scene.GetFirstNodeByName("PET ü") is None

    slicer.util.loadScene(str(path))
    back = scene.GetFirstNodeByName("PET ü")
    assert np.array_equal(slicer.util.arrayFromVolume(back), array)
    found = slicer.util.arrayFromVTKMatrix(_ijkToRas(back))
    assert np.allclose(found, matrix)
    assert back.GetDisplayNode().GetColorNode().GetName() == "PET-Heat"
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(back))
    assert hierarchy.GetItemName(parent) == "Results"


def _ijkToRas(volume):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def test_a_volume_written_and_read_is_the_same(host, scene, tmp_path):
    import slicer

    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    volume = host.addVolume(array, "T1")
    path = str(tmp_path / "t1 ü.nrrd")
    assert slicer.util.saveNode(volume, path)
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.util.loadVolume(path)), array)


def test_loading_what_is_not_there_fails(host, tmp_path):
    import slicer

    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(tmp_path / "no.nrrd"))


def test_closing_the_scene_tells_a_module_before_and_after(host, scene):
    heard = []
    tags = [
        scene.AddObserver(scene.StartCloseEvent, lambda *_: heard.append("start")),
        scene.AddObserver(scene.EndCloseEvent, lambda *_: heard.append("end")),
    ]
    scene.Clear(0)
    for tag in tags:
        scene.RemoveObserver(tag)
    assert heard == ["start", "end"]


def test_a_data_node_gets_its_item_in_the_hierarchy(host, scene):
    import slicer

    volume = host.addVolume(np.zeros((2, 2, 2)))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert hierarchy.GetItemByDataNode(volume)


LAYOUT = """<layout type="vertical" split="true"><item><layout type="horizontal">
 <item><view class="vtkMRMLSliceNode" singletontag="HostMri">
  <property name="orientation" action="default">Coronal</property>
  <property name="viewlabel" action="default">MRI C</property></view></item>
 <item><view class="vtkMRMLSliceNode" singletontag="Red"/></item>
</layout></item></layout>"""


def test_a_layout_makes_the_views_its_description_names(host):
    import slicer

    manager = slicer.app.layoutManager()
    node = manager.layoutLogic().GetLayoutNode()
    assert node.AddLayoutDescription(7311, LAYOUT) or node.IsLayoutDescription(7311)
    node.SetViewArrangement(7311)
    view = manager.sliceWidget("HostMri")
    assert view.mrmlSliceNode().GetOrientation() == "Coronal"
    assert view.mrmlSliceNode().GetLayoutLabel() == "MRI C"
    assert view.mrmlSliceNode().IsMappedInLayout()
    assert not manager.sliceWidget("Green").mrmlSliceNode().IsMappedInLayout()
    assert [[v.name for v in row] for row in manager.rows()] == [["HostMri", "Red"]]
    assert manager.layout == 7311


def test_a_slice_picture_shows_background_and_fused_foreground(host):
    import slicer

    background = host.addVolume(np.full((20, 20, 20), 100.0), "T1")
    foreground = np.zeros((20, 20, 20))
    foreground[:, :, 10:] = 0.7  # the patient's right half: the first axis of the grid grows to R
    pet = host.addVolume(foreground, "PET")
    for volume, window, level in ((background, 200, 100), (pet, 1, 0.5)):
        display = volume.GetDisplayNode()
        display.AutoWindowLevelOff()
        display.SetWindowLevel(window, level)
    pet.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLPETProceduralColorNodePET-Heat")
    pet.GetDisplayNode().SetThreshold(0.5, 2)
    pet.GetDisplayNode().ApplyThresholdOn()
    slicer.util.setSliceViewerLayers(background=background, foreground=pet, foregroundOpacity=1.0)
    view = slicer.app.layoutManager().sliceWidget("Red")
    view.resize(200, 200)
    view.fitSliceToBackground()
    picture = view.picture().astype(int)
    # Radiological: the patient's right is on the picture's left. 100 of 0 to 200 is grey 127.
    fused, alone = picture[100, 60], picture[100, 140]
    assert abs(alone - 127).max() < 4
    assert fused[0] - fused[2] > 60  # PET-Heat at 0.7: more red than blue


def test_a_corner_text_is_drawn(host):
    import slicer

    view = slicer.app.layoutManager().sliceWidget("Green").sliceView()
    empty = view.picture().copy()
    view.cornerAnnotation().SetText(0, "SYNTHETIC")
    assert (view.picture() != empty).any()
    view.cornerAnnotation().ClearAllTexts()
    assert (view.picture() == empty).all()


def test_what_the_application_lacks_is_said_plainly(host):
    import slicer

    with pytest.raises(AttributeError, match="test host does not have it"):
        slicer.app.pythonManager()
