"""The same synthesis once more with other cognitive scores, and nothing else changed."""

import hashlib
from dataclasses import dataclass, replace

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.finished import read_finished
from PETSynthLib.request import SynthesisRequest

from . import Messages
from .Orders import SynthesisOrder

TASK = "what-if"


def withScores(request, scores):
    """``request`` with other cognitive scores: those that were withheld stay withheld.

    Parameters
    ----------
    request
        The library's request of the result in question.
    scores
        Field -> value, of `PETSynthLib.clinical.COGNITION`.
    """
    clinical = replace(request.clinical_for_picture, **scores)
    return replace(request, clinical=clinical, cognition_shapes_picture=True)


@dataclass(frozen=True)
class WhatIfOrder(SynthesisOrder):
    """A question about a result.

    Attributes
    ----------
    petId
        Its PET.
    words
        What is changed, e.g. "MMSE 24 to 29".
    """

    t1Id: str
    flairId: str | None
    maskId: str | None
    request: SynthesisRequest
    keepSamples: bool = False
    show: bool = False
    petId: str = ""
    words: str = ""

    task = TASK

    @property
    def nodeIds(self):
        return (*super().nodeIds, self.petId)

    def prepare(self, launcher, job):
        """As every synthesis; the images must still be those of the result."""
        before = read_finished(launcher.resultFolder(launcher.environment.node(self.petId)))
        request, inputs = super().prepare(launcher, job)
        written = {"T1": inputs.t1, "FLAIR": inputs.flair, "mask": inputs.mask}
        now = {role: _digest(path) for role, path in written.items() if path is not None}
        then = {source.role: source.sha256 for source in before.sources}
        changed = sorted(role for role in {*now, *then} if now.get(role) != then.get(role))
        if changed:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                _("The {image} is no longer the image that this PET was made from.").format(
                    image=", ".join(changed)
                ),
                _("Synthesize again, then ask what if."),
            )
        return request, (inputs, before)

    def bringIn(self, environment, folder, files):
        _inputs, before = files
        nodes = Scene.resultOf(environment, environment.node(self.petId))
        return Scene.importWhatIf(environment, nodes, before, folder, self.words)

    def done(self, body):
        return Messages.whatIfDone(body["total_seconds"], self.words)

    def adding(self):
        return Messages.addingResults()


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
