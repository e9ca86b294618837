"""A finished measurement becomes nodes: table, chart, regions and account, bound to their PET."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.finished import Finished, read_finished
from PETSynthLib.export.quantification_files import BEYOND
from PETSynthLib.request import QUANTIFY
from PETSynthLib.tracers import tracer

from .Attributes import (
    PART,
    REFERENCE_REGION,
    ROLE,
    SOURCE_T1,
    SYNTHETIC,
    TRACER,
    WHOLE,
    Origin,
    Role,
    isSynthetic,
    mark,
    partsOf,
    setResultDigest,
)
from .Colours import lookOf, paint
from .Compare import originFrom
from .Environment import SceneEnvironment
from .Hierarchy import folderOf, measurementFolder, newSubfolder, put
from .Identity import belongsTo, bind, identityOf
from .Importing import RATIO_CODE, codedEntry
from .RegionChart import makeChart
from .RegionSegments import addBeyond, dressRegions, readRegions
from .RegionTable import HEADER, makeTable
from .Volumes import adoptGrid, discard, readVolume

REGION_TABLE = "PETSynth.RegionTable"
"""Reference from a segmentation and a chart to the table of the same measurement."""
FACTS = "PETSynth.Measurement."
"""Prefix of the attributes that say what a measurement rests on: ``Database``, ``N``, ..."""


@dataclass(eq=False)
class QuantifiedNodes:
    """The nodes of one measurement.

    Attributes
    ----------
    pet
        The PET that was measured, synthetic or acquired.
    table, regions, account
        Whole table, segmentation, text node with the record of the measurement (JSON).
    chart, series
        Plot chart, and the nodes it rests on.
    suvr
        An acquired PET as SUVR on the T1's grid; None for a synthetic one, which is that already.
    t1
        The MRI, None when it has left the scene.
    folder
        Item of the subject hierarchy.
    """

    pet: Any
    table: Any
    regions: Any = None
    account: Any = None
    chart: Any = None
    series: list[Any] = field(default_factory=list)
    suvr: Any = None
    t1: Any = None
    folder: int = 0

    @property
    def record(self) -> dict[str, Any]:
        """The record of the measurement; empty when the text node is gone or was edited."""
        try:
            body = json.loads(self.account.GetText()) if self.account is not None else {}
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def decrease(self) -> bool:
        """Whether a positive z means low uptake."""
        return tracer(self.table.GetAttribute(TRACER)).abnormal == "decrease"


def importQuantification(
    env: SceneEnvironment, folder: Path, petNode: Any, t1Node: Any = None
) -> QuantifiedNodes:
    """Bring a finished measurement into the scene.

    Parameters
    ----------
    env
        The scene.
    folder
        Result of a request of the kind quantify; it may be deleted afterwards.
    petNode
        The PET that was measured.
    t1Node
        The MRI it was measured on, on whose grid the results lie.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` or ``BAD_DATA`` when the folder holds no whole measurement. The scene is
        then as it was before.
    """
    finished = read_finished(Path(folder))
    if finished.kind != QUANTIFY or finished.synthetic is not isSynthetic(petNode):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The folder {finished.folder.name} holds no measurement of this PET.",
            "Quantify again.",
        )
    made: list[Any] = []
    try:
        nodes = _read(env, finished, petNode, t1Node, made)
        _finish(env, finished, nodes, made)
    except BaseException:
        for node in made:
            discard(env.scene, node) if node.IsA("vtkMRMLDisplayableNode") else (
                env.scene.RemoveNode(node)
            )
        raise
    return nodes


def _read(
    env: SceneEnvironment, finished: Finished, petNode: Any, t1Node: Any, made: list[Any]
) -> QuantifiedNodes:
    """Nodes without names and places; each is appended to ``made``."""

    def add(node: Any) -> Any:
        made.append(node)
        return node

    table = finished.table
    cells = [[row[name] for name in table.columns] for row in table.rows]
    nodes = QuantifiedNodes(
        pet=petNode,
        table=add(makeTable(env, table.columns, cells, finished.synthetic)),
        t1=t1Node,
    )
    space = finished.folder / "space"
    regions, _ = readRegions(env, space / "regions.nii.gz", t1Node, finished.synthetic)
    nodes.regions = add(regions)
    if f"space/{BEYOND}" in finished.result["files"] and "z-score" not in finished.release.withheld:
        addBeyond(regions, space / BEYOND, t1Node, _beyondWords(finished))
    unit = f"{marks.QUANTITY if finished.synthetic else finished.tracer.unit}"
    title = f"{unit} ({finished.reference_region.replace('_', ' ')})"
    nodes.chart, nodes.series = makeChart(env, nodes.table, finished.tracer.target_region, title)
    for node in (nodes.chart, *nodes.series):
        add(node)
    nodes.account = add(env.scene.AddNewNodeByClass("vtkMRMLTextNode"))
    nodes.account.SetText(json.dumps(finished.record, indent=1, ensure_ascii=False))
    if not finished.synthetic:
        volume = readVolume(finished.folder / finished.file_name("suvr", ".nii.gz"))
        if t1Node is not None:
            adoptGrid(volume, t1Node)
        nodes.suvr = add(env.scene.AddNode(volume))
    return nodes


def _beyondWords(finished: Finished) -> str:
    prefix = f"{marks.SHORT} " if finished.synthetic else ""
    direction = "decreased" if finished.tracer.abnormal == "decrease" else "increased"
    demo = ", demonstration normals" if (finished.record["Database"] or {}).get("demo") else ""
    return f"{prefix}{direction} z > {finished.record['FillStateThreshold']:g}{demo}"


def _finish(
    env: SceneEnvironment, finished: Finished, nodes: QuantifiedNodes, made: list[Any]
) -> None:
    """Names, marks, references, parent transform and folder."""
    identity = identityOf(env, nodes.pet, nodes.t1)
    origin = _origin(finished, nodes.pet)
    place = nodes.t1 if nodes.t1 is not None else nodes.pet
    nodes.folder = _folder(env, finished, nodes)
    base = _base(finished, nodes)
    for role, node, words in _parts(nodes, finished):
        _label(node, origin, role, f"{base} {words}")
        bind(node, identity)
        nodes.pet.AddNodeReferenceID(PART + role.value, node.GetID())
        node.SetNodeReferenceID(WHOLE, nodes.pet.GetID())
        if nodes.t1 is not None:
            node.SetNodeReferenceID(SOURCE_T1, nodes.t1.GetID())
        if node is not nodes.table:
            node.SetNodeReferenceID(REGION_TABLE, nodes.table.GetID())
        if node.IsA("vtkMRMLTransformableNode"):
            node.SetAndObserveTransformNodeID(place.GetTransformNodeID())
        put(env, node, nodes.folder)
    nodes.chart.SetTitle(f"{base}, {finished.tracer.unit}")
    for node in nodes.series:
        node.SetHideFromEditors(node.IsA("vtkMRMLTableNode"))
    _dress(env, finished, nodes)
    _tell(finished, nodes)
    dressRegions(nodes.regions)
    nodes.regions.SetReferenceImageGeometryParameterFromVolumeNode(place)


def _folder(env: SceneEnvironment, finished: Finished, nodes: QuantifiedNodes) -> int:
    reference = finished.reference_region.replace("_", " ")
    database = finished.record["Database"]
    name = f"Quantification - {reference} - {database['name'] if database else 'no normals'}"
    parent = folderOf(env, nodes.pet) if finished.synthetic else 0
    if not parent:
        parent = measurementFolder(env, nodes.t1 or nodes.pet, nodes.pet.GetName(), finished.tracer)
    return newSubfolder(env, parent, name)


def _base(finished: Finished, nodes: QuantifiedNodes) -> str:
    if not finished.synthetic:
        return f"{nodes.pet.GetName()}"
    name = nodes.t1.GetName() if nodes.t1 is not None else "MRI"
    return f"{name} {finished.tracer.label}"


def _parts(nodes: QuantifiedNodes, finished: Finished) -> list[tuple[Role, Any, str]]:
    """Role, node and words of every node, in the order of the folder."""
    rows = [
        (Role.MEASURED, nodes.suvr, f"SUVR ({finished.reference_region.replace('_', ' ')})"),
        (Role.TABLE, nodes.table, "regional values"),
        (Role.CHART, nodes.chart, "SUVR chart"),
        *((Role.CHART, node, _seriesWords(node)) for node in nodes.series),
        (Role.PARCELLATION, nodes.regions, "regions"),
        (Role.ACCOUNT, nodes.account, "measurement"),
    ]
    return [row for row in rows if row[1] is not None]


def _seriesWords(node: Any) -> str:
    return node.GetName() if node.IsA("vtkMRMLPlotSeriesNode") else "chart values"


def _origin(finished: Finished, petNode: Any) -> Origin:
    """What all nodes of a measurement have in common."""
    if finished.synthetic:
        return originFrom(petNode)
    facts = {TRACER: finished.tracer.key, REFERENCE_REGION: finished.reference_region}
    return Origin(finished.tracer, facts, marks.ACQUIRED)


def _label(node: Any, origin: Origin, role: Role, words: str) -> None:
    """Name, role and attributes; a node of an acquired PET gets no mark of a computed one."""
    if SYNTHETIC in origin.attributes:
        mark(node, origin, role, words)
        return
    node.SetName(node.GetScene().GenerateUniqueName(words))
    node.SetDescription(origin.description)
    node.SetAttribute(ROLE, role.value)
    for name, value in origin.attributes.items():
        node.SetAttribute(name, value)


def _dress(env: SceneEnvironment, finished: Finished, nodes: QuantifiedNodes) -> None:
    if nodes.suvr is None:
        return
    paint(env, nodes.suvr, *lookOf(Role.PET, finished.tracer))
    nodes.suvr.SetVoxelValueUnits(codedEntry(*RATIO_CODE))
    nodes.suvr.SetVoxelValueQuantity(
        codedEntry("SUVR", "99PETSYNTH", "Standardized uptake value ratio")
    )


def _tell(finished: Finished, nodes: QuantifiedNodes) -> None:
    """What the numbers rest on, as attributes of the table: they are saved with it."""
    database, reference = finished.record["Database"], finished.record["Reference"]
    facts = {
        "Reference": reference["region"],
        "ReferenceMl": f"{reference['ml']:.1f}",
        "ReferenceCvPercent": f"{reference['cv_percent']:.0f}",
        "Regions": finished.regions_source,
        "Mark": marks.WORD if finished.synthetic else "ACQUIRED",
        "Evidence": finished.release.evidence,
        "Intervals": str(int(any(row["interval90_low"] != "n/a" for row in finished.table.rows))),
    }
    if database is not None:
        facts |= {
            "Database": database["name"],
            "DatabaseTitle": database["title"],
            "N": str(database["n"]),
            "Demonstration": "1" if database["demo"] else "0",
        }
    for name, value in facts.items():
        nodes.table.SetAttribute(FACTS + name, value)
    nodes.table.SetAttribute(HEADER, "\n".join(finished.notices))
    for node in (nodes.table, nodes.regions):
        setResultDigest(node, finished.digest)


def quantificationsOf(env: SceneEnvironment, petNode: Any) -> list[QuantifiedNodes]:
    """Every measurement of a PET that is in the scene, oldest first; belonging or not."""
    return [_nodesOf(env, petNode, table) for table in partsOf(petNode, Role.TABLE)]


def quantificationOf(env: SceneEnvironment, petNode: Any) -> QuantifiedNodes | None:
    """The newest measurement that is of this PET as it is now; None when there is none."""
    found = [
        nodes for nodes in quantificationsOf(env, petNode) if belongsTo(env, nodes.table, petNode)
    ]
    return found[-1] if found else None


def _nodesOf(env: SceneEnvironment, petNode: Any, table: Any) -> QuantifiedNodes:
    """The nodes of a measurement from its table (after loading or renaming)."""

    def mine(role: Role) -> list[Any]:
        return [n for n in partsOf(petNode, role) if n.GetNodeReference(REGION_TABLE) is table]

    def first(role: Role) -> Any:
        return next(iter(mine(role)), None)

    charts = mine(Role.CHART)
    return QuantifiedNodes(
        pet=petNode,
        table=table,
        regions=first(Role.PARCELLATION),
        account=first(Role.ACCOUNT),
        chart=next((node for node in charts if node.IsA("vtkMRMLPlotChartNode")), None),
        series=[node for node in charts if not node.IsA("vtkMRMLPlotChartNode")],
        suvr=first(Role.MEASURED),
        t1=table.GetNodeReference(SOURCE_T1),
        folder=env.subjectHierarchy.GetItemParent(env.subjectHierarchy.GetItemByDataNode(table)),
    )
