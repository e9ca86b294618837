"""`slicer.app` and the modules' C++ side, as far as a scripted module meets them."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .layout import LayoutManager
from .scene import ApplicationScene


class ModuleManager(QtCore.QObject):
    """The modules that are there."""

    moduleAboutToBeUnloaded = QtCore.Signal(str)
    moduleLoaded = QtCore.Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.modules: dict[str, Any] = {}

    def module(self, name: str) -> Any:
        return self.modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self.modules)

    def isModuleLoaded(self, name: str) -> bool:
        return name in self.modules

    def factoryManager(self) -> ModuleManager:
        return self

    def loadedModulesNames(self) -> list[str]:
        return list(self.modules)


class InputOutput:
    """`slicer.app.ioManager()`; `slicer.util.load*` and `save*` go through here."""

    def __init__(self, application: ApplicationScene) -> None:
        self._application = application

    def fileType(self, path: str) -> str:
        names = {".mrb": "SceneFile", ".mrml": "SceneFile", ".vtk": "ModelFile", ".txt": "TextFile"}
        return names.get(Path(path).suffix, "VolumeFile")

    def fileWriterFileType(self, node: Any, *_args: Any) -> str:
        return "NodeFile"

    def loadNodes(
        self, fileType: str, parameters: dict[str, Any], loaded: Any = None, messages: Any = None
    ) -> bool:
        path = str(Path(parameters["fileName"]).absolute())
        if not Path(path).exists():
            return False
        if fileType == "SceneFile":
            return self._application.load(path, parameters.get("clear", False))
        name = parameters.get("name") or Path(path).name.split(".")[0]
        node = self._reader(fileType)(path, name, parameters)
        if node is None:
            return False
        if loaded is not None:
            loaded.AddItem(node)
        return True

    def _reader(self, fileType: str) -> Callable[[str, str, dict[str, Any]], Any]:
        logics = self._application.logics
        readers = {
            "VolumeFile": lambda path, name, parameters: logics["Volumes"].AddArchetypeVolume(
                path, name, 1 if parameters.get("labelmap") else 0
            ),
            "ModelFile": lambda path, name, parameters: logics["Models"].AddModel(
                path, slicer.vtkMRMLStorageNode.CoordinateSystemLPS
            ),
            "SegmentationFile": lambda path, name, parameters: logics[
                "Segmentations"
            ].LoadSegmentationFromFile(path, True, name),
            "TableFile": lambda path, name, parameters: logics["Tables"].AddTable(path, name),
            "TransformFile": lambda path, name, parameters: logics["Transforms"].AddTransform(
                path, self._application.scene
            ),
        }
        if fileType not in readers:
            msg = f"the test host has no reader for {fileType}"
            raise NotImplementedError(msg)
        return readers[fileType]

    def saveNodes(self, fileType: str, parameters: dict[str, Any], messages: Any = None) -> bool:
        path = str(Path(parameters["fileName"]).absolute())
        if fileType == "SceneFile":
            return self._application.save(path)
        node = self._application.scene.GetNodeByID(parameters["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode(path)
        node.GetStorageNode().SetFileName(path)
        return bool(node.GetStorageNode().WriteData(node))

    def loadScene(self, path: str, clear: bool = True) -> bool:
        return self._application.load(path, clear)

    def saveScene(self, path: str, *_args: Any) -> bool:
        return self._application.save(path)


class Application(QtCore.QObject):
    """`slicer.app`. What is missing raises AttributeError and says that it is the host's fault."""

    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()
    applicationName = "Slicer"
    revision = "host"
    documentationBaseUrl = "https://slicer.readthedocs.io/en/latest/"

    def __init__(self, application: ApplicationScene, version: tuple[int, int]) -> None:
        super().__init__()
        self.majorVersion, self.minorVersion = version
        self.applicationVersion = "{}.{}.0".format(*version)
        self._application = application
        self._modules = ModuleManager()
        self._inputOutput = InputOutput(application)
        self._layout = LayoutManager(application)
        self.temporaryPath = str(application.folder / "temporary")
        self.slicerUserSettingsFilePath = str(application.folder / "Slicer.ini")
        self.extensionsInstallPath = str(application.folder / "extensions")
        Path(self.temporaryPath).mkdir()
        # qt.QSettings() without arguments is the user's settings file, in Slicer as here.
        ini, user = QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope
        QtCore.QSettings.setDefaultFormat(ini)
        QtCore.QSettings.setPath(ini, user, str(application.folder))
        QtCore.QCoreApplication.setOrganizationName("NA-MIC")
        QtCore.QCoreApplication.setApplicationName("Slicer")

    def __getattr__(self, name: str) -> Any:
        msg = f"slicer.app.{name}: the test host does not have it"
        raise AttributeError(msg)

    def mrmlScene(self) -> Any:
        return self._application.scene

    def applicationLogic(self) -> Any:
        return self._application.applicationLogic

    def moduleManager(self) -> ModuleManager:
        return self._modules

    def layoutManager(self) -> LayoutManager:
        return self._layout

    def ioManager(self) -> InputOutput:
        return self._inputOutput

    coreIOManager = ioManager

    def userSettings(self) -> QtCore.QSettings:
        return QtCore.QSettings()

    settings = userSettings

    def processEvents(self, *_args: Any) -> None:
        QtWidgets.QApplication.processEvents()

    def testingEnabled(self) -> bool:
        """True: dialogs of slicer.util write to the log instead of waiting for a click."""
        return True

    def commandOptions(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(noMainWindow=True, testingEnabled=True)

    def topLevelWidgets(self) -> list[QtWidgets.QWidget]:
        return QtWidgets.QApplication.topLevelWidgets()

    def clipboard(self) -> Any:
        return QtWidgets.QApplication.clipboard()

    def palette(self) -> Any:
        return QtWidgets.QApplication.palette()

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        return QtCore.QProcessEnvironment.systemEnvironment()

    def translate(self, _context: str, text: str) -> str:
        return text

    def moduleDocumentationUrl(self, name: str) -> str:
        return self.documentationBaseUrl + name

    def setOverrideCursor(self, cursor: Any) -> None:
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QtWidgets.QApplication.restoreOverrideCursor()

    def pauseRender(self) -> None:
        pass

    resumeRender = pauseRender

    def setRenderPaused(self, paused: bool) -> None:
        pass


class Module:
    """What a scripted module gets as `parent`, and what `slicer.modules.<name>` is."""

    def __init__(self, name: str, path: str | None = None, logic: Any = None) -> None:
        self.name = self.title = name
        self.path = path
        self._logic = logic
        self.panel: Any = None

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> Any:
        return self.panel
