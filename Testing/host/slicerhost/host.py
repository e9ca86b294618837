"""Installs the host in this process: `qt`, `ctk`, `slicer.app`, `slicer.modules`, base classes."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before anything draws: no display, no X server.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import slicer
import slicer.util
import vtk
from PySide6 import QtWidgets

from . import pythonqt
from .signals import strayAttributes

REAL_PYTHON = "SLICER_PYTHON_DIR"  # a folder that holds slicer/ScriptedLoadableModule.py
# Names that are modules of their own in Slicer and parts of slicer-core's package here.
_TOP_LEVEL = ("vtkITK", "vtkTeem", "vtkAddonPython", "vtkSegmentationCore")
_installed: Host | None = None


class Host:
    """The running host.

    Attributes
    ----------
    application : ApplicationScene
        Scene and logics.
    packages : Packages
        What pip was asked for.
    slotErrors : list of str
        Python errors in slots and observers since the last `reset`; Qt and VTK only print them.
    realPython : bool
        Whether the base classes are Slicer's own files.
    """

    def __init__(self) -> None:
        _keepSingletons()
        self._qt = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["slicerhost"])
        sys.modules["qt"] = pythonqt.makeQtModule()
        from . import ctkwidgets, mrmlwidgets
        from .application import Application, Module
        from .scene import ApplicationScene
        from .services import Packages, makeSampleData

        ctk = types.ModuleType("ctk", "stand-ins of the test host")
        ctk.__dict__.update(ctkwidgets.ctk)
        sys.modules["ctk"] = ctk
        for name, widgetClass in mrmlwidgets.qmrml.items():
            setattr(slicer, name, widgetClass)
        self.application = ApplicationScene()
        self.slotErrors: list[str] = []
        self.packages = Packages()
        slicer.mrmlScene = self.application.scene
        slicer.app = Application(self.application, _coreVersion())
        slicer.modules = types.SimpleNamespace()
        slicer.moduleNames = types.SimpleNamespace()
        slicer.selfTests = {}
        for name, logic in self.application.logics.items():
            module = Module(name, logic=logic)
            setattr(slicer.modules, name.lower(), module)
            setattr(slicer.moduleNames, name, name)
            slicer.app.moduleManager().modules[name] = module
        self._offer("slicer.packaging", self.packages.module())
        slicer.util.pip_install = self.packages.install
        sys.modules["SampleData"] = makeSampleData()
        for name in _TOP_LEVEL:
            sys.modules.setdefault(name, importlib.import_module(f"slicer_core.{name}"))
        sys.modules.setdefault("vtkSegmentationCorePython", sys.modules["vtkSegmentationCore"])
        self.realPython = bool(os.environ.get(REAL_PYTHON))
        if self.realPython:
            self._useRealPython(Path(os.environ[REAL_PYTHON]))
        else:
            self._useDoubles()

    def _offer(self, name: str, module: types.ModuleType) -> None:
        sys.modules[name] = module
        setattr(slicer, name.removeprefix("slicer."), module)

    def _useDoubles(self) -> None:
        i18n = types.ModuleType("slicer.i18n", "stand-in of the test host")
        i18n.tr = lambda text: text
        i18n.translate = lambda _context, text: text
        self._offer("slicer.i18n", i18n)
        from . import parameternode, scripted

        self._offer("slicer.ScriptedLoadableModule", scripted)
        self._offer("slicer.parameterNodeWrapper", parameternode)

    def _useRealPython(self, folder: Path) -> None:
        """Take the base classes and the parameter node from a checkout's `Base/Python`."""
        if not (folder / "slicer" / "ScriptedLoadableModule.py").is_file():
            msg = f"{REAL_PYTHON}={folder} holds no slicer/ScriptedLoadableModule.py"
            raise FileNotFoundError(msg)
        slicer.__path__.append(str(folder / "slicer"))
        for name in ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper"):
            setattr(slicer, name, importlib.import_module(f"slicer.{name}"))

    def reset(self) -> None:
        """An empty scene, the four-up layout, empty settings, no pip request, no noted error."""
        slicer.mrmlScene = self.application.scene  # a test of the scene layer may have set its own
        slicer.mrmlScene.Clear(0)
        slicer.app.layoutManager().setLayout(3)
        slicer.app.layoutManager().forgetOtherViews()
        slicer.app.userSettings().clear()
        slicer.app.processEvents()
        self.packages.reset()
        self.slotErrors.clear()

    def waitUntil(
        self, condition: Callable[[], Any], seconds: float = 10.0, what: str = "the condition"
    ) -> None:
        """Let Qt work until the condition holds; AssertionError when it does not in time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                msg = f"{what} did not come true within {seconds:g} s"
                raise AssertionError(msg)
            slicer.app.processEvents()
            time.sleep(0.005)

    def addVolume(self, array: Any, name: str = "T1", ijkToRas: Any = None) -> Any:
        """Add a scalar volume; `ijkToRas` is a 4x4 matrix, else 1 mm voxels at the origin."""
        node = slicer.util.addVolumeFromArray(array, name=name)
        if ijkToRas is not None:
            node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRas))
        node.CreateDefaultDisplayNodes()
        return node

    def strayAttributes(self) -> list[str]:
        """See `signals.strayAttributes`."""
        return strayAttributes()


def _keepSingletons() -> None:
    """Keep None, True and False from being freed.

    PySide6 6.12 is built for Pythons in which they cannot be (3.12 and later): `signal.emit(True)`
    and some setters take a reference too many, and Python 3.11 would end with "deallocating True".
    """
    if sys.version_info < (3, 12):
        for singleton in (None, True, False):
            ctypes.c_ssize_t.from_address(id(singleton)).value += 1 << 40


def _coreVersion() -> tuple[int, int]:
    from importlib.metadata import version

    major, minor = version("slicer-core").split(".")[:2]
    return int(major), int(minor)


def install() -> Host:
    """The host of this process, made at the first call."""
    global _installed
    if _installed is None:
        vtk.vtkObject.GlobalWarningDisplayOn()
        _installed = Host()
    return _installed
