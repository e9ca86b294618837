"""Which volumes of the scene may be the T1 and the FLAIR, and what DICOM says of the person."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from .Attributes import ROLE
from .Environment import SceneEnvironment
from .Hierarchy import ancestorOf

_T1_WORDS = re.compile(
    r"(?<![a-z0-9])(t1w?|mprage|bravo|spgr|mp2rage|mrhead|3d.?tfe|fspgr)(?![a-z0-9])", re.I
)
_FLAIR_WORDS = re.compile(r"flair", re.I)
_OTHER_WORDS = re.compile(
    r"(?<![a-z0-9])(t2|t2w|pd|dwi|adc|swi|bold|ct|pet|suvr?|mask|label|seg|b0|asl)(?![a-z0-9])"
    r"|flair",
    re.I,
)
_CHOSEN_VIEW = "Red"
_CONTRAST_AGENT = "0018,0010"
"""DICOM's Contrast/Bolus Agent."""


def findT1Candidates(env: SceneEnvironment) -> list[Any]:
    """Volumes that may be a T1, those that are called so first.

    Label maps, vectors and everything PETSynth made are left out; volumes whose names say that
    they are something else come last.
    """
    volumes = [
        node
        for node in env.nodes("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode"
        and not node.GetAttribute(ROLE)
        and not node.GetHideFromEditors()
        and node.GetImageData() is not None
    ]

    def rank(node: Any) -> int:
        if looksLikeT1(node):
            return 0
        return 2 if _OTHER_WORDS.search(_spaced(node.GetName())) else 1

    return sorted(volumes, key=rank)


def looksLikeT1(node: Any) -> bool:
    """Whether a volume is called a T1 (and not, say, a FLAIR with T1 contrast)."""
    name = _spaced(node.GetName() or "")
    return bool(_T1_WORDS.search(name)) and not _OTHER_WORDS.search(name)


def _spaced(name: str) -> str:
    """Underscores and hyphens part words, as in ``sub-01_T1w``."""
    return re.sub(r"[_\-.]+", " ", name)


def chooseT1(env: SceneEnvironment) -> Any:
    """The T1 to begin with: what the user looks at, else the only one that is called so.

    None when that leaves a doubt: then the user chooses.
    """
    candidates = findT1Candidates(env)
    for composite in env.nodes("vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName() == _CHOSEN_VIEW:
            seen = env.node(composite.GetBackgroundVolumeID())
            if seen is not None and any(node is seen for node in candidates):
                return seen
    named = [node for node in candidates if looksLikeT1(node)]
    return named[0] if len(named) == 1 else None


def findFlairCandidates(env: SceneEnvironment, t1Node: Any) -> list[Any]:
    """Volumes called FLAIR that belong to the same person as the T1.

    With DICOM, those of the same patient; a volume that DICOM does not know is nobody's proof, so
    it is offered only when the T1 is not known either.
    """
    patient = ancestorOf(env, t1Node, "Patient")
    return [
        node
        for node in findT1Candidates(env)
        if _FLAIR_WORDS.search(node.GetName())
        and node is not t1Node
        and ancestorOf(env, node, "Patient") == patient
    ]


def contrastAgent(env: SceneEnvironment, node: Any) -> str:
    """The contrast agent that DICOM names for a volume; empty when it names none.

    Slicer keeps the instances a volume was loaded from in its attribute ``DICOM.instanceUIDs``.
    """
    instances = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    if not instances or env.dicomDatabase is None:
        return ""
    return str(env.dicomDatabase.instanceValue(instances[0], _CONTRAST_AGENT) or "").strip()


def dicomFiles(env: SceneEnvironment, node: Any) -> list[Path]:
    """Files of the DICOM series that a volume was loaded from; empty unless all are there."""
    instances = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    if not instances or env.dicomDatabase is None:
        return []
    names = [str(env.dicomDatabase.fileForInstance(uid) or "") for uid in instances]
    return [Path(name) for name in names] if all(map(os.path.isfile, names)) else []


def samePatient(env: SceneEnvironment, node: Any, other: Any) -> bool:
    """False when DICOM says that the two belong to different people."""
    one, two = ancestorOf(env, node, "Patient"), ancestorOf(env, other, "Patient")
    return not one or not two or one == two


@dataclass(frozen=True)
class PatientFacts:
    """What DICOM tells of a person; None for what it does not.

    Attributes
    ----------
    patientId
        DICOM's ID.
    ageYears
        Age at the study.
    sex
        ``"F"`` or ``"M"``.
    """

    patientId: str | None = None
    ageYears: float | None = None
    sex: Literal["F", "M"] | None = None


def patientFacts(env: SceneEnvironment, node: Any) -> PatientFacts:
    """Facts of the patient and study a volume was loaded from."""
    tree = env.subjectHierarchy
    patient, study = ancestorOf(env, node, "Patient"), ancestorOf(env, node, "Study")

    def value(item: int, name: str) -> str:
        return tree.GetItemAttribute(item, f"DICOM.{name}") if item else ""

    born = _day(value(patient, "PatientBirthDate"))
    seen = _day(value(study, "StudyDate"))
    sex = value(patient, "PatientSex").strip().upper()
    return PatientFacts(
        patientId=value(patient, "PatientID") or None,
        ageYears=round((seen - born).days / 365.25, 1) if born and seen and seen > born else None,
        sex=sex if sex in ("F", "M") else None,
    )


def _day(text: str) -> date | None:
    """A DICOM date (``YYYYMMDD``, sometimes with hyphens), None when it is not one."""
    digits = re.sub(r"\D", "", text)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
