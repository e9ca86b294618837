"""A scene with Slicer's own logics around it, without Qt: what the adapters meet in the desktop."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

# Before VTK makes its first window: no display is there.
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from PETSynthScene import SceneEnvironment

_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Transforms": "vtkSlicerTransformLogic",
}
_SLICE_MANAGERS = (
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLColorLegendDisplayableManager",
)


class SlicerScene:
    """Scene, application logic, loading and saving, slice views."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self._home = tempfile.TemporaryDirectory()
        # The wheel has no colour files; an empty folder keeps the colour logic quiet.
        (Path(self._home.name) / "share" / "ColorFiles").mkdir(parents=True)
        self.logic.SetHomeDirectory(self._home.name)
        self.logic.SetShareDirectory("share")
        self.logic.SetMRMLScene(self.scene)
        self.logic.GetColorLogic().SetMRMLScene(self.scene)
        self.logic.GetColorLogic().AddDefaultColorNodes()
        self.logic.SetSliceLogics(vtk.vtkCollection())
        self.logic.SetViewLogics(vtk.vtkCollection())
        self._logics = {}
        for name, className in _LOGICS.items():
            logic = getattr(slicer, className)()
            # Before the scene, else the logic looks for the application in vain.
            logic.SetMRMLApplicationLogic(self.logic)
            logic.SetMRMLScene(self.scene)
            self.logic.SetModuleLogic(name, logic)
            self._logics[name] = logic
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene)
        self.factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self._logicBefore = self.factory.GetMRMLApplicationLogic()
        self.factory.SetMRMLApplicationLogic(self.logic)
        self.layoutLogic = slicer.vtkMRMLLayoutLogic()
        self.layoutLogic.SetMRMLScene(self.scene)
        self._readAndWrite()
        self.env = SceneEnvironment(self.scene, self.logic)
        self.views: dict[str, SliceView] = {}

    def _readAndWrite(self) -> None:
        """What WriteToMRB and storage nodes ask the scene for."""
        self._cache = tempfile.TemporaryDirectory()
        self._remote = slicer.vtkMRMLRemoteIOLogic()
        self._remote.SetMRMLScene(self.scene)
        self._remote.SetMRMLApplicationLogic(self.logic)
        self._remote.GetCacheManager().SetRemoteCacheDirectory(self._cache.name)
        self._data = slicer.vtkDataIOManagerLogic()
        self._data.SetMRMLScene(self.scene)
        self._data.SetMRMLApplicationLogic(self.logic)
        self._data.SetAndObserveDataIOManager(self._remote.GetDataIOManager())
        self._remote.AddDataIOToScene()

    def sliceView(self, name: str, orientation: str = "Axial", size: int = 200) -> SliceView:
        """The slice view of that name, made when missing."""
        if name not in self.views:
            self.views[name] = SliceView(self, name, orientation, size)
        return self.views[name]

    def save(self, path: Path) -> None:
        """Write the scene as MRB."""
        self.scene.SetURL(str(path))
        self.scene.SetRootDirectory(str(path.parent))
        assert self.scene.WriteToMRB(str(path))

    def load(self, path: Path) -> None:
        """Load an MRB into this scene."""
        folder = tempfile.mkdtemp(dir=path.parent)
        with zipfile.ZipFile(path) as bundle:
            bundle.extractall(folder)
        (file,) = Path(folder).rglob("*.mrml")
        self.scene.SetURL(str(file))
        assert self.scene.Import(None)

    def close(self) -> None:
        """Let go of everything, in an order VTK survives."""
        for view in self.views.values():
            view.close()
        self.views.clear()
        # The factory is one for the whole process; the test host's views need theirs again.
        self.factory.SetMRMLApplicationLogic(self._logicBefore)
        self.scene.Clear(0)


class SliceView:
    """One slice view with a render window of its own."""

    def __init__(self, host: SlicerScene, name: str, orientation: str, size: int) -> None:
        self.host = host
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(host.logic)
        host.logic.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(host.scene)
        # A layout may have made the node; AddSliceNode would then hand out one of no scene.
        self.node = host.scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        if self.node is None:
            self.node = self.logic.AddSliceNode(name)
        else:
            self.logic.SetSliceNode(self.node)
        self.node.SetOrientation(orientation)
        self.node.SetMappedInLayout(1)
        self.composite = self.logic.GetSliceCompositeNode()
        self.logic.ResizeSliceNode(size, size)
        self.size = size
        self.renderer = vtk.vtkRenderer()
        self._window: Any = None

    def image(self) -> Any:
        """The blended slice as RGBA array (rows from top, columns), without OpenGL."""
        self.logic.UpdatePipeline()
        producer = self.logic.GetImageDataConnection().GetProducer()
        producer.Update()
        image = producer.GetOutputDataObject(0)
        x, y, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(y, x, -1)[::-1]

    def ras(self, row: int, column: int) -> list[float]:
        """World position of a pixel of `image`."""
        point = [column, self.size - 1 - row, 0, 1]
        return list(self.node.GetXYToRAS().MultiplyPoint(point)[:3])

    def pixel(self, ras: tuple[float, float, float]) -> tuple[int, int]:
        """Row and column of `image` at a world position."""
        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), inverse)
        x, y, _, _ = inverse.MultiplyPoint([*ras, 1.0])
        return self.size - 1 - round(y), round(x)

    def snapshot(self) -> Any:
        """What is drawn, slice and everything over it: RGB array, rows from top."""
        if self._window is None:
            self._open()
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        x, y, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(y, x, -1)[::-1]

    def _open(self) -> None:
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetSize(self.size, self.size)
        self._window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.SetRenderer(self.renderer)
        for manager in _SLICE_MANAGERS:
            if not self.host.factory.IsDisplayableManagerRegistered(manager):
                self.host.factory.RegisterDisplayableManager(manager)
        self._group.Initialize(self.host.factory, self.renderer)
        self._group.SetMRMLDisplayableNode(self.node)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(actor)

    def close(self) -> None:
        """Close the window."""
        if self._window is not None:
            self._group.SetMRMLDisplayableNode(None)
            self._window.Finalize()
            self._window = None
