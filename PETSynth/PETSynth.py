"""PETSynth in 3D Slicer: the module's face; what it does is in PETSynthPanel and PETSynthScene."""

import importlib.util
import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


def _ensureLibraryOnPath():
    """An installed extension finds PETSynthLib; in a checkout it lies beside this folder.

    Appended: nothing of ours may hide a package of Slicer's.
    """
    here = Path(__file__).resolve().parent
    installed = (here / "PETSynthLib").is_dir()
    for folder in (here,) if installed else (here, here.parent):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    if importlib.util.find_spec("PETSynthLib") is None:
        raise ModuleNotFoundError("PETSynthLib, the library of PETSynth, is not installed")


class PETSynth(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        _ensureLibraryOnPath()
        parent.title = _("PETSynth")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Nuclear Medicine")]
        parent.dependencies = []
        parent.contributors = ["The PETSynth developers"]
        parent.helpText = _(
            "Makes a synthetic PET from a brain MRI, in the MRI's own space. Choose the T1w image "
            "and click Synthesize. Synthetic PET is made by AI from MRI: for research only, not "
            "for diagnosis."
        )
        parent.acknowledgementText = _(
            "The built-in models were trained on simulated brains only. The sample case is the "
            "Colin 27 average brain (McConnell Brain Imaging Centre, McGill University)."
        )
        slicer.app.connect("startupCompleted()", self._onStartup)

    def _onStartup(self):
        from PETSynthPanel.Sample import registerSample
        from PETSynthPanel.SegmentStatistics import registerPlugin
        from PETSynthPanel.Services import startServices

        registerSample(self.resourcePath("Icons/PETSynth.png"))
        startServices()
        registerPlugin()


class PETSynthWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Life of the panel; the panel itself is `PETSynthPanel.Panel.Panel`."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameters = None
        self._guiTag = None

    def setup(self):
        """Make the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from PETSynthPanel.Panel import Panel
        from PETSynthPanel.Services import sceneEnvironment, startServices

        startServices()
        widget = slicer.util.loadUI(self.resourcePath("UI/PETSynth.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = PETSynthLogic()
        requirements = self.resourcePath("requirements.txt")
        self.panel = Panel(widget, self.ui, sceneEnvironment(), requirements)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneImported)
        slicer.app.connect("aboutToQuit()", self.onQuit)
        self.initializeParameterNode()

    def cleanup(self):
        """The module goes, or is read again."""
        slicer.app.disconnect("aboutToQuit()", self.onQuit)
        self.setParameterNode(None)
        self.removeObservers()
        if self.panel is not None:
            self.panel.close()
            self.panel = None

    def enter(self):
        """The user opens the module."""
        self.initializeParameterNode()
        self.panel.enter()

    def exit(self):
        """The user opens another module."""
        if self.panel is not None:
            self.panel.exit()

    def onReload(self):
        """Read all of the module again, not its first file only."""
        from PETSynthPanel.Services import stopServices

        stopServices()
        self.cleanup()
        for name in list(sys.modules):
            if name.split(".")[0] in ("PETSynthPanel", "PETSynthScene", "PETSynthLib"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onQuit(self):
        """Slicer ends: no process stays."""
        if self.panel is not None:
            self.panel.close()

    def onSceneStartClose(self, caller, event):
        """The scene closes: the run ends before its nodes go."""
        self.panel.sceneCloses()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """An empty scene has a parameter node of its own."""
        self.initializeParameterNode()

    def onSceneImported(self, caller, event):
        """A scene was loaded, perhaps with a parameter node in it."""
        self.initializeParameterNode()

    def onNodesChanged(self, caller, event):
        """Nodes came or went."""
        if self._parameters is None or slicer.mrmlScene.IsBatchProcessing():
            return
        self.panel.nodeRemoved()
        self.panel.refresh()

    def initializeParameterNode(self):
        """Follow the scene's parameter node, made when missing."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameters):
        """Follow ``parameters``, or nothing."""
        if self._parameters is not None:
            self._parameters.disconnectGui(self._guiTag)
            self.removeObserver(self._parameters.parameterNode, _MODIFIED, self.onParametersChanged)
        self._parameters = parameters
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters.parameterNode, _MODIFIED, self.onParametersChanged)
        if self.panel is not None:
            self.panel.setParameters(parameters)

    def onParametersChanged(self, caller, event):
        """A value changed, by the user or by a script."""
        self.panel.refresh()


_MODIFIED = "ModifiedEvent"


class PETSynthLogic(ScriptedLoadableModuleLogic):
    """PETSynth for scripts, without its panel."""

    def getParameterNode(self):
        """The wrapped parameter node of the scene."""
        from PETSynthPanel.Parameters import PETSynthParameterNode

        return PETSynthParameterNode(ScriptedLoadableModuleLogic.getParameterNode(self))

    def process(self, t1Node, flairNode=None, maskNode=None, waitForCompletion=True, **fields):
        """Make a synthetic PET and add it to the scene.

        Parameters
        ----------
        t1Node, flairNode, maskNode
            Nodes of the scene.
        waitForCompletion
            True returns the finished `PETSynthScene.ResultNodes`; False returns the launcher of the
            run at once, whose ``imported`` signal tells them.
        fields
            Of `PETSynthLib.request.SynthesisRequest`, e.g. ``tracer="fdg", model="atlas"``.

        Raises
        ------
        RuntimeError
            With the message of a run that failed.
        """
        from PETSynthPanel.Scripting import process

        return process(t1Node, flairNode, maskNode, waitForCompletion, fields)


class PETSynthTest(ScriptedLoadableModuleTest):
    """Shown by Reload and Test; the project's tests are in ``Testing``."""

    def runTest(self):
        """The sample case, the control model, from the logic."""
        slicer.mrmlScene.Clear()
        from PETSynthPanel.Sample import loadSample

        nodes = PETSynthLogic().process(loadSample(), model="atlas")
        assert nodes.pet.GetAttribute("PETSynth.Synthetic") == "1"
        self.delayDisplay("The test passed")
