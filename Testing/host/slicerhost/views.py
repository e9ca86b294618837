"""Slice and 3D views: the real slice logic and displayable managers, drawn off screen.

A view is drawn only when a picture is asked for; until then it has its nodes and logics, which is
what a panel works with. The methods are those of Slicer's view widgets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .scene import ApplicationScene

_SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
_THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)


class _View:
    """What slice and 3D views have in common; `ctkVTKAbstractView` as far as it is used."""

    def __init__(self, application: ApplicationScene, name: str, size: tuple[int, int]) -> None:
        self.name = name
        self._application = application
        self._size = size
        self._renderer = vtk.vtkRenderer()
        self._corner = vtk.vtkCornerAnnotation()
        self._corner.SetMaximumLineHeight(0.07)
        self._renderer.AddViewProp(self._corner)
        self._window: Any = None

    def cornerAnnotation(self) -> Any:
        return self._corner

    def renderer(self) -> Any:
        return self._renderer

    def renderWindow(self) -> Any:
        if self._window is None:
            self._makeWindow()
        return self._window

    def scheduleRender(self) -> None:
        """Nothing is on a screen, so that there is nothing to bring up to date."""

    def forceRender(self) -> None:
        self.renderWindow().Render()

    def resize(self, width: int, height: int) -> None:
        self._size = (width, height)
        if self._window is not None:
            self._window.SetSize(width, height)

    def close(self) -> None:
        """The view goes, and its nodes with it."""
        if self._window is not None:
            self._managers.SetMRMLDisplayableNode(None)
            self._window.Finalize()
        nodes = self._nodes()
        self._logics().RemoveItem(self._logic)
        self._logic.SetMRMLScene(None)
        for node in nodes:
            self._application.scene.RemoveNode(node)

    def _makeWindow(self) -> None:
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetSize(*self._size)
        self._window.SetMultiSamples(0)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._managers = slicer.vtkMRMLDisplayableManagerGroup()
        self._managers.SetRenderer(self._renderer)
        factory, names = self._factory()
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self._managers.Initialize(factory, self._renderer)
        self._managers.SetMRMLDisplayableNode(self.node)

    def picture(self, path: Path | str | None = None) -> np.ndarray:
        """Draw the view.

        Parameters
        ----------
        path : Path or str, optional
            A PNG file to write, too.

        Returns
        -------
        ndarray, uint8, shape (height, width, 3)
            Rows from top to bottom.
        """
        self.renderWindow().Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        if path is not None:
            writer = vtk.vtkPNGWriter()
            writer.SetFileName(str(path))
            writer.SetInputConnection(grab.GetOutputPort())
            writer.Write()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1]


class SliceView(_View):
    """One slice view; also stands for its `qMRMLSliceWidget` and `qMRMLSliceView`."""

    def __init__(
        self, application: ApplicationScene, name: str, size: tuple[int, int] = (300, 300)
    ) -> None:
        super().__init__(application, name, size)
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(application.applicationLogic)
        application.applicationLogic.GetSliceLogics().AddItem(self._logic)
        self._logic.SetMRMLScene(application.scene)
        # The layout logic has made the node by now, from the layout's description.
        self.node = application.scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        if self.node is None:
            self.node = self._logic.AddSliceNode(name)
        else:
            self._logic.SetSliceNode(self.node)
        self._logic.ResizeSliceNode(*size)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()

    def _logics(self) -> Any:
        return self._application.applicationLogic.GetSliceLogics()

    def _nodes(self) -> list[Any]:
        return [self._logic.GetSliceCompositeNode(), self.node]

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self.node

    def sliceView(self) -> SliceView:
        return self

    def resize(self, width: int, height: int) -> None:
        super().resize(width, height)
        self._logic.ResizeSliceNode(width, height)

    def fitSliceToBackground(self) -> None:
        self._logic.ResizeSliceNode(*self._size)
        self._logic.FitSliceToBackground()

    def _factory(self) -> tuple[Any, tuple[str, ...]]:
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        return slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(), _SLICE_MANAGERS

    def picture(self, path: Path | str | None = None) -> np.ndarray:
        connection = self._logic.GetImageDataConnection()
        if connection is None:
            self._renderer.RemoveViewProp(self._actor)
        else:
            self._mapper.SetInputConnection(connection)
            if not self._renderer.HasViewProp(self._actor):
                self._renderer.AddViewProp(self._actor)
        return super().picture(path)


class ThreeDView(_View):
    """One 3D view; also stands for its `qMRMLThreeDWidget` and `qMRMLThreeDView`."""

    def __init__(
        self, application: ApplicationScene, name: str, size: tuple[int, int] = (300, 300)
    ) -> None:
        super().__init__(application, name, size)
        self._logic = slicer.vtkMRMLViewLogic()
        self._logic.SetMRMLApplicationLogic(application.applicationLogic)
        application.applicationLogic.GetViewLogics().AddItem(self._logic)
        self._logic.SetMRMLScene(application.scene)
        self.node = application.scene.GetSingletonNode(name, "vtkMRMLViewNode")
        self.node = self.node or self._logic.AddViewNode(name)

    def _logics(self) -> Any:
        return self._application.applicationLogic.GetViewLogics()

    def _nodes(self) -> list[Any]:
        return [self.node]

    def mrmlViewNode(self) -> Any:
        return self.node

    def threeDView(self) -> ThreeDView:
        return self

    def resetFocalPoint(self) -> None:
        self._renderer.ResetCamera()

    def _factory(self) -> tuple[Any, tuple[str, ...]]:
        return slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(), _THREED_MANAGERS
