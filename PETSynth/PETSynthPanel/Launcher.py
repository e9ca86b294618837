"""From an order to results in the scene; panel, queue and scripts launch runs through here."""

import time
from dataclasses import dataclass
from pathlib import Path

import slicer

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError

from . import Messages
from .Backend import workerCommand
from .Controller import Controller, Run, State
from .Jobs import Jobs, writeRequest
from .Later import later
from .ProcessRunner import ProcessRunner
from .Signal import Signal


@dataclass(frozen=True)
class Launched:
    """What the importer needs to know about a run; ``files`` is what the order wrote."""

    order: object
    job: object
    files: object
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
        self.kind = "synthesize"
        """Kind of the last order, or its task; whether it came to run or not."""
        self.imported = Signal()
        """Results are in the scene: what the order made of them, and the order (`Orders`)."""
        self.controller = Controller(makeProcess, laterCall, now, self._import)
        self.controller.finished.connect(self._onFinished)

    def launch(self, order):
        """Export the images of an order (`Orders.Order`) and start the worker.

        Raises
        ------
        PETSynthError
            When the images cannot be written or are no usable input.
        """
        self.kind = order.task or order.kind
        # Read once: a setting changed in mid-run counts for the next one.
        keepJob = self.settings.keepJob
        job = self.jobs.make(self.jobRoot, order.alignedT1, order.kind)
        try:
            request, files = order.prepare(self, job)
            writeRequest(job, request)
            facts = order.facts(self.environment, request)
        except Exception:
            self.jobs.failed(job, keep=False)
            raise
        command = self.command("--job", str(job.request))
        launched = Launched(order, job, files, keepJob)
        folder = order.resultFolder(job)
        self.controller.start(Run(command, folder, facts, launched, order.explain))

    def begin(self, order):
        """`launch`, and what keeps it from starting is said in the message box."""
        try:
            self.launch(order)
        except PETSynthError as problem:
            facts = Messages.RunFacts()
            told = order.explain(problem.code.value, problem.text, problem.hint, facts)
            self.controller.tell(told)
        except OSError as problem:
            self.controller.tell(Messages.exportFailed(problem.strerror or str(problem)))

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

    def resultFolder(self, node):
        """The result folder that a PET or a table of the scene came from.

        One that is gone (the PET came with a saved scene) is written again from the nodes.

        Raises
        ------
        PETSynthError
            ``BAD_DATA`` when the nodes are no longer those of the result.
        """
        folder = self.jobs.folderOf(Scene.resultDigest(node))
        if folder is not None:
            return folder
        job = self.jobs.make(self.jobRoot)
        try:
            Scene.writeAgain(self.environment, node, job.result)
        except Exception:
            self.jobs.failed(job, keep=False)
            raise
        Scene.setResultDigest(node, self.jobs.know(job.result))
        return job.result

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
        order = launched.order
        made = order.bringIn(self.environment, Path(run.resultFolder), launched.files)
        self.imported.emit(made, order)
        return order.done(body)

    def _onFinished(self, state):
        run = self.controller.run
        launched = run.context
        if state is State.DONE:
            self.jobs.know(Path(run.resultFolder))
            self.jobs.finished(launched.job, launched.order.alignedT1, launched.keepJob)
        else:
            self.jobs.failed(launched.job, launched.keepJob)
