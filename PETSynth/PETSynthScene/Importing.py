"""A finished job becomes nodes: one PET with everything that belongs to it, marked and placed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.tracers import Tracer, tracer

from .Attributes import (
    ROLE,
    SOURCE_FLAIR,
    SOURCE_T1,
    TRACER,
    Origin,
    Role,
    isSynthetic,
    link,
    mark,
    originOf,
    partOf,
    partsOf,
    roleOf,
)
from .Colours import lookOf, paint
from .Environment import SceneEnvironment
from .Hierarchy import folderOf, put, resultFolder, subfolder
from .Layouts import FUSED_VIEWS, LEGEND_VIEW, viewIdOf
from .Legends import addLegend
from .Planes import keepTransform
from .Returning import keepForReturn
from .Segments import dressMask, dressOutlines, readLabels, readMask, readOutlines, showOutlinesIn
from .Volumes import adoptGrid, arrayOf, discard, readVolume, setArray

if TYPE_CHECKING:
    from .Exporting import ExportedInputs

SUVR_CODE = ("SUVR", "99PETSYNTH", marks.QUANTITY)
RATIO_CODE = ("{ratio}", "UCUM", "ratio")

_VOLUMES: dict[Role, tuple[str, str]] = {
    Role.PET: ("suvr", "SUVR"),
    Role.SD: ("sd", "SUVR SD"),
    Role.LOW: ("low10", "SUVR low (10 %)"),
    Role.HIGH: ("high90", "SUVR high (90 %)"),
    Role.EXPECTED: ("expected", "SUVR expected for age and sex"),
}
"""Role -> part of the file's name, words of the node's name."""


@dataclass(eq=False)
class ResultNodes:
    """The nodes of one result.

    Attributes
    ----------
    tracer
        The tracer.
    pet
        Mean SUVR; of an exploratory tracer the middle of the triptych.
    sd, low, high, expected, difference, mask, regions, reference, provenance
        The rest of the result; None for what it has not (`difference`: what the model added to
        the expected PET; `reference`: label map of the reference region).
    samples
        Single samples.
    t1, flair
        The MRI, None when it has left the scene.
    folder
        Item of the subject hierarchy.
    """

    tracer: Tracer
    pet: Any
    sd: Any = None
    low: Any = None
    high: Any = None
    expected: Any = None
    difference: Any = None
    samples: list[Any] = field(default_factory=list)
    mask: Any = None
    regions: Any = None
    reference: Any = None
    provenance: Any = None
    t1: Any = None
    flair: Any = None
    folder: int = 0

    @property
    def exploratory(self) -> bool:
        """Whether the PET may be shown only together with its low and high."""
        return self.tracer.exploratory

    def volumes(self) -> list[Any]:
        """PET, low, high and expected: all that share one window and one colour map."""
        return [v for v in (self.pet, self.low, self.high, self.expected) if v is not None]


def importResult(
    env: SceneEnvironment,
    jobFolder: Path,
    inputs: ExportedInputs | None = None,
    *,
    t1Node: Any = None,
    flairNode: Any = None,
    samples: bool = True,
) -> ResultNodes:
    """Bring the finished job of a folder into the scene.

    Parameters
    ----------
    env
        The scene.
    jobFolder
        Output folder of the job; it may be deleted afterwards.
    inputs
        What was exported for the job. T1, FLAIR and parent transform are looked up by their IDs: a
        node that has gone in the meantime is not an error.
    t1Node, flairNode
        The MRI, for a result that was not made from this scene.
    samples
        Whether single samples become volumes, where the job has written them.

    Raises
    ------
    PETSynthError
        ``PROTOCOL`` when the folder holds no finished job, ``BAD_IMAGE`` when a volume is damaged.
        The scene is then as it was before.
    """
    folder = Path(jobFolder)
    result, sidecar = _readResult(folder)
    name, transform = "MRI", None
    if inputs is not None:
        t1Node = t1Node or env.node(inputs.t1Id)
        flairNode = flairNode or env.node(inputs.flairId)
        name, transform = inputs.t1Name, env.node(inputs.transformId)
    if t1Node is not None:
        # The T1 may have been moved during the run; the PET goes where the T1 is now.
        name, transform = t1Node.GetName(), t1Node.GetParentTransformNode()
    made: list[Any] = []
    try:
        nodes = _read(env, folder, tracer(result["tracer"]), t1Node, made, samples)
        keepTransform(nodes.pet, folder)
        _finish(env, nodes, made, result, sidecar, name, transform, flairNode)
        keepForReturn(env, folder, made, nodes)
    except BaseException:
        for node in made:
            if node.IsA("vtkMRMLDisplayableNode"):
                discard(env.scene, node)
            else:
                env.scene.RemoveNode(node)
        raise
    return nodes


def _readResult(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        name = marks.file_name(result["tracer"], "", ".json")
        return result, json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            f"The folder {folder.name} holds no finished result.",
            "Run the synthesis again.",
        ) from problem


def _read(
    env: SceneEnvironment,
    folder: Path,
    key: Tracer,
    t1Node: Any,
    made: list[Any],
    samples: bool,
) -> ResultNodes:
    """Volumes and segmentations without names; each is appended to ``made``."""

    def volume(part: str) -> Any:
        path = folder / marks.file_name(key.key, part, ".nii.gz")
        if part != "suvr" and not path.is_file():
            return None
        node = readVolume(path)
        if t1Node is not None:
            adoptGrid(node, t1Node)
        node = env.scene.AddNode(node)
        made.append(node)
        node.SetVoxelValueQuantity(codedEntry(*SUVR_CODE))
        node.SetVoxelValueUnits(codedEntry(*RATIO_CODE))
        return node

    def added(path: Path, read: Callable[[Path], Any]) -> Any:
        node = read(path) if path.is_file() else None
        if node is not None:
            made.append(node)
        return node

    parts = {role.name.lower(): volume(part) for role, (part, _) in _VOLUMES.items()}
    nodes = ResultNodes(tracer=key, t1=t1Node, **parts)
    nodes.samples = [
        volume(path.name.removeprefix(f"{key.key}_{marks.FILE_PART}_").removesuffix(".nii.gz"))
        for path in sorted(folder.glob(marks.file_name(key.key, "sample-*", ".nii.gz")))
        if samples
    ]
    if nodes.expected is not None:
        nodes.difference = subtract(env, nodes.pet, nodes.expected)
        made.append(nodes.difference)
    scene, space = env.scene, folder / "space"
    nodes.mask = added(space / "brain_mask.nii.gz", lambda path: readMask(scene, path, t1Node))
    nodes.regions = added(
        space / "regions.nii.gz", lambda path: readOutlines(scene, path, t1Node, key)
    )
    nodes.reference = added(
        space / "reference.nii.gz", lambda path: scene.AddNode(readLabels(path, t1Node))
    )
    return nodes


def _finish(
    env: SceneEnvironment,
    nodes: ResultNodes,
    made: list[Any],
    result: dict[str, Any],
    sidecar: dict[str, Any],
    t1Name: str,
    transform: Any,
    flairNode: Any,
) -> None:
    """Names, marks, look, references, parent transform and folder."""
    nodes.flair = flairNode
    origin = originOf(nodes.tracer, sidecar)
    nodes.provenance = _provenance(env, result, sidecar)
    made.append(nodes.provenance)
    nodes.folder = resultFolder(env, nodes.t1, t1Name, nodes.tracer)
    base = f"{t1Name} {nodes.tracer.label}"
    region = nodes.tracer.reference_region.replace("_", " ")
    for role, node, words in _parts(nodes, region):
        mark(node, origin, role, f"{base} {words}")
        link(nodes.pet, node, role)
        _reference(node, SOURCE_T1, nodes.t1)
        _reference(node, SOURCE_FLAIR, flairNode)
        if node.IsA("vtkMRMLTransformableNode"):
            node.SetAndObserveTransformNodeID(transform.GetID() if transform else None)
        if node.GetClassName() == "vtkMRMLScalarVolumeNode":
            paint(env, node, *lookOf(role, nodes.tracer))
        place = nodes.folder
        if role is Role.SAMPLE:
            place = subfolder(env, nodes.folder, "Samples")
        put(env, node, place)
    _addLegends(nodes, origin)
    if nodes.mask is not None:
        dressMask(nodes.mask)
        nodes.mask.SetReferenceImageGeometryParameterFromVolumeNode(nodes.pet)
    if nodes.regions is not None:
        dressOutlines(nodes.regions)
        nodes.regions.SetReferenceImageGeometryParameterFromVolumeNode(nodes.pet)
        showOutlinesIn(nodes.regions, [viewIdOf(view) for view in FUSED_VIEWS])


def _parts(nodes: ResultNodes, region: str) -> list[tuple[Role, Any, str]]:
    """Role, node and words of every node of the result, in the order of the folder."""
    rows = [
        (role, getattr(nodes, role.name.lower()), words) for role, (_, words) in _VOLUMES.items()
    ]
    rows[0] = (Role.PET, nodes.pet, f"SUVR ({region})")
    rows += [(Role.SAMPLE, n, f"sample {i}") for i, n in enumerate(nodes.samples, 1)]
    rows += [
        (Role.ADDED, nodes.difference, "minus expected for age and sex"),
        (Role.MASK, nodes.mask, "brain mask"),
        (Role.REGIONS, nodes.regions, "target region"),
        (Role.REFERENCE, nodes.reference, f"reference region ({region})"),
        (Role.PROVENANCE, nodes.provenance, "provenance"),
    ]
    return [row for row in rows if row[1] is not None]


def _provenance(env: SceneEnvironment, result: dict[str, Any], sidecar: dict[str, Any]) -> Any:
    """A text node with what the job tells; without folders of this machine."""
    body = {**{k: v for k, v in result.items() if k != "folder"}, "sidecar": sidecar}
    node = env.scene.AddNewNodeByClass("vtkMRMLTextNode")
    node.SetText(json.dumps(body, indent=1, ensure_ascii=False))
    return node


def _addLegends(nodes: ResultNodes, origin: Origin) -> None:
    region = nodes.tracer.reference_region.replace("_", " ")
    title = f"{marks.title(nodes.tracer)}\nSUVR ({region})"
    rows = [(volume, title, "legend") for volume in [*nodes.volumes(), *nodes.samples]]
    if nodes.sd is not None:
        rows.append((nodes.sd, f"{marks.title(nodes.tracer)}\nSD of SUVR", "SD legend"))
    if nodes.difference is not None:
        rows.append((nodes.difference, f"{marks.WORD}\nminus expected", "difference legend"))
    for volume, text, words in rows:
        inFused = volume is not nodes.difference
        legend = addLegend(volume, text, [viewIdOf(LEGEND_VIEW)] if inFused else [])
        mark(legend, origin, Role.LEGEND, f"{nodes.tracer.label} {words}")


def _reference(node: Any, role: str, target: Any) -> None:
    if target is not None:
        node.SetNodeReferenceID(role, target.GetID())


def codedEntry(value: str, scheme: str, meaning: str) -> Any:
    """A ``vtkCodedEntry``."""
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(value, scheme, meaning)
    return entry


def subtract(env: SceneEnvironment, minuend: Any, subtrahend: Any) -> Any:
    """A new volume on the grid of ``minuend``: it minus ``subtrahend``, on the same grid."""
    node = slicer.vtkMRMLScalarVolumeNode()
    node.CopyOrientation(minuend)
    setArray(node, arrayOf(minuend) - arrayOf(subtrahend))
    node.SetVoxelValueQuantity(codedEntry(*SUVR_CODE))
    node.SetVoxelValueUnits(codedEntry(*RATIO_CODE))
    return env.scene.AddNode(node)


def resultOf(env: SceneEnvironment, petNode: Any) -> ResultNodes:
    """The result that a PET belongs to, from the scene alone (after loading or renaming)."""
    single = {
        name: partOf(petNode, role)
        for name, role in {
            "sd": Role.SD,
            "low": Role.LOW,
            "high": Role.HIGH,
            "expected": Role.EXPECTED,
            "difference": Role.ADDED,
            "mask": Role.MASK,
            "regions": Role.REGIONS,
            "reference": Role.REFERENCE,
            "provenance": Role.PROVENANCE,
        }.items()
    }
    return ResultNodes(
        tracer=tracer(petNode.GetAttribute(TRACER)),
        pet=petNode,
        samples=partsOf(petNode, Role.SAMPLE),
        t1=petNode.GetNodeReference(SOURCE_T1),
        flair=petNode.GetNodeReference(SOURCE_FLAIR),
        folder=folderOf(env, petNode),
        **single,
    )


def listResults(env: SceneEnvironment) -> list[Any]:
    """The PET nodes of all results, newest last."""
    volumes = env.nodes("vtkMRMLScalarVolumeNode")
    return [node for node in volumes if node.GetAttribute(ROLE) == Role.PET.value]


def ownVolumes(env: SceneEnvironment) -> list[Any]:
    """Every volume that PETSynth has made, acquired ones that it moved included."""
    volumes = env.nodes("vtkMRMLScalarVolumeNode")
    return [node for node in volumes if isSynthetic(node) or roleOf(node) is not None]


def headline(petNode: Any) -> list[str]:
    """Regional values in words, as the release policy lets them be shown."""
    return _told(petNode, "headline_text")


def notices(petNode: Any) -> list[str]:
    """What has to be said before any number."""
    return _told(petNode, "notices")


def _told(petNode: Any, key: str) -> list[str]:
    node = partOf(petNode, Role.PROVENANCE)
    try:
        return list(json.loads(node.GetText()).get(key, [])) if node is not None else []
    except (ValueError, TypeError):  # a user may have edited the text
        return []
