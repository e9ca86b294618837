"""Whose PET a node belongs to: patient, study and voxels, as digests on every node of a result.

A table or a segmentation of another person's PET, or of a PET whose voxels were changed since, must
never stand beside the image as if it were of it. Names may change at will.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .Attributes import VOXELS_SHA256
from .Environment import SceneEnvironment
from .Hierarchy import ancestorOf
from .Volumes import voxelsDigest

PATIENT_SHA256 = "PETSynth.PatientSha256"
"""Digest of DICOM's patient ID, never the ID: attributes are written into image files."""
STUDY_SHA256 = "PETSynth.StudySha256"

_LEVELS = {PATIENT_SHA256: "Patient", STUDY_SHA256: "Study"}
_known: dict[str, tuple[tuple[int, int], str]] = {}
"""Node id -> (times of change, digest of its voxels): making it takes 0.1 s for a scan of 1 mm."""


def identityOf(env: SceneEnvironment, petNode: Any, placeNode: Any = None) -> dict[str, str]:
    """What binds a result to its PET: attribute -> value; only what is known.

    Parameters
    ----------
    env
        The scene.
    petNode
        The PET that was made or measured.
    placeNode
        The node of the same person that DICOM knows (the T1), None for the PET itself.
    """
    found = {VOXELS_SHA256: digestOf(petNode)}
    tree = env.subjectHierarchy
    for name, level in _LEVELS.items():
        for node in (placeNode, petNode):
            item = ancestorOf(env, node, level)
            uid = tree.GetItemUID(item, "DICOM") if item else ""
            if uid:
                found[name] = hashlib.sha256(uid.encode("utf-8")).hexdigest()
                break
    return found


def bind(node: Any, identity: dict[str, str]) -> None:
    """Put an identity onto a node."""
    for name, value in identity.items():
        node.SetAttribute(name, value)


def belongsTo(env: SceneEnvironment, part: Any, petNode: Any) -> bool:
    """Whether a table, chart or segmentation is of the PET as it is now.

    False when the voxels were changed since, or DICOM says that they are of different people.
    """
    if part is None or petNode is None or petNode.GetImageData() is None:
        return False
    if part.GetAttribute(VOXELS_SHA256) != digestOf(petNode):
        return False
    now = identityOf(env, petNode)
    theirs = part.GetAttribute(PATIENT_SHA256)
    mine = now.get(PATIENT_SHA256) or petNode.GetAttribute(PATIENT_SHA256)
    return not theirs or not mine or theirs == mine


def digestOf(node: Any) -> str:
    """`Volumes.voxelsDigest`, computed once as long as the voxels stay."""
    image = node.GetImageData()
    scalars = image.GetPointData().GetScalars()
    # VTK counts changes of all objects together: no two images share these numbers.
    state = (image.GetMTime(), scalars.GetMTime())
    key = node.GetID() or ""
    if key not in _known or _known[key][0] != state:
        _known[key] = (state, voxelsDigest(node))
    return _known[key][1]
