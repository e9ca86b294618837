"""The export of one result folder into the user's folder, frozen at the click."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import PETSynthScene as Scene
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.request import EXPORT, ExportRequest

from . import ExportMessages, Messages, Sentences
from .Orders import Order

DICOM = "dicom"
_RESULT = "result.json"


@dataclass(frozen=True)
class Item:
    """One check box of the card.

    Attributes
    ----------
    name
        Of its parameter; its widget is ``<name>CheckBox``.
    format, object
        Of the library's request; `object` empty for all but DICOM.
    right
        Whether it is offered for a quantified PET only.
    measured
        Whether it is made of the measurement; else of the PET's own folder.
    """

    name: str
    format: str
    object: str = ""
    right: bool = False
    measured: bool = False


ITEMS = (
    Item("parametricMap", DICOM, "pm"),
    Item("nifti", "nifti"),
    Item("nrrd", "nrrd"),
    Item("bids", "bids"),
    Item("dicomPet", DICOM, "pt"),
    Item("dicomSeg", DICOM, "seg", right=True, measured=True),
    Item("dicomSr", DICOM, "sr", right=True, measured=True),
    Item("segNrrd", "labelmap", right=True, measured=True),
    Item("csv", "csv", right=True, measured=True),
    Item("report", "report", right=True, measured=True),
    # The pages are drawn with the PET; a measurement has none.
    Item("sspPage", DICOM, "sc", right=True),
)


@dataclass(frozen=True)
class ExportOrder(Order):
    """Some items of one result.

    Attributes
    ----------
    nodeId
        The PET, or the table of its measurement: whose result folder is exported.
    t1Id
        T1w whose DICOM series says into which study DICOM objects go; empty for a new study.
    request
        Without the folder of the result.
    chosen
        Folder that the user chose; that of the request is a new one in it.
    items, before
        Check boxes that this order is for; those that an order before has written.
    said
        What that order had to say.
    """

    nodeId: str
    t1Id: str
    request: ExportRequest
    chosen: str
    items: int
    before: int = 0
    said: tuple = ()

    kind = EXPORT

    @property
    def nodeIds(self):
        return (self.nodeId,)

    def resultFolder(self, job):
        return Path(self.request.output)

    def prepare(self, launcher, job):
        environment = launcher.environment
        folder = launcher.resultFolder(environment.node(self.nodeId))
        source = None
        if self.t1Id:
            files = Scene.dicomFiles(environment, environment.node(self.t1Id))
            source = str(_beside(files, job.folder / DICOM))
        return replace(self.request, result=str(folder), source_dicom=source), folder

    def facts(self, environment, request):
        # The voxels of the scene take no part, and nothing of it is computed on a device.
        return Messages.RunFacts(t1w=environment.node(self.nodeId).GetName(), device="cpu")

    def bringIn(self, environment, folder, files):
        """Nothing becomes a node; returns the warnings of the export."""
        body = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
        source = hashlib.sha256((files / _RESULT).read_bytes()).hexdigest()
        # An order before has written into this folder too: its record is not that of this one.
        if body.get("result_sha256") != source:
            raise PETSynthError(
                ErrorCode.INTERNAL, "The worker ended before it had written all.", "Export again."
            )
        return _warnings(body)

    def done(self, body):
        said = tuple(dict.fromkeys((*self.said, *_warnings(body))))
        return ExportMessages.done(self.before + self.items, said)

    def explain(self, code, text, hint, facts, check=""):
        if code == ErrorCode.BAD_OUTPUT and self.request.output in text:
            writable = os.access(self.chosen, os.W_OK)
            return ExportMessages.outputFailed(text, "" if writable else self.chosen)
        ownStudy = bool(self.t1Id)
        return ExportMessages.explain(code, text, hint, facts, ownStudy)

    def adding(self):
        return ExportMessages.ending()


def _warnings(body):
    return tuple(Sentences.told(one) for one in body["findings"] if one["verdict"] == "amber")


def _beside(files, folder):
    """The series alone, in a folder of the job: where it lies may be the name of a person."""
    folder.mkdir()
    for number, path in enumerate(files):
        target = folder / f"{number:05d}.dcm"
        try:
            os.link(path, target)
        except OSError:  # another disk, or one without links
            shutil.copyfile(path, target)
    return folder
