"""An acquired PET beside the synthetic one: same grid, reference, smoothing and window."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from PETSynthLib.checks import Finding, Verdict, grade
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.tracers import tracer

from .Arrangement import switchTo
from .Attributes import (
    ACQUIRED,
    COGNITION,
    COLOUR_MAP,
    EVIDENCE,
    FWHM_MM,
    FWHM_OF,
    MODEL_HASH,
    MODEL_ID,
    REFERENCE_REGION,
    REQUEST_SHA256,
    ROLE,
    SEED,
    SYNTHETIC,
    TRACER,
    WHOLE,
    Origin,
    Role,
    mark,
    partOf,
    roleOf,
)
from .Colours import lookOf, paint, windowOf
from .Environment import SceneEnvironment
from .Hierarchy import put, subfolder
from .Importing import (
    RATIO_CODE,
    SUVR_CODE,
    ResultNodes,
    codedEntry,
    subtract,
)
from .Inputs import samePatient
from .Layouts import COMPARE, columnOf
from .Legends import addLegend, showLegendIn
from .Reading import blurredBy
from .Slices import fillColumn, fit
from .Volumes import arrayOf, discard, onGridOf, setArray, smoothed

_ALIKE = 0.35
"""Least overlap (Dice) of the two images' uptake that does not call for a warning."""

SMOOTHING_MM = 6.0
"""Blurs both alike, so that the sharpness of scanner and model matters less than the uptake."""
_EVERY = 4
"""Voxels of the T1 between two that are looked at."""


def alignmentOf(env: SceneEnvironment, nodes: ResultNodes, acquiredNode: Any) -> Finding:
    """How well an acquired PET lies over the synthetic one, as far as a program can tell.

    The overlap of the two images' uptake is only a hint; the user looks and decides.
    """
    limit = "overlap at least 0.35"
    if not samePatient(env, nodes.t1 or nodes.pet, acquiredNode):
        text = "DICOM says that PET and T1 belong to different patients."
        return Finding("acquired", 0.0, limit, Verdict.RED, text)
    there = onGridOf(acquiredNode, nodes.pet, step=_EVERY)
    mine = arrayOf(nodes.pet)[::_EVERY, ::_EVERY, ::_EVERY] > 0
    theirs = there > 0.2 * np.percentile(there, 99) if there.any() else np.zeros_like(mine)
    overlap = 2.0 * float((mine & theirs).sum()) / max(1, int(mine.sum() + theirs.sum()))
    verdict = Verdict.RED if overlap == 0.0 else grade(-overlap, amber=-_ALIKE, red=0.0)
    words = {
        Verdict.GREEN: "The acquired PET lies over the brain. Look at it before you accept.",
        Verdict.AMBER: "The acquired PET lies badly over the brain. Align it first.",
        Verdict.RED: "The acquired PET does not lie over the brain. Align it first.",
    }
    return Finding("acquired", round(overlap, 3), limit, verdict, words[verdict])


def compareWithAcquired(
    env: SceneEnvironment,
    nodes: ResultNodes,
    acquiredNode: Any,
    *,
    accepted: bool,
    smoothingMm: float = SMOOTHING_MM,
) -> Any:
    """The difference, synthetic minus acquired, on the T1's grid.

    Parameters
    ----------
    env
        The scene.
    nodes
        The result.
    acquiredNode
        A PET of the same person, in any unit, aligned to the T1 in the world. It is not touched:
        a copy goes onto the T1's grid, divided by its own mean over the tracer's reference region
        where the result has that region's mask; else it is taken to be SUVR already
        (`isRescaled` tells).
    accepted
        Whether the user has looked at the alignment and accepted it.
    smoothingMm
        Full width at half maximum of the Gaussian that blurs both alike; 0 leaves them sharp.

    Raises
    ------
    PETSynthError
        ``ALIGNMENT`` unless accepted, when the two do not overlap, belong to different people, or
        the PET does not reach the reference region; ``BAD_REQUEST`` for an exploratory tracer or
        a PET of our own.
    """
    _refuse(env, nodes, acquiredNode, accepted)
    forget(env, nodes)
    values, factor = _suvr(nodes, onGridOf(acquiredNode, nodes.pet))
    folder = subfolder(env, nodes.folder, f"Compare - {acquiredNode.GetName()}")
    made = []
    try:
        aligned = _volume(env, nodes, smoothed(values, nodes.pet, smoothingMm))
        made.append(aligned)
        _markAcquired(aligned, nodes, acquiredNode, factor)
        mine = nodes.pet
        if smoothingMm > 0:
            mine = _volume(env, nodes, smoothed(arrayOf(nodes.pet), nodes.pet, smoothingMm))
            made.append(mine)
            mark(mine, originFrom(nodes.pet), Role.SMOOTHED, f"{_base(nodes)} smoothed")
            blurredBy(mine, smoothingMm)
        difference = subtract(env, mine, aligned)
        made.append(difference)
        words = f"{_base(nodes)} minus {acquiredNode.GetName()}"
        mark(difference, originFrom(mine), Role.DIFFERENCE, words)
    except BaseException:
        for node in made:
            discard(env.scene, node)
        raise
    colours = nodes.pet.GetDisplayNode().GetColorNode().GetAttribute(COLOUR_MAP)
    for node in made:
        role = roleOf(node)
        node.SetNodeReferenceID(WHOLE, nodes.pet.GetID())
        node.SetNodeReferenceID(ACQUIRED, acquiredNode.GetID())
        node.SetAndObserveTransformNodeID(nodes.pet.GetTransformNodeID())
        node.SetVoxelValueQuantity(codedEntry(*SUVR_CODE))
        node.SetVoxelValueUnits(codedEntry(*RATIO_CODE))
        look = (colours or nodes.tracer.colour_map, windowOf(nodes.pet))
        paint(env, node, *(lookOf(role, nodes.tracer) if role is Role.DIFFERENCE else look))
        put(env, node, folder)
    aligned.SetVoxelValueQuantity(codedEntry("SUVR", "99PETSYNTH", "SUVR"))
    rows = [(difference, f"{marks.WORD} minus\nacquired, SUVR", "difference legend")]
    if mine is not nodes.pet:
        text = f"{marks.title(nodes.tracer)}\nSUVR, smoothed"
        rows.append((mine, text, "smoothed legend"))
    for volume, text, words in rows:
        mark(addLegend(volume, text, []), originFrom(nodes.pet), Role.LEGEND, words)
    return difference


def showCompare(
    env: SceneEnvironment, nodes: ResultNodes, acquiredNode: Any, *, switchLayout: bool = True
) -> None:
    """Acquired, synthetic and their difference, in one window.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when `compareWithAcquired` has not been called for this pair.
    """
    aligned, mine, difference = comparisonOf(env, nodes, acquiredNode)
    if difference is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "The difference to this acquired PET has not been computed.",
            "Accept the alignment first.",
        )
    if switchLayout:
        switchTo(env, COMPARE)
    for column, volume in enumerate((aligned, mine, difference)):
        fillColumn(env, columnOf(COMPARE, column), volume)
    for column, volume in ((1, mine), (2, difference)):
        showLegendIn(env, volume, columnOf(COMPARE, column)[2])
    fit(env, COMPARE)


def comparisonOf(
    env: SceneEnvironment, nodes: ResultNodes, acquiredNode: Any
) -> tuple[Any, Any, Any]:
    """Acquired on the T1's grid, synthetic alike, difference; None for what is missing."""
    found = {
        roleOf(node): node
        for node in _comparison(env, nodes)
        if node.GetNodeReference(ACQUIRED) is acquiredNode
    }
    mine = found.get(Role.SMOOTHED, nodes.pet)
    return found.get(Role.ALIGNED), mine, found.get(Role.DIFFERENCE)


def isRescaled(aligned: Any) -> bool:
    """Whether an acquired copy was divided by its reference region (else it was taken as SUVR)."""
    return bool(aligned.GetAttribute("PETSynth.ReferenceMean"))


def forget(env: SceneEnvironment, nodes: ResultNodes) -> None:
    """Remove the volumes of earlier comparisons of this result."""
    for node in _comparison(env, nodes):
        discard(env.scene, node)


def _comparison(env: SceneEnvironment, nodes: ResultNodes) -> list[Any]:
    return [
        node
        for node in env.nodes("vtkMRMLScalarVolumeNode")
        if node.GetNodeReference(WHOLE) is nodes.pet
        and roleOf(node) in (Role.ALIGNED, Role.SMOOTHED, Role.DIFFERENCE)
    ]


def _refuse(env: SceneEnvironment, nodes: ResultNodes, acquiredNode: Any, accepted: bool) -> None:
    if nodes.exploratory:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"{nodes.tracer.label} is exploratory: its middle is not compared alone.",
            "Choose a tracer that the MRI determines.",
        )
    if acquiredNode.GetAttribute(ROLE):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"'{acquiredNode.GetName()}' was made by PETSynth.",
            "Choose a PET from a scanner.",
        )
    finding = alignmentOf(env, nodes, acquiredNode)
    if finding.verdict is Verdict.RED:
        raise PETSynthError(ErrorCode.ALIGNMENT, finding.sentence, "Choose another PET.")
    if not accepted:
        raise PETSynthError(
            ErrorCode.ALIGNMENT,
            "Nobody has accepted the alignment of the acquired PET yet.",
            "Look at it over the T1, then accept it.",
        )


def _suvr(nodes: ResultNodes, values: np.ndarray) -> tuple[np.ndarray, float | None]:
    """SUVR of an acquired PET, and the mean it was divided by (None: taken as SUVR)."""
    reference = partOf(nodes.pet, Role.REFERENCE)
    if reference is None:
        return values, None
    inside = onGridOf(reference, nodes.pet, linear=False) > 0
    mean = float(values[inside].mean()) if inside.any() else 0.0
    if mean <= 0.0:
        raise PETSynthError(
            ErrorCode.ALIGNMENT,
            f"The acquired PET shows no uptake in the reference region "
            f"({nodes.tracer.reference_region.replace('_', ' ')}).",
            "Check its alignment and its field of view.",
        )
    return values / np.float32(mean), mean


def _volume(env: SceneEnvironment, nodes: ResultNodes, array: np.ndarray) -> Any:
    node = slicer.vtkMRMLScalarVolumeNode()
    node.CopyOrientation(nodes.pet)
    setArray(node, array.astype(np.float32))
    return env.scene.AddNode(node)


def _markAcquired(node: Any, nodes: ResultNodes, acquiredNode: Any, factor: float | None) -> None:
    """An acquired copy says that it is one; it does not carry the synthetic mark."""
    node.SetName(f"{acquiredNode.GetName()} on the T1 (acquired)")
    node.SetDescription(f"Acquired PET '{acquiredNode.GetName()}' on the grid of the T1.")
    node.SetAttribute(ROLE, Role.ALIGNED.value)
    node.SetAttribute(TRACER, nodes.tracer.key)
    if factor is not None:
        node.SetAttribute(REFERENCE_REGION, nodes.tracer.reference_region)
        node.SetAttribute("PETSynth.ReferenceMean", repr(factor))


def originFrom(pet: Any) -> Origin:
    """The origin of a result, from the attributes of its PET."""
    names = (SYNTHETIC, TRACER, REFERENCE_REGION, MODEL_ID, MODEL_HASH, SEED, REQUEST_SHA256)
    names += (EVIDENCE, COGNITION, FWHM_MM, FWHM_OF)
    found = {name: pet.GetAttribute(name) for name in names}
    return Origin(
        tracer(pet.GetAttribute(TRACER)),
        {name: value for name, value in found.items() if value},
        pet.GetDescription(),
    )


def _base(nodes: ResultNodes) -> str:
    name = nodes.t1.GetName() if nodes.t1 is not None else "MRI"
    return f"{name} {nodes.tracer.label} SUVR"
