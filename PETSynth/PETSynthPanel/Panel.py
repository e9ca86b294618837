"""The panel as a whole: makes the cards, follows scene and run, starts runs."""

import contextlib
import time
from dataclasses import replace

import qt
from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError
from PETSynthLib.request import EXPORT, PROJECT, QUANTIFY

from . import Dependencies, InstallMessages, Messages, Preflight
from .AdvancedCard import AdvancedCard
from .BatchCard import BatchCard
from .Context import Context
from .Controller import State
from .ExportCard import ExportCard
from .Icons import pixmap
from .InputCard import InputCard
from .Launcher import Launcher
from .LiveView import LiveView
from .Orders import SynthesisOrder
from .PatientCard import PatientCard
from .ProcessRunner import endAll
from .QuantifyCard import QuantifyCard
from .RemedyActions import RemedyActions
from .RunArea import RunArea
from .Sample import loadSample
from .Settings import Settings
from .Shortcuts import Shortcuts
from .SurfaceControls import SurfaceControls
from .TracerCard import TracerCard
from .ViewCard import ViewCard
from .WhatIfCard import WhatIfCard
from .WhatIfOrder import TASK as WHAT_IF

TICK_MS = 500
_FOLDED = (
    "viewCard", "quantifyCard", "exportCard", "whatIfCard", "batchCard", "advancedCard",
)  # fmt: skip
"""Cards that are folded until the user opens them."""


class Panel:
    """Made once per panel; `setParameters` gives it a parameter node, `close` ends it.

    Parameters
    ----------
    widget
        The outermost widget of ``PETSynth.ui``.
    ui
        Its widgets by name.
    environment
        `PETSynthScene.SceneEnvironment`.
    requirements
        Path of ``requirements.txt``.
    """

    def __init__(self, widget, ui, environment, requirements):
        self._refreshing = False
        self.changes = {}
        """What the last click wanted otherwise than the cards say."""
        self.remedies = RemedyActions(self, requirements)
        settings = Settings()
        launcher = Launcher(environment, settings)
        self.context = context = Context(ui, environment, settings, launcher)
        self.launcher = launcher
        self.controller = launcher.controller
        self.input = InputCard(context, self.onSample)
        self.patient = PatientCard(context)
        self.tracer = TracerCard(context, self.refresh)
        self.runArea = RunArea(context, self.onRun, self.remedies.do, time.monotonic)
        self.view = ViewCard(context)
        self.quantify = QuantifyCard(context, self.refresh)
        self.surface = SurfaceControls(context, self.quantify, self.refresh)
        self.export = ExportCard(context, self.quantify, self.refresh)
        self.whatIf = WhatIfCard(context, self.view, self.request)
        self.live = LiveView(context, self.view, self._onPreviewShown, self._holding)
        self.batch = BatchCard(context, self.tracer.request, lambda: self._seconds())
        self.advanced = AdvancedCard(
            context,
            self.refresh,
            self.remedies.onRepair,
            self.remedies.onDiagnose,
            self.tracer.openModelsFolder,
        )
        self._cards = {
            "inputCard": self.input,
            "patientCard": self.patient,
            "tracerCard": self.tracer,
            "viewCard": self.view,
            "quantifyCard": self.quantify,
            "exportCard": self.export,
            "whatIfCard": self.whatIf,
            "batchCard": self.batch,
            "advancedCard": self.advanced,
        }
        self._runs = {
            "synthesize": self.onRun,
            QUANTIFY: self.quantify.run,
            PROJECT: self.surface.run,
            EXPORT: self.export.run,
            WHAT_IF: self.whatIf.run,
        }
        """Kind of a request -> what starts it with the values of this moment."""
        ui.syntheticBannerIcon.setPixmap(pixmap("amber"))
        self._fold()
        self.controller.changed.connect(self._onController)
        self.controller.previewed.connect(self.live.onPreview)
        self.controller.found.connect(self.input.lights.warn)
        self.controller.finished.connect(self._onFinished)
        launcher.imported.connect(self._onImported)
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self.controller.tick)
        self.shortcuts = Shortcuts(widget, self._keys())

    # --- life ----------------------------------------------------------------------------------

    def setParameters(self, parameters):
        """Follow this parameter node; None while the scene is closing."""
        self.context.parameters = parameters
        if parameters is not None:
            self.refresh()

    def enter(self):
        """The user opens the module."""
        self.shortcuts.install()
        self.chooseT1()

    def exit(self):
        """The user leaves the module."""
        self.shortcuts.remove()

    def chooseT1(self):
        """Choose the T1w for the user when the scene leaves one candidate."""
        parameters = self.context.parameters
        if parameters is None or parameters.input.t1w is not None or self.controller.busy:
            return
        node = Scene.chooseT1(self.context.environment)
        if node is not None:
            parameters.input.t1w = node
            text = _("T1w chosen for you: {name}.").format(name=node.GetName())
            self.context.ui.stageLabel.setText(text)

    def sceneCloses(self):
        """The scene is about to close: nothing may run on."""
        self.launcher.close(Messages.sceneClosed())
        self.view.forget()
        self.batch.queue.active = False

    def nodeRemoved(self):
        """A node left the scene."""
        self.launcher.stopIfInputsAreGone()

    def close(self):
        """The panel goes: no process, timer or shortcut stays."""
        self._timer.stop()
        self.shortcuts.remove()
        self.advanced.close()
        self.controller.changed.disconnect(self._onController)
        self.batch.queue.active = False
        self.launcher.close()
        endAll()
        self.context.parameters = None

    # --- following -----------------------------------------------------------------------------

    def refresh(self):
        """Bring every card into agreement with scene, parameters and run."""
        if self._refreshing or self.context.parameters is None:
            return
        if self.controller.state is State.IMPORTING:
            return  # it adds many nodes; once more at its end is enough
        self._refreshing = True
        try:
            for card in self._cards.values():
                card.refresh()
            self.surface.refresh()
            self._showRun()
            self._showTitles()
        finally:
            self._refreshing = False

    @property
    def reason(self):
        """Why a run cannot start, or an empty string."""
        return self.input.reason or self.tracer.reason

    @contextlib.contextmanager
    def _holding(self):
        """Cards do not follow the scene meanwhile."""
        before, self._refreshing = self._refreshing, True
        try:
            yield
        finally:
            self._refreshing = before

    def _onController(self):
        self.live.follow()
        busy = self.controller.busy
        if busy != self._timer.active:
            self._timer.start() if busy else self._timer.stop()
            self.refresh()
        else:
            self._showRun()

    def _showRun(self):
        if self.context.parameters is None:
            return
        self.runArea.prefix = self.batch.prefix
        self.runArea.refresh(self.reason, self._ready())

    def _ready(self):
        if self.controller.state is State.DONE:
            return ""
        words = Messages.seconds(self._seconds())
        return _("Ready. {time} on this computer.").format(time=words[:1].upper() + words[1:])

    def _seconds(self):
        return None if self.context.parameters is None else self.tracer.seconds

    def _showTitles(self):
        """A folded card's header carries a summary of what is in it."""
        for name, card in self._cards.items():
            button = getattr(self.context.ui, name)
            title = _(card.TITLE)
            summary = card.summary if button.collapsed else ""
            button.setText(f"{title}    {summary}" if summary else title)

    def _fold(self):
        """Folded and open cards as the user left them."""
        for name in self._cards:
            button = getattr(self.context.ui, name)
            folded = self.context.settings.folded(name, name in _FOLDED)
            # View opens by itself, at the first preview or result of a session.
            button.setCollapsed(folded or name == "viewCard")
            button.connect(
                "contentsCollapsed(bool)", lambda folded, name=name: self._onFolded(name, folded)
            )

    def _onFolded(self, name, folded):
        self.context.settings.setFolded(name, folded)
        self.refresh()

    # --- running -------------------------------------------------------------------------------

    def onSample(self):
        """Load the sample case and choose it."""
        try:
            node = loadSample()
        except (PETSynthError, RuntimeError, OSError) as problem:
            self.controller.tell(Messages.sampleFailed(str(problem)))
        else:
            self.context.parameters.input.t1w = node

    def onRun(self, allTheSame=False, **changes):
        """Synthesize with the values of this moment.

        Parameters
        ----------
        allTheSame
            Whether the user wants to run with too little memory.
        changes
            Replace fields of the request.
        """
        if self.controller.busy or self.reason:
            return
        message = self._needs()
        if message is None and not allTheSame:
            self.changes = changes
            message = Preflight.beforeRun(self.launcher.jobRoot)
        if message is not None:
            self.controller.tell(message)
            return
        parameters = self.context.parameters
        nodes = (parameters.input.t1w, parameters.input.flair, parameters.input.mask)
        order = SynthesisOrder(
            *(None if node is None else node.GetID() for node in nodes),
            request=replace(self.request(), **changes),
            keepSamples=parameters.run.keepSamples,
        )
        self.launcher.begin(order)

    def request(self):
        """The library's request of this moment, without files."""
        overridden = tuple(self.input.overridden())
        return replace(self.tracer.request(), overridden_checks=overridden)

    def again(self, **changes):
        """The kind of run that was last, with the values of this moment.

        Parameters
        ----------
        changes
            Replace fields of the request.
        """
        self._runs[self.launcher.kind](**changes)

    def _needs(self):
        """What has to be installed first, as a message; None when nothing is missing."""
        settings = self.context.settings
        if settings.python:
            return None  # its own business; the worker tells
        missing = Dependencies.missingFor(self.tracer.model)
        if missing.broken:
            return InstallMessages.torchBroken()
        if missing.anything:
            no = Preflight.beforeInstall(missing.torch)
            return no or Preflight.consent(missing.torch, settings.wheelFolder)
        return None

    def _onPreviewShown(self):
        self._openView()
        self.view.refresh()

    def _onImported(self, nodes, order):
        if order.show:
            self.view.showNew(nodes)
            self._openView()
        self.live.clear()

    def _onFinished(self, state):
        if state is not State.DONE:
            self.live.clear()
        self.refresh()

    def _openView(self):
        """The card opens itself once per session, at the first preview or result."""
        if not getattr(self, "_viewOpened", False):
            self._viewOpened = True
            self.context.ui.viewCard.setCollapsed(False)

    # --- keys ----------------------------------------------------------------------------------

    def _keys(self):
        ui = self.context.ui
        return {
            "Ctrl+Return": self._onKeyRun,
            "Esc": self.controller.cancel,
            "Alt+1": lambda: _press(ui.fusedLayoutButton),
            "Alt+2": lambda: _press(ui.compareLayoutButton),
            "Alt+3": lambda: _press(ui.sspLayoutButton),
            "Alt+4": lambda: _press(ui.expectedLayoutButton),
            "Ctrl+Shift+Return": lambda: _press(ui.quantifyButton),
            "Alt+0": lambda: _press(ui.restoreLayoutButton),
            "Alt++": lambda: self.view.changeOpacity(10),
            "Alt+-": lambda: self.view.changeOpacity(-10),
            "Alt+PgUp": lambda: self.view.step(-1),
            "Alt+PgDown": lambda: self.view.step(1),
            "Alt+B": lambda: _press(ui.blinkButton),
            "Alt+I": lambda: _press(ui.invertButton),
            "Alt+P": self.view.reading.stepPlanes,
        }

    def _onKeyRun(self):
        if not self.controller.busy:
            self.runArea.click()


def _press(button):
    if button.enabled:
        button.click()
