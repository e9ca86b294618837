"""What the launcher runs: one class for each kind of request, frozen at the click.

A card makes an order and gives it to `Launcher.Launcher.launch`; the order knows which images go
out, which request is made of them, and how the results come back into the scene.
"""

from dataclasses import dataclass
from typing import Any

import PETSynthScene as Scene
from PETSynthLib.request import SynthesisRequest

from . import Messages
from .Models import installedModels
from .Request import withFiles
from .Timing import expectedOnCpu


class Order:
    """What every order answers; later edits of the panel do not reach a run."""

    kind = ""
    """Of its request."""
    task = ""
    """What starts it again (`Panel.Panel.again`) when that is not told by its kind."""
    show = False
    """Whether views may be switched and a preview shown."""

    @property
    def nodeIds(self):
        """Every node the run depends on: when one is removed, the run is stopped."""
        raise NotImplementedError

    @property
    def alignedT1(self):
        """Id of the T1w whose alignment the run takes over and leaves; empty when there is none."""
        return ""

    def resultFolder(self, job):
        """Folder in which ``result.json`` will appear; one of the user's own is never removed."""
        return job.result

    def prepare(self, launcher, job):
        """Write the images into ``job.folder``.

        Parameters
        ----------
        launcher
            `Launcher.Launcher`: its environment, and the folders of the session's results.
        job
            `Jobs.Job`; results go into ``job.result``.

        Returns
        -------
        The library's request, and whatever `bringIn` needs.

        Raises
        ------
        PETSynthError
            When the images cannot be written or are no usable input.
        """
        raise NotImplementedError

    def facts(self, environment, request):
        """`Messages.RunFacts` of the run."""
        return Messages.RunFacts()

    def bringIn(self, environment, folder, files):
        """Results become nodes; whatever it returns goes to those who follow `Launcher.imported`.

        Parameters
        ----------
        folder
            The finished result.
        files
            What `prepare` returned.
        """
        raise NotImplementedError

    def done(self, body):
        """The message of a finished run; ``body`` is its ``result.json``."""
        raise NotImplementedError

    def explain(self, code, text, hint, facts, check=""):
        """The message of a failure; parameters as `Messages.forFailure`."""
        return Messages.forFailure(code, text, hint, facts, check)

    def adding(self):
        """What the stage line says while the results become nodes."""
        return Messages.addingResults()


@dataclass(frozen=True)
class SynthesisOrder(Order):
    """A synthetic PET.

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

    kind = "synthesize"

    @property
    def nodeIds(self):
        return tuple(i for i in (self.t1Id, self.flairId, self.maskId) if i)

    @property
    def alignedT1(self):
        return self.t1Id

    def prepare(self, launcher, job):
        environment = launcher.environment
        nodes = [environment.node(i) for i in (self.t1Id, self.flairId, self.maskId)]
        inputs: Any = Scene.exportInputs(environment, job.folder, *nodes)
        return withFiles(self.request, inputs, job.result), inputs

    def facts(self, environment, request):
        return Messages.RunFacts(
            t1w=environment.node(self.t1Id).GetName(),
            device=request.device,
            cpuSeconds=expectedOnCpu(request),
            tracer=request.tracer,
            model=request.model,
        )

    def bringIn(self, environment, folder, files):
        return Scene.importResult(environment, folder, files, samples=self.keepSamples)

    def done(self, body):
        return Messages.done(body["total_seconds"], _sampleCount(self.request))

    def adding(self):
        return Messages.addingPet()


def _sampleCount(request):
    """Number of samples a request asks for, or None when its model is gone."""
    if request.samples is not None:
        return request.samples
    for model in installedModels():
        if model.name == request.model:
            return model.presets[request.preset.value]["samples"]
    return None
