"""The measurement of a PET, frozen at the click."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import PETSynthScene as Scene
from PETSynthLib.request import QUANTIFY, QuantifyRequest

from . import Messages, QuantifyMessages
from .Orders import Order


@dataclass(frozen=True)
class QuantifyOrder(Order):
    """Regional values of a synthetic or acquired PET.

    Attributes
    ----------
    petId, t1Id, regionsId
        Node ids; `regionsId` None for the atlas.
    synthetic
        Whether a model computed the PET: then its files are those of its synthesis.
    request
        Without files.
    noNormals
        Label of the tracer for which this computer has no normals, else empty.
    """

    petId: str
    t1Id: str
    regionsId: str | None
    synthetic: bool
    request: QuantifyRequest
    noNormals: str = ""

    kind = QUANTIFY

    @property
    def nodeIds(self):
        return tuple(i for i in (self.petId, self.t1Id, self.regionsId) if i)

    @property
    def alignedT1(self):
        # A synthetic PET brings the alignment of its own synthesis, in its folder.
        return "" if self.synthetic else self.t1Id

    def prepare(self, launcher, job):
        environment = launcher.environment
        pet, t1, regions = (environment.node(i) for i in (self.petId, self.t1Id, self.regionsId))
        if self.synthetic:
            folder = launcher.resultFolder(pet)
            files = _filesOf(folder)
            Scene.tellSimulated(t1, files["t1"])
            parcellation = Scene.exportRegions(environment, job.folder, t1, regions)
            images = {"pet": folder, **files, "parcellation": parcellation}
        else:
            written = Scene.exportMeasured(environment, job.folder, t1, pet, regions)
            images = {"pet": written.pet, "t1": written.t1, "parcellation": written.regions}
        paths = {name: None if path is None else str(path) for name, path in images.items()}
        return replace(self.request, output=str(job.result), **paths), None

    def facts(self, environment, request):
        pet = environment.node(self.petId)
        return Messages.RunFacts(
            t1w=pet.GetName(), device=request.device, tracer=request.tracer, model=pet.GetName()
        )

    def bringIn(self, environment, folder, files):
        pet, t1 = environment.node(self.petId), environment.node(self.t1Id)
        return Scene.importQuantification(environment, folder, pet, t1)

    def done(self, body):
        return QuantifyMessages.done(body, self.noNormals, not self.synthetic)

    def explain(self, code, text, hint, facts, check=""):
        return QuantifyMessages.explain(code, text, hint, facts, check, not self.synthetic)


def _filesOf(folder):
    """T1 and mask from which a synthesis was made, as its request names them."""
    body = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    mask = body.get("mask")
    return {"t1": Path(body["t1"]), "mask": None if mask is None else Path(mask)}
