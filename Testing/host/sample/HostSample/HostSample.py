"""A small scripted module, written as any module for Slicer, on which the test host is tested."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated, Union

import qt
import slicer
import vtk
from slicer import vtkMRMLLabelMapVolumeNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import (
    Choice,
    Default,
    FloatRange,
    RangeBounds,
    WithinRange,
    parameterNodeWrapper,
    parameterPack,
)
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class Sex(enum.Enum):
    FEMALE = "F"
    MALE = "M"


@parameterPack
class Patient:
    ageKnown: bool = False
    age: Annotated[int, WithinRange(18, 110)] = 70
    sex: Sex = Sex.FEMALE


@parameterNodeWrapper
class HostSampleParameterNode:
    t1: vtkMRMLScalarVolumeNode
    mask: Union[vtkMRMLLabelMapVolumeNode, vtkMRMLSegmentationNode, None]  # noqa: UP007
    patient: Patient
    fwhm: Annotated[float, WithinRange(0, 20)] = 8.0
    kernel: Annotated[str, Choice(["box", "gauss"])] = "gauss"
    window: Annotated[FloatRange, RangeBounds(0, 4), Default(FloatRange(0, 2.2))]
    folder: Path = Path()


class HostSample(ScriptedLoadableModule):
    startups = 0

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Host sample")
        slicer.app.connect("startupCompleted()", self._onStartup)

    def _onStartup(self):
        type(self).startups += 1


class HostSampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.entered = 0
        self.cleaned = False

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/HostSample.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = HostSampleLogic()
        self.ui.runButton.connect("clicked(bool)", self.onRun)
        self.ui.t1Selector.connect("currentNodeChanged(vtkMRMLNode*)", self.onT1)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onClosed)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onImported)
        self.parameters = None
        self.bind()

    def bind(self):
        self.parameters = HostSampleParameterNode(self.logic.getParameterNode())
        self._tag = self.parameters.connectGui(self.ui)

    def unbind(self):
        if self.parameters is not None:
            self.parameters.disconnectGui(self._tag)
            self.parameters = None

    def onClose(self, caller, event):
        self.unbind()

    def onClosed(self, caller, event):
        self.bind()

    def onImported(self, caller, event):
        self.unbind()
        self.bind()

    def onT1(self, node):
        self.ui.runButton.enabled = node is not None
        self.ui.runButton.toolTip = _("Run") if node else _("Choose a T1w image")

    def onRun(self):
        self.process = qt.QProcess()
        self.process.connect("readyReadStandardOutput()", self.onOutput)
        self.process.connect("finished(int,QProcess::ExitStatus)", self.onFinished)
        script = "import sys; print('step 1', flush=True); sys.stdin.readline(); print('end')"
        self.process.start(sys.executable, ["-c", script])

    def onOutput(self):
        self.ui.statusLabel.text = self.process.readAllStandardOutput().data().decode().strip()

    def onFinished(self, code, status):
        ended = status == qt.QProcess.NormalExit
        self.ui.statusLabel.text = "ended" if ended else "killed"
        self.process = None

    def enter(self):
        self.entered += 1

    def cleanup(self):
        self.unbind()
        self.removeObservers()
        self.cleaned = True


class HostSampleLogic(ScriptedLoadableModuleLogic):
    def twice(self, volume):
        """A volume of double values, at the same place."""
        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        name = f"{volume.GetName()} twice"
        result = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(result, 2 * slicer.util.arrayFromVolume(volume))
        result.SetIJKToRASMatrix(matrix)
        return result
