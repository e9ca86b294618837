"""Laying a PET onto the brain surface, frozen at the click."""

from dataclasses import dataclass, replace

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.export import marks
from PETSynthLib.request import PROJECT, ProjectRequest

from . import Messages
from .Messages import Kind, Message
from .Orders import Order
from .Remedies import Remedy

_TOLD = ("BAD_DATA", "BAD_REQUEST", "BAD_IMAGE", "BAD_GEOMETRY")
"""What is wrong with the PET or its normals; the library's sentence says it."""


@dataclass(frozen=True)
class ProjectOrder(Order):
    """The surface of a synthetic PET, or of an acquired one that was measured.

    Attributes
    ----------
    petId
        Its PET.
    tableId
        Table of the measurement of an acquired PET, in whose folder the PET lies on its T1 with the
        way to the template; None for a synthetic PET, which has both in its own.
    request
        Without files.
    """

    petId: str
    tableId: str | None
    request: ProjectRequest

    kind = PROJECT

    @property
    def nodeIds(self):
        return tuple(i for i in (self.petId, self.tableId) if i)

    def prepare(self, launcher, job):
        environment = launcher.environment
        pet = environment.node(self.petId)
        if self.tableId is None:
            source = launcher.resultFolder(pet)
        else:
            folder = launcher.resultFolder(environment.node(self.tableId))
            source = folder / marks.acquired_file_name(self.request.tracer, "suvr", ".nii.gz")
        request = replace(self.request, pet=str(source), output=str(job.result))
        return request, Scene.surfaceIdentity(environment, pet)

    def facts(self, environment, request):
        name = environment.node(self.petId).GetName()
        return Messages.RunFacts(t1w=name, tracer=request.tracer)

    def bringIn(self, environment, folder, files):
        return Scene.importSurface(environment, folder, environment.node(self.petId), files)

    def done(self, body):
        amber = [one["sentence"] for one in body["findings"] if one["verdict"] == "amber"]
        text = _("On the surface in {seconds} s.").format(seconds=round(body["total_seconds"]))
        return Message(Kind.AMBER if amber else Kind.GREEN, " ".join([text, *amber[:1]]))

    def explain(self, code, text, hint, facts, check=""):
        if code not in _TOLD:
            return Messages.forFailure(code, text, hint, facts, check)
        # Hints of the command line name its options.
        said = text if "--" in hint else f"{text} {hint}"
        choose = (Remedy.CHOOSE_PET, _("Choose another"))
        return Message(Kind.RED, said, (choose, (Remedy.SHOW_DETAILS, _("Details"))))
