"""The MRML scene and the logics that Slicer's application puts around it; no Qt."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import slicer
import vtk

# Modules whose logic is C++ and present in slicer-core, by the name the application gives them.
_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Sequences": "vtkSlicerSequencesLogic",
}
# Data nodes that the hierarchy shows.
_IN_HIERARCHY = (
    "vtkMRMLDisplayableNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
)


class ApplicationScene:
    """A scene with application logic, colours, module logics, layout node, file input and output.

    Attributes
    ----------
    scene : vtkMRMLScene
    applicationLogic : vtkSlicerApplicationLogic
    logics : dict of str to vtkMRMLAbstractLogic
        The module logics, by module name.
    layoutNode : vtkMRMLLayoutNode
    folder : Path
        A temporary folder that lasts as long as this object.
    """

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="slicerhost-")
        self.folder = Path(self._temporary.name)
        self.scene = slicer.vtkMRMLScene()
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)
        self.applicationLogic = self._makeApplicationLogic()
        self.logics = {name: self._makeLogic(name, kind) for name, kind in _LOGICS.items()}
        self.applicationLogic.SetColorLogic(self.logics["Colors"])
        self.logics["Colors"].AddDefaultColorNodes()
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        self.layoutLogic = slicer.vtkMRMLLayoutLogic()
        self.layoutLogic.SetMRMLScene(self.scene)
        self.layoutNode = self.layoutLogic.GetLayoutNode()
        self._prepareInputOutput()
        self._observeForHierarchy()

    def _makeApplicationLogic(self) -> Any:
        logic = slicer.vtkSlicerApplicationLogic()
        logic.SetTemporaryPath(str(self.folder))
        # The colour logic looks for files in a folder that the wheel does not have; an empty one.
        (self.folder / "share" / "ColorFiles").mkdir(parents=True)
        logic.SetHomeDirectory(str(self.folder))
        logic.SetShareDirectory("share")
        logic.SetMRMLScene(self.scene)
        logic.SetSliceLogics(vtk.vtkCollection())
        logic.SetViewLogics(vtk.vtkCollection())
        for factory in ("Slice", "ThreeD"):
            name = f"vtkMRML{factory}ViewDisplayableManagerFactory"
            getattr(slicer, name).GetInstance().SetMRMLApplicationLogic(logic)
        return logic

    def _makeLogic(self, name: str, kind: str) -> Any:
        logic = getattr(slicer, kind)()
        logic.SetMRMLApplicationLogic(self.applicationLogic)  # before the scene, or it complains
        logic.SetMRMLScene(self.scene)
        self.applicationLogic.SetModuleLogic(name, logic)
        return logic

    def _prepareInputOutput(self) -> None:
        """Storage nodes and bundles need a cache and a data manager, even for local files."""
        cache = self.folder / "cache"
        cache.mkdir()
        self._remote = slicer.vtkMRMLRemoteIOLogic()
        self._data = slicer.vtkDataIOManagerLogic()
        for logic in (self._remote, self._data):
            logic.SetMRMLApplicationLogic(self.applicationLogic)
            logic.SetMRMLScene(self.scene)
        self._remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self._data.SetAndObserveDataIOManager(self._remote.GetDataIOManager())
        self._remote.AddDataIOToScene()

    def _observeForHierarchy(self) -> None:
        """Give data nodes their item in the subject hierarchy, as a Qt plugin does in Slicer."""

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def onNodeAdded(_scene: Any, _event: str, node: Any) -> None:
            if not self.scene.IsBatchProcessing():
                self._addToHierarchy(node)

        def onBatchEnd(_scene: Any, _event: str) -> None:
            for index in range(self.scene.GetNumberOfNodes()):
                self._addToHierarchy(self.scene.GetNthNode(index))

        self._observers = (onNodeAdded, onBatchEnd)
        self.scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, onNodeAdded)
        self.scene.AddObserver(slicer.vtkMRMLScene.EndBatchProcessEvent, onBatchEnd)

    def _addToHierarchy(self, node: Any) -> None:
        if node.GetHideFromEditors() or not any(map(node.IsA, _IN_HIERARCHY)):
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)
        if hierarchy is not None and not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    def save(self, path: Path | str) -> bool:
        """Write the scene as `.mrml`, `.mrb`, or into a new folder."""
        path = Path(path).absolute()
        self.scene.SetURL(str(path))
        self.scene.SetRootDirectory(str(path.parent))
        if path.suffix == ".mrml":
            return bool(self.scene.Commit())
        if path.suffix == ".mrb":
            return bool(self.scene.WriteToMRB(str(path)))
        return bool(self.scene.SaveSceneToSlicerDataBundleDirectory(str(path)))

    def load(self, path: Path | str, clear: bool = True) -> bool:
        """Read a `.mrml` or `.mrb` file; into an empty scene unless `clear` is False."""
        path = Path(path).absolute()
        if path.suffix == ".mrb":
            return bool(self.scene.ReadFromMRB(str(path), clear))
        self.scene.SetURL(str(path))
        return bool(self.scene.Connect() if clear else self.scene.Import())
