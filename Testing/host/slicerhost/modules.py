"""Loading a scripted module: its file, its panel, its reload, its end."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import shiboken6
import slicer
from PySide6 import QtCore, QtWidgets

from .application import Module
from .mrmlwidgets import qMRMLWidget


class ModulePanel(qMRMLWidget):
    """The widget that a scripted panel fills: Slicer's `qSlicerScriptedLoadableModuleWidget`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(f"{name}ModuleWidget")
        self._moduleName = name
        self.setLayout(QtWidgets.QVBoxLayout())
        self.setMRMLScene(slicer.mrmlScene)
        self._panel: Any = None

    def reload(self) -> None:
        """Make the panel from the class as it is now; `reloadScriptedModule` ends here."""
        widgetClass = getattr(sys.modules[self._moduleName], f"{self._moduleName}Widget")
        self._panel = widgetClass(self)
        setattr(slicer.modules, f"{self._moduleName}Widget", self._panel)
        self._panel.setup()
        self.layout().addStretch(1)

    def self(self) -> Any:
        return self._panel


class LoadedModule:
    """A module that was loaded, with shortcuts for tests.

    Attributes
    ----------
    module : Module
        `slicer.modules.<name>`.
    panel : ModulePanel
        The outermost Qt widget.
    """

    def __init__(self, module: Module, panel: ModulePanel) -> None:
        self.module = module
        self.panel = panel
        self._entered = False

    @property
    def widget(self) -> Any:
        """The module's `<Name>Widget`, also after a reload."""
        return self.panel.self()

    @property
    def ui(self) -> Any:
        return self.widget.ui

    @property
    def logic(self) -> Any:
        return self.widget.logic

    def enter(self) -> None:
        """The user selects the module."""
        if not self._entered:
            self._entered = True
            self._call("enter")

    def exit(self) -> None:
        """The user selects another module."""
        if self._entered:
            self._entered = False
            self._call("exit")

    def unload(self) -> None:
        """What the application does with the panel when it ends; a second call does nothing."""
        if not shiboken6.isValid(self.panel):
            return
        self.exit()
        slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(self.module.name)
        self.module.panel = None
        if hasattr(slicer.modules, f"{self.module.name}Widget"):
            delattr(slicer.modules, f"{self.module.name}Widget")
        self.panel.hide()
        self.panel.deleteLater()
        slicer.app.processEvents()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    def _call(self, method: str) -> None:
        function = getattr(self.widget, method, None)
        if function is not None:
            function()


def findModule(name: str, folder: Path | str) -> Module:
    """Import `<folder>/<name>.py` and make its module object, once; as at the application's start.

    The folder is put on `sys.path`, its parent is not: that is how Slicer finds scripted modules.
    """
    found = slicer.app.moduleManager().module(name)
    if found is not None:
        return found
    path = Path(folder).absolute() / f"{name}.py"
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    module = Module(name, path=str(path))
    slicer.app.moduleManager().modules[name] = module
    setattr(slicer.modules, name.lower(), module)
    setattr(slicer.moduleNames, name, name)
    python = importlib.import_module(name)
    instance = getattr(python, name)(module)
    setattr(slicer.modules, f"{name}Instance", instance)
    # The application says so once; a module found later hears it only here.
    slicer.app.startupCompleted.emit()
    slicer.app.disconnect("startupCompleted()")
    return module


def loadModule(name: str, folder: Path | str) -> LoadedModule:
    """Find the module and make a fresh panel of it, as when a user first selects it."""
    module = findModule(name, folder)
    panel = ModulePanel(name)
    module.panel = panel
    loaded = LoadedModule(module, panel)
    try:
        panel.reload()
    except Exception:
        # A half-made panel must not go on observing the scene in the tests that follow.
        removeObservers = getattr(panel.self(), "removeObservers", None)
        if removeObservers is not None:
            removeObservers()
        panel.deleteLater()
        raise
    return loaded
