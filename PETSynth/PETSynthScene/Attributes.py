"""How a node says that it is synthetic and what it is: attributes, references, name, description.

Marks follow an attribute. A user may rename a node at will; corner text, selectors and
`resultOf` do not look at names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from PETSynthLib.clinical import FIELDS
from PETSynthLib.export import marks
from PETSynthLib.tracers import Tracer

SYNTHETIC = "PETSynth.Synthetic"
ROLE = "PETSynth.Role"
TRACER = "PETSynth.Tracer"
REFERENCE_REGION = "PETSynth.ReferenceRegion"
MODEL_ID = "PETSynth.ModelId"
MODEL_HASH = "PETSynth.ModelHash"
SEED = "PETSynth.Seed"
REQUEST_SHA256 = "PETSynth.RequestSha256"
EVIDENCE = "PETSynth.Evidence"
COGNITION = "PETSynth.Cognition"
COLOUR_MAP = "PETSynth.ColourMap"
WHAT_IF = "PETSynth.WhatIf"
"""What was changed in a picture that answers a question, e.g. ``MMSE 24 to 29``."""
COLOURS_BEFORE = "PETSynth.ColourMapBefore"
"""Colour map of a PET before it was inverted."""
ACQUIRED = "PETSynth.Acquired"
NATIVE_TO_TEMPLATE = "PETSynth.NativeToTemplate"
"""The first three rows of a PET's way to the template, own RAS mm to template RAS mm."""
FWHM_MM = "PETSynth.FwhmMm"
"""Effective resolution of a picture."""
FWHM_OF = "PETSynth.FwhmOf"
"""What it rests on: the ``model``'s own account, or the ``grid`` it draws on (at best)."""
RESULT_SHA256 = "PETSynth.ResultSha256"
"""Digest of the ``result.json`` a node came from; where its folder lies, the session knows."""
VOXELS_SHA256 = "PETSynth.VoxelsSha256"
"""Digest of a PET's voxels (`Volumes.voxelsDigest`); what was measured on it carries the same."""

SOURCE_T1 = "PETSynth.SourceT1"
SOURCE_FLAIR = "PETSynth.SourceFLAIR"
PART = "PETSynth.Part."
"""Prefix of the references from a PET to all nodes of its result, e.g. ``PETSynth.Part.SD``."""
WHOLE = "PETSynth.PET"
"""Reference from each of those nodes back to the PET."""


class Role(StrEnum):
    """What a node of ours is."""

    PET = "PET"
    SD = "SD"
    LOW = "Low"
    HIGH = "High"
    SAMPLE = "Sample"
    EXPECTED = "Expected"
    ADDED = "Added"
    SMOOTHED = "Smoothed"
    DIFFERENCE = "Difference"
    WHAT_IF = "WhatIf"
    CHANGE = "Change"
    CHANGES = "ChangeTable"
    MASK = "Mask"
    REGIONS = "Regions"
    REFERENCE = "Reference"
    PROVENANCE = "Provenance"
    PREVIEW = "Preview"
    LEGEND = "Legend"
    COLOURS = "Colours"
    ALIGNED = "AcquiredOnT1"
    MEASURED = "Measured"
    TABLE = "Table"
    CHART = "Chart"
    PARCELLATION = "Parcellation"
    ACCOUNT = "Account"
    HIGHLIGHT = "Highlight"
    SURFACE = "Surface"
    PAGE = "SurfacePage"
    OUTLINE = "SurfaceOutline"
    RESULT = "Result"


@dataclass(frozen=True)
class Origin:
    """What all nodes of one result have in common.

    Attributes
    ----------
    tracer
        The tracer.
    attributes
        Attribute name -> value, besides `ROLE`.
    description
        Sentence for the node's description.
    """

    tracer: Tracer
    attributes: dict[str, str]
    description: str


def originOf(tracer: Tracer, sidecar: dict[str, Any] | None = None) -> Origin:
    """The origin that a result's sidecar tells (of a preview, without sidecar, only the tracer)."""
    body = sidecar or {}
    model = body.get("Model", {})
    used = body.get("ConditioningVariables", {}).get("Used", [])
    attributes = {
        SYNTHETIC: "1",
        TRACER: tracer.key,
        REFERENCE_REGION: tracer.reference_region,
        MODEL_ID: f"{model.get('name', '')} {model.get('version', '')}".strip(),
        MODEL_HASH: model.get("bundle_sha256", ""),
        SEED: " ".join(str(seed) for seed in body.get("Seeds", [])),
        REQUEST_SHA256: body.get("RequestSha256", ""),
        EVIDENCE: body.get("Evidence", ""),
        COGNITION: marks.cognition_used(cognitionIn(used)),
        **_resolution(body.get("EffectiveResolution", {})),
    }
    words = (marks.COMPUTED, body.get("Banner", ""), body.get("Cognition", ""))
    description = " ".join(dict.fromkeys(word for word in words if word))
    return Origin(tracer, {name: value for name, value in attributes.items() if value}, description)


def _resolution(told: dict[str, Any]) -> dict[str, str]:
    if "fwhm_mm" not in told:
        return {}
    return {FWHM_MM: f"{told['fwhm_mm']:g}", FWHM_OF: told.get("of", "")}


def cognitionIn(used: list[str]) -> tuple[str, ...]:
    """The cognitive fields among the inputs that shaped a picture."""
    return tuple(name for name in used if name in FIELDS and FIELDS[name].cognition)


def syntheticName(words: str) -> str:
    """A node's name with the mark in front, where a narrow selector still shows it."""
    return f"[{marks.SHORT}] {words}"


def mark(node: Any, origin: Origin, role: Role, words: str) -> None:
    """Mark ``node`` by name, attribute and description.

    Parameters
    ----------
    node
        Any storable or displayable MRML node.
    origin
        Where it comes from.
    role
        What it is.
    words
        Its name without the mark.
    """
    wasModifying = node.StartModify()
    node.SetName(node.GetScene().GenerateUniqueName(syntheticName(words)))
    node.SetDescription(origin.description)
    node.SetAttribute(ROLE, role.value)
    for name, value in origin.attributes.items():
        node.SetAttribute(name, value)
    node.EndModify(wasModifying)


def isSynthetic(node: Any) -> bool:
    """Whether a node carries the synthetic attribute, whatever it is called."""
    return node is not None and node.GetAttribute(SYNTHETIC) == "1"


def roleOf(node: Any) -> Role | None:
    """What a node of ours is; None for all others."""
    value = node.GetAttribute(ROLE) if node is not None else None
    return Role(value) if value in set(Role) else None


def resultDigest(node: Any) -> str:
    """Digest of the ``result.json`` a PET or a table came from; empty for all others."""
    return node.GetAttribute(RESULT_SHA256) or ""


def setResultDigest(node: Any, digest: str) -> None:
    """The node belongs to the result with this digest."""
    node.SetAttribute(RESULT_SHA256, digest)


def link(pet: Any, part: Any, role: Role) -> None:
    """Let a PET and another node of its result find each other (kept through saving)."""
    pet.AddNodeReferenceID(PART + role.value, part.GetID())
    if part is not pet:
        part.SetNodeReferenceID(WHOLE, pet.GetID())


def partOf(pet: Any, role: Role) -> Any:
    """The node of that role in the result of ``pet``, or None."""
    return pet.GetNodeReference(PART + role.value)


def partsOf(pet: Any, role: Role) -> list[Any]:
    """All nodes of that role in the result of ``pet``."""
    count = pet.GetNumberOfNodeReferences(PART + role.value)
    found = (pet.GetNthNodeReference(PART + role.value, i) for i in range(count))
    return [node for node in found if node is not None]
