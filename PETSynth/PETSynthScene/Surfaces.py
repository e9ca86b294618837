"""A PET on the brain surface as nodes: a model a hemisphere with its maps, and the composed pages.

The models lie in the template's space, where the maps were read, and are shown in the eight views
of the surface only; under the T1's own place they would be of no head.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from PETSynthLib.assets import asset
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.surface_files import RECORD_VERSION, SURFACES
from PETSynthLib.project.references import REFERENCES
from PETSynthLib.project.surface import SIDES, Surface, surfaces
from PETSynthLib.tracers import tracer

from .Attributes import (
    REFERENCE_REGION,
    SOURCE_T1,
    TRACER,
    Origin,
    Role,
    isSynthetic,
    link,
    mark,
    partsOf,
    setResultDigest,
)
from .Compare import originFrom
from .Environment import SceneEnvironment
from .Hierarchy import folderOf, itemOf, put, subfolder
from .Identity import belongsTo, bind, identityOf
from .RegionTable import HEADER
from .Volumes import discard

SIDE = "PETSynth.Side"
"""``L`` or ``R``."""
PART = "PETSynth.Page"
"""Which page a picture is: ``ssp``, ``ssp-decrease``, ``ssp-increase``."""
UPTAKE, SPREAD, DEPTH, WALL = "SUVR", "SD percent", "Depth mm", "Medial wall"
HATCHED = " hatched"
_WORDS = {"L": "left", "R": "right"}
_STRIPE_MM, _DRAWN = 6.0, 2.0
"""Period of the hatching, and how much of it is drawn."""


@dataclass(eq=False)
class SurfaceNodes:
    """The nodes of one PET on the surface.

    Attributes
    ----------
    pet
        The PET.
    models
        Side -> model; empty for an exploratory tracer, of which only the page shows low, middle
        and high together.
    pages
        ``ssp``, ``ssp-decrease``, ``ssp-increase`` -> picture, those there are.
    """

    pet: Any
    models: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> list[str]:
        """Of GLB, THL, CBL and PNS those that z is there for."""
        return [key for key in REFERENCES if self._has(zName(key))]

    @property
    def uncertain(self) -> bool:
        """Whether the uncertainty of z is known."""
        return any(self._has(zName(key) + HATCHED) for key in REFERENCES)

    @property
    def spread(self) -> bool:
        """Whether there is a map of the standard deviation."""
        return self._has(SPREAD)

    def _has(self, name: str) -> bool:
        return bool(self.models) and self.models["L"].GetMesh().GetPointData().HasArray(name) == 1


def zName(reference: str) -> str:
    """Name of the map of z against a reference, GLB, THL, CBL or PNS."""
    return f"z {reference}"


def importSurface(
    env: SceneEnvironment, folder: Path, petNode: Any, identity: Mapping[str, str] | None = None
) -> SurfaceNodes:
    """Bring a finished surface projection of ``petNode`` into the scene, in the PET's own folder.

    An earlier one of the same PET gives way.

    Parameters
    ----------
    env
        The scene.
    folder
        Output folder of the job; it may be deleted afterwards.
    petNode
        The PET that was projected.
    identity
        `surfaceIdentity` of the PET when it was sent out.

    Raises
    ------
    PETSynthError
        ``PROTOCOL`` when the folder holds no finished projection, ``BAD_DATA`` when its files were
        changed since or the PET in the scene is no longer the one that was projected. The scene is
        then as it was before.
    """
    record, arrays, pages = _readResult(Path(folder))
    now = surfaceIdentity(env, petNode)
    if identity is not None and any(now.get(name) != value for name, value in identity.items()):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"'{petNode.GetName()}' was changed since it was laid on the surface.",
            "Show the surface again.",
        )
    before = surfaceOf(env, petNode)
    made: list[Any] = []
    nodes = SurfaceNodes(petNode)
    try:
        place = _placeOf(env, petNode)
        if not record["OnlyTogether"]:
            for side in SIDES:
                nodes.models[side] = env.scene.AddNode(_model(surfaces()[side], arrays))
                made.append(nodes.models[side])
        for part, path in pages.items():
            nodes.pages[part] = env.scene.AddNode(_picture(path))
            made.append(nodes.pages[part])
        digest = hashlib.sha256((Path(folder) / "result.json").read_bytes()).hexdigest()
        for node, role, words in _parts(nodes):
            _mark(node, petNode, role, words, record)
            bind(node, now)
            setResultDigest(node, digest)
            link(petNode, node, role)
            put(env, node, place)
    except BaseException:
        for node in made:
            discard(env.scene, node)
        raise
    if before is not None:
        for node in [*before.models.values(), *before.pages.values()]:
            discard(env.scene, node)
    return nodes


def surfaceIdentity(env: SceneEnvironment, petNode: Any) -> dict[str, str]:
    """What binds a surface to its PET: patient, study and voxels."""
    return identityOf(env, petNode, petNode.GetNodeReference(SOURCE_T1))


def surfaceOf(env: SceneEnvironment, petNode: Any) -> SurfaceNodes | None:
    """What is in the scene of a PET on the surface (after loading or renaming), or None."""
    models = {node.GetAttribute(SIDE): node for node in partsOf(petNode, Role.SURFACE)}
    pages = {node.GetAttribute(PART): node for node in partsOf(petNode, Role.PAGE)}
    if not pages and set(models) != set(SIDES):
        return None
    return SurfaceNodes(petNode, models if set(models) == set(SIDES) else {}, pages)


def requireOwn(env: SceneEnvironment, nodes: SurfaceNodes) -> None:
    """Refuse a surface that is of another image than its PET is now.

    Raises
    ------
    PETSynthError
        ``BAD_DATA``.
    """
    for node in [*nodes.models.values(), *nodes.pages.values()]:
        if not belongsTo(env, node, nodes.pet):
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                "This surface belongs to another image (patient or voxels differ), so it is not "
                "shown.",
                "Lay the PET on the surface again.",
            )


def surfaceHeader(nodes: SurfaceNodes) -> list[str]:
    """What has to be said before any number of a surface."""
    every = [*nodes.models.values(), *nodes.pages.values()]
    return (every[0].GetAttribute(HEADER) or "").splitlines() if every else []


# --- reading --------------------------------------------------------------------------------------
def _readResult(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Path]]:
    """Record, maps and pages of a finished projection; unchanged since they were written."""
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        files = dict(result["files"])
        if result["kind"] != "project":
            raise KeyError("kind")
        (name,) = (n for n in files if n.endswith("_ssp.json"))
        for one, digest in files.items():
            if hashlib.sha256((folder / one).read_bytes()).hexdigest() != digest:
                raise PETSynthError(
                    ErrorCode.BAD_DATA,
                    f"The file {one} of the surface was changed since it was written.",
                    "Lay the PET on the surface again.",
                )
        record = json.loads((folder / name).read_text(encoding="utf-8"))
        if record["Version"] != RECORD_VERSION or record["Surface"]["sha256"] != _surfacesDigest():
            raise KeyError("Surface")
        stem = name.removesuffix("_ssp.json")
        pages = {part: folder / f"{stem}_{part}.png" for part in record["Pages"]}
        with np.load(folder / f"{stem}_ssp.npz", allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            f"The folder {folder.name} holds no finished surface of this release.",
            "Lay the PET on the surface again.",
        ) from problem
    return record, arrays, pages


def _surfacesDigest() -> str:
    return hashlib.sha256(asset(SURFACES).read_bytes()).hexdigest()


def _model(surface: Surface, arrays: Mapping[str, np.ndarray]) -> Any:
    """A model node of one hemisphere with every map that may be shown."""
    mesh = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(surface.vertices.astype(np.float32), deep=True))
    mesh.SetPoints(points)
    cells = vtk.vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(surface.faces.astype(np.int64).ravel(), deep=True))
    mesh.SetPolys(cells)
    for name, values in _maps(surface, arrays).items():
        array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
        array.SetName(name)
        mesh.GetPointData().AddArray(array)
    node = slicer.vtkMRMLModelNode()
    node.SetAndObserveMesh(_withNormals(mesh))
    node.SetAttribute(SIDE, surface.side)
    return node


def _withNormals(mesh: Any) -> Any:
    """The mesh with normals that follow its gyri, for smooth light; no vertex is added."""
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(mesh)
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


def _maps(surface: Surface, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Name -> (V,) float32 without NaN: where nothing is known, 0."""

    def known(name: str) -> np.ndarray:
        values = arrays[f"{name}_{surface.side}"]
        return np.nan_to_num(values, nan=0.0).astype(np.float32)

    uptake = known("uptake")
    found = {UPTAKE: uptake, DEPTH: known("depth"), WALL: surface.medial_wall.astype(np.uint8)}
    if f"sd_{surface.side}" in arrays:
        ratio = 100.0 * known("sd") / np.where(uptake > 0, uptake, np.inf)
        found[SPREAD] = ratio.astype(np.float32)
    stripes = np.mod(surface.vertices.sum(axis=1) / np.sqrt(3.0), _STRIPE_MM) < _DRAWN
    for key in REFERENCES:
        if f"z_{key}_{surface.side}" not in arrays:
            continue
        # No cortex lies below the medial wall: nothing is painted there.
        z = np.where(surface.medial_wall, np.float32(0.0), known(f"z_{key}"))
        found[zName(key)] = z
        if f"reliable_{key}_{surface.side}" in arrays:
            unsure = ~arrays[f"reliable_{key}_{surface.side}"].astype(bool)
            found[zName(key) + HATCHED] = np.where(unsure & stripes, np.float32(0.0), z)
    return found


def _picture(path: Path) -> Any:
    """A page as RGB volume that stands upright in an axial view."""
    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutput()
    if image.GetNumberOfScalarComponents() != 3:
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"The page {path.name} cannot be read.",
            "Lay the PET on the surface again.",
        )
    plain = vtk.vtkImageData()
    plain.DeepCopy(image)
    plain.SetOrigin(0, 0, 0)
    plain.SetSpacing(1, 1, 1)
    plain.GetPointData().GetScalars().SetName("ImageScalars")
    node = slicer.vtkMRMLVectorVolumeNode()
    node.SetAndObserveImageData(plain)
    # An axial view has the left on its right side and the front on top; VTK's first row is the
    # lowest.
    node.SetIJKToRASDirections(-1, 0, 0, 0, 1, 0, 0, 0, -1)
    return node


# --- names, marks, folders ------------------------------------------------------------------------
def _parts(nodes: SurfaceNodes) -> list[tuple[Any, Role, str]]:
    rows = [(node, Role.SURFACE, f"SSP {_WORDS[side]}") for side, node in nodes.models.items()]
    for part, node in nodes.pages.items():
        node.SetAttribute(PART, part)
        which = part.removeprefix("ssp").strip("-")
        rows.append((node, Role.PAGE, f"SSP page {which}".strip()))
    return rows


def _mark(node: Any, petNode: Any, role: Role, words: str, record: Mapping[str, Any]) -> None:
    """Name, attributes and description; a PET that was acquired gives no synthetic mark."""
    base = f"{record['TracerLabel']} {words}"
    node.SetAttribute(HEADER, "\n".join(record["FirstLines"]))
    if isSynthetic(petNode):
        mark(node, originFrom(petNode), role, base)
        return
    facts = tracer(record["Tracer"])
    given = {TRACER: facts.key, REFERENCE_REGION: record["ReferenceRegion"]}
    mark(node, Origin(facts, given, marks.ACQUIRED), role, base)
    node.SetName(node.GetScene().GenerateUniqueName(base))


def _placeOf(env: SceneEnvironment, petNode: Any) -> int:
    """The folder ``SSP`` in the PET's result; of a PET without one, beside the PET."""
    tree = env.subjectHierarchy
    parent = folderOf(env, petNode) or tree.GetItemParent(itemOf(env, petNode))
    return subfolder(env, parent or tree.GetSceneItemID(), "SSP")
