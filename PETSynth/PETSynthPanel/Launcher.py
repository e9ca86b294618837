"""From an order to results in the scene; panel, queue and scripts launch runs through here."""

import time
from dataclasses import dataclass
from pathlib import Path

import slicer

import PETSynthScene as Scene
from PETSynthLib.request import SynthesisRequest

from . import Messages
from .Backend import workerCommand
from .Controller import Controller, Run, State
from .Jobs import Jobs, writeRequest
from .Later import later
from .Models import installedModels
from .ProcessRunner import ProcessRunner
from .Request import withFiles
from .Signal import Signal
from .Timing import expectedOnCpu


@dataclass(frozen=True)
class Order:
    """What to make, frozen at the click: later edits of the panel do not reach a run.

    Attributes
    ----------
    t1Id, flairId, maskId
        Node ids; the nodes themselves may vanish meanwhile.
    request
        `Request.makeRequest` of that moment.
    keepSamples
        Whether every sample becomes a volume.
    show
        Whether views may be switched and a preview shown.
    """

    t1Id: str
    flairId: str | None
    maskId: str | None
    request: SynthesisRequest
    keepSamples: bool = False
    show: bool = True

    @property
    def nodeIds(self):
        """Every node the run depends on."""
        return tuple(i for i in (self.t1Id, self.flairId, self.maskId) if i)


@dataclass(frozen=True)
class Launched:
    """What the importer needs to know about a run."""

    order: Order
    job: object
    inputs: object
    keepJob: bool


class Launcher:
    """Owns the controller and the job folders.

    Parameters
    ----------
    environment
        `PETSynthScene.SceneEnvironment`.
    settings
        `Settings.Settings`.
    makeProcess, laterCall, now
        As in `Controller.Controller`.
    """

    def __init__(
        self, environment, settings, makeProcess=ProcessRunner, laterCall=later, now=time.monotonic
    ):
        self.environment = environment
        self.settings = settings
        self.jobs = Jobs()
        self.imported = Signal()
        """Results are in the scene: `PETSynthScene.ResultNodes` and the `Order`."""
        self.controller = Controller(makeProcess, laterCall, now, self._import)
        self.controller.finished.connect(self._onFinished)

    def launch(self, order):
        """Export the images and start the worker.

        Raises
        ------
        PETSynthError
            When the images cannot be written or are no usable input.
        """
        environment = self.environment
        nodes = [environment.node(i) for i in (order.t1Id, order.flairId, order.maskId)]
        t1 = nodes[0]
        # Read once: a setting changed in mid-run counts for the next one.
        keepJob = self.settings.keepJob
        job = self.jobs.make(self.jobRoot, order.t1Id)
        try:
            inputs = Scene.exportInputs(environment, job.folder, *nodes)
            request = withFiles(order.request, inputs, job.result)
            writeRequest(job, request)
        except Exception:
            self.jobs.failed(job, keep=False)
            raise
        facts = Messages.RunFacts(
            t1w=t1.GetName(),
            device=request.device,
            cpuSeconds=expectedOnCpu(request),
            tracer=request.tracer,
            model=request.model,
        )
        launched = Launched(order, job, inputs, keepJob)
        self.controller.start(
            Run(self.command("--job", str(job.request)), job.result, facts, launched)
        )

    @property
    def jobRoot(self):
        """Folder below which the job folders are made."""
        return self.settings.jobRoot or slicer.app.temporaryPath

    def command(self, *arguments):
        """How the worker is started with ``arguments``."""
        python = self.settings.python
        environment = slicer.util.startupEnvironment() if python else {}
        return workerCommand(python, arguments, environment)

    @property
    def order(self):
        """The order of the run at work or just ended, or None."""
        run = self.controller.run
        return None if run is None else run.context.order

    def stopIfInputsAreGone(self):
        """Cancel when a node that the run depends on was removed."""
        controller = self.controller
        if controller.state not in (State.CHECKING, State.RUNNING):
            return
        if any(self.environment.node(i) is None for i in self.order.nodeIds):
            controller.cancel(Messages.nodeRemoved(controller.run.facts.t1w))

    def close(self, message=None):
        """End everything: no process and no job folder stays."""
        self.controller.abort(1.0, message)
        self.jobs.clear()

    def _import(self, run, body):
        launched = run.context
        nodes = Scene.importResult(
            self.environment,
            Path(run.resultFolder),
            launched.inputs,
            samples=launched.order.keepSamples,
        )
        self.imported.emit(nodes, launched.order)
        return Messages.done(body["total_seconds"], _sampleCount(launched.order.request))

    def _onFinished(self, state):
        launched = self.controller.run.context
        if state is State.DONE:
            self.jobs.finished(launched.job, launched.order.t1Id, launched.keepJob)
        else:
            self.jobs.failed(launched.job, launched.keepJob)


def _sampleCount(request):
    """Number of samples a request asks for, or None when its model is gone."""
    if request.samples is not None:
        return request.samples
    for model in installedModels():
        if model.name == request.model:
            return model.presets[request.preset.value]["samples"]
    return None
