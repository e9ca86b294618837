"""Model sensitivity (not a medical effect): a result drawn again with other scores, beside itself.

The second picture is no result of the patient's: it has no role that a selector, an export or a
measurement takes, and every view that shows it says what was changed.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.finished import Finished, read_finished
from PETSynthLib.export.record import Source, request_digest
from PETSynthLib.export.sensitivity import COLUMNS, regional_change
from PETSynthLib.quantify.regions import SIDE_WORDS, title_of
from PETSynthLib.request import SynthesisRequest

from .Attributes import (
    COGNITION,
    REQUEST_SHA256,
    WHAT_IF,
    Origin,
    Role,
    link,
    mark,
    originOf,
    partOf,
    partsOf,
)
from .Colours import lookOf, mapOf, paint, windowOf
from .Environment import SceneEnvironment
from .Hierarchy import newSubfolder, put
from .Identity import bind, identityOf
from .Importing import RATIO_CODE, SUVR_CODE, ResultNodes, codedEntry, subtract
from .Layouts import LEGEND_VIEW, viewIdOf
from .Legends import addLegend
from .RegionTable import HEADER, makeTable, number, rowsOf
from .Views import showFused
from .Volumes import adoptGrid, discard, readVolume

_PICTURE, _TABLE = "PETSynth.WhatIfPicture", "PETSynth.WhatIfTable"
"""References from a change to the picture with the other scores, and to its table."""


@dataclass(frozen=True, eq=False)
class WhatIfNodes:
    """One question and its answer.

    Attributes
    ----------
    words
        What was changed, e.g. ``MMSE 24 to 29``.
    pet
        The picture with the other scores, SUVR.
    change
        It minus the result's own, SUVR.
    table
        The same by region.
    """

    words: str
    pet: Any
    change: Any
    table: Any


def importWhatIf(
    env: SceneEnvironment, nodes: ResultNodes, before: Finished, folder: Path, words: str
) -> WhatIfNodes:
    """Bring a synthesis with other scores into the scene, as what it changes in a result.

    Parameters
    ----------
    env
        The scene.
    nodes
        The result in question.
    before
        Its finished folder.
    folder
        Of the synthesis with the other scores; it may be deleted afterwards.
    words
        What was changed, e.g. ``MMSE 24 to 29``.

    Raises
    ------
    PETSynthError
        As `regional_change` and `read_finished`; ``BAD_GEOMETRY`` when the two pictures lie on
        different grids. The scene is then as it was before.
    """
    after = read_finished(Path(folder))
    rows = regional_change(before, after)
    made: list[Any] = []
    try:
        pet = _read(env, nodes, after, made)
        change = subtract(env, pet, nodes.pet)
        made.append(change)
        table = makeTable(env, COLUMNS, rows, synthetic=True)
        made.append(table)
        _finish(env, nodes, WhatIfNodes(words, pet, change, table), after)
    except BaseException:
        for node in made:
            if node.IsA("vtkMRMLVolumeNode"):
                discard(env.scene, node)
            else:
                env.scene.RemoveNode(node)
        raise
    return WhatIfNodes(words, pet, change, table)


def _read(env: SceneEnvironment, nodes: ResultNodes, after: Finished, made: list[Any]) -> Any:
    node = readVolume(after.folder / after.images["suvr"])
    if not adoptGrid(node, nodes.pet):
        raise PETSynthError(
            ErrorCode.BAD_GEOMETRY,
            "The picture with the other scores lies on another grid.",
            "Synthesize again, and then ask what if.",
        )
    node = env.scene.AddNode(node)
    made.append(node)
    node.SetVoxelValueQuantity(codedEntry(*SUVR_CODE))
    node.SetVoxelValueUnits(codedEntry(*RATIO_CODE))
    return node


def _finish(env: SceneEnvironment, nodes: ResultNodes, found: WhatIfNodes, after: Finished) -> None:
    """Marks, names, look, references and folder."""
    own = originOf(nodes.tracer, dict(after.record))
    sentences = (own.description, marks.SENSITIVITY_NOTE)
    origin = replace(
        own, attributes={**own.attributes, WHAT_IF: found.words}, description=" ".join(sentences)
    )
    folder = newSubfolder(env, nodes.folder, f"What if - {found.words}")
    base = f"{nodes.t1.GetName() if nodes.t1 is not None else 'MRI'} {nodes.tracer.label}"
    for role, node, words in (
        (Role.WHAT_IF, found.pet, f"SUVR with {found.words}"),
        (Role.CHANGE, found.change, f"change of SUVR, {found.words}"),
        (Role.CHANGES, found.table, f"regional change, {found.words}"),
    ):
        mark(node, origin, role, f"{base} {words}")
        bind(node, identityOf(env, nodes.pet, nodes.t1))
        link(nodes.pet, node, role)
        put(env, node, folder)
    for node in (found.pet, found.change):
        node.SetAndObserveTransformNodeID(nodes.pet.GetTransformNodeID())
    colours = mapOf(nodes.pet) or nodes.tracer.colour_map
    paint(env, found.pet, colours, windowOf(nodes.pet))
    paint(env, found.change, *lookOf(Role.CHANGE, nodes.tracer))
    found.change.SetNodeReferenceID(_PICTURE, found.pet.GetID())
    found.change.SetNodeReferenceID(_TABLE, found.table.GetID())
    lines = (marks.SENSITIVITY, found.words, marks.SENSITIVITY_NOTE, *after.first_lines)
    found.table.SetAttribute(HEADER, "\n".join(lines))
    _legends(nodes, found, origin)


def _legends(nodes: ResultNodes, found: WhatIfNodes, origin: Origin) -> None:
    titles = (
        (found.pet, f"{marks.title(nodes.tracer)}\nSUVR, what if", "what-if legend"),
        (found.change, f"{marks.WORD}\nchange of SUVR", "change legend"),
    )
    for volume, title, words in titles:
        legend = addLegend(volume, title, [viewIdOf(LEGEND_VIEW)])
        mark(legend, origin, Role.LEGEND, f"{nodes.tracer.label} {words}")


def whatIfsOf(petNode: Any) -> list[WhatIfNodes]:
    """Every question that was asked of a result, oldest first; from the scene alone."""
    found = []
    for change in partsOf(petNode, Role.CHANGE):
        pet, table = (change.GetNodeReference(name) for name in (_PICTURE, _TABLE))
        found.append(WhatIfNodes(change.GetAttribute(WHAT_IF) or "", pet, change, table))
    return found


def cognitionUsed(petNode: Any) -> bool:
    """Whether cognitive scores shaped a picture: only then can they change it."""
    return bool(petNode.GetAttribute(COGNITION))


def isRequestOf(petNode: Any, request: SynthesisRequest) -> bool:
    """Whether a request, on the images of a result, is the one that the result was made by."""
    node = partOf(petNode, Role.PROVENANCE)
    try:
        rows = json.loads(node.GetText())["sidecar"]["Sources"] if node is not None else []
        sources = tuple(Source(row["Role"], row["Name"], row["sha256"]) for row in rows)
    except (ValueError, KeyError, TypeError):  # a user may have edited the text
        return False
    return request_digest(request, sources) == petNode.GetAttribute(REQUEST_SHA256)


def largestChanges(table: Any, count: int = 3) -> list[tuple[str, str]]:
    """The regions that change most, in words, e.g. ``("Precuneus left", "+0.13")``."""
    rows = [row for row in rowsOf(table) if row["side"] in SIDE_WORDS and row["side"] != "both"]
    shown = [(row, number(row["suvr_change"])) for row in rows]
    shown = [(row, change) for row, change in shown if math.isfinite(change)]
    shown.sort(key=lambda pair: -abs(pair[1]))
    return [
        (f"{title_of(row['region'])} {SIDE_WORDS[row['side']]}", f"{change:+.2f}")
        for row, change in shown[:count]
    ]


def showWhatIf(
    env: SceneEnvironment,
    nodes: ResultNodes,
    found: WhatIfNodes,
    opacity: float = 0.5,
    *,
    switchLayout: bool = True,
) -> None:
    """The change over the MRI, symmetric about no change."""
    showFused(env, replace(nodes, pet=found.change), opacity, switchLayout=switchLayout)
