"""The folder of a synthesis, written again from the nodes of a scene that was saved and loaded.

Quantify, SSP and export start from such a folder. What cannot be told from the volumes (the table,
the way to the template) is kept in the provenance node, beside the digests of the voxels: a PET
that was changed since is refused, for its numbers would pass for those of the model.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import slicer

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks

from .Attributes import SOURCE_T1, TRACER, Role, partOf, setResultDigest
from .Environment import SceneEnvironment
from .Exporting import exportInputs, maskOnGridOf
from .Identity import bind, digestOf, identityOf
from .Volumes import ijkToRas, setArray, vtkMatrix

_IMAGES = {
    Role.PET: "suvr",
    Role.SD: "sd",
    Role.LOW: "low10",
    Role.HIGH: "high90",
    Role.EXPECTED: "expected",
}
_TEXTS = ("space/native_to_template.tfm", "space/space.json")
"""Small files of a result, kept word by word, besides its table."""


def keepForReturn(env: SceneEnvironment, folder: Path, made: list[Any], nodes: Any) -> None:
    """Keep in the scene what `writeAgain` needs, and bind every node of a result to its PET.

    Parameters
    ----------
    env
        The scene.
    folder
        The result.
    made
        Its nodes.
    nodes
        The same as `Importing.ResultNodes`.
    """
    digest = hashlib.sha256((folder / "result.json").read_bytes()).hexdigest()
    identity = identityOf(env, nodes.pet, nodes.t1)
    for node in made:
        bind(node, identity)
    setResultDigest(nodes.pet, digest)
    body = json.loads(nodes.provenance.GetText())
    body["voxels"] = {role.value: digestOf(node) for role, node in _images(nodes.pet)}
    if nodes.t1 is not None:
        body["voxels"]["T1"] = digestOf(nodes.t1)
    names = (*_TEXTS, marks.file_name(nodes.tracer.key, "regions", ".tsv"))
    body["texts"] = {
        name: (folder / name).read_text(encoding="utf-8")
        for name in names
        if (folder / name).is_file()
    }
    nodes.provenance.SetText(json.dumps(body, indent=1, ensure_ascii=False))


def writeAgain(env: SceneEnvironment, petNode: Any, folder: Path) -> None:
    """Write the folder of a synthesis from the nodes of its PET; its T1 lies beside it.

    Report, pictures and the regions of the whole brain are not in the scene and are missing.

    Parameters
    ----------
    env
        The scene.
    petNode
        Synthetic PET.
    folder
        New folder; its parent exists and gets ``t1.nrrd``.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the PET, another image of it or the T1 is missing or not the one that was
        made, or the provenance is gone.
    """
    body = _provenance(petNode)
    t1 = petNode.GetNodeReference(SOURCE_T1)
    if t1 is None:
        raise _refusal("Its T1w has left the scene.")
    _holdAgainst(body, petNode, t1)
    key = petNode.GetAttribute(TRACER)
    (folder / "space").mkdir(parents=True)
    inputs = exportInputs(env, folder.parent, t1)
    t1Digest = hashlib.sha256(inputs.t1.read_bytes()).hexdigest()
    for role, node in _images(petNode):
        _writeNifti(folder / marks.file_name(key, _IMAGES[role], ".nii.gz"), node)
    mask = partOf(petNode, Role.MASK)
    if mask is not None:
        inside = slicer.vtkMRMLScalarVolumeNode()
        inside.SetIJKToRASMatrix(vtkMatrix(ijkToRas(t1)))
        setArray(inside, maskOnGridOf(env, mask, t1))
        _writeNifti(folder / "space" / "brain_mask.nii.gz", inside)
    for name, text in body.get("texts", {}).items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    _writeSpace(folder / "space" / "space.json", t1Digest)
    _writeRecords(folder, key, body, inputs.t1, t1Digest)


def _provenance(petNode: Any) -> dict[str, Any]:
    node = partOf(petNode, Role.PROVENANCE)
    try:
        body = json.loads(node.GetText()) if node is not None else None
        if not isinstance(body, dict) or "voxels" not in body or "sidecar" not in body:
            raise ValueError
    except ValueError:
        raise _refusal("Nothing in the scene says how it was made.") from None
    return body


def _holdAgainst(body: dict[str, Any], petNode: Any, t1: Any) -> None:
    """Refuse images that are not those of the result."""
    here = {role.value: node for role, node in _images(petNode)} | {"T1": t1}
    for name, digest in body["voxels"].items():
        node = here.get(name)
        if node is None or node.GetImageData() is None:
            raise _refusal(f"Its image '{name}' has left the scene.")
        if digestOf(node) != digest:
            raise _refusal(f"The voxels of '{node.GetName()}' were changed since it was made.")
    if "T1" not in body["voxels"]:
        raise _refusal("Nothing in the scene says from which T1w it was made.")


def _refusal(why: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_DATA,
        f"This PET is no longer the one that was made. {why}",
        "Synthesize it again.",
    )


def _images(petNode: Any) -> list[tuple[Role, Any]]:
    """The images of a result that are written again, the PET first."""
    found = [(role, partOf(petNode, role)) for role in _IMAGES if role is not Role.PET]
    return [(Role.PET, petNode), *((role, node) for role, node in found if node is not None)]


def _writeNifti(path: Path, node: Any) -> None:
    """A volume as ``.nii.gz`` that is not packed: packing a scan takes seconds."""
    plain = path.with_name(path.name.removesuffix(".gz"))
    copy = slicer.vtkMRMLScalarVolumeNode()
    copy.SetAndObserveImageData(node.GetImageData())
    copy.SetIJKToRASMatrix(vtkMatrix(ijkToRas(node)))
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(plain))
    storage.SetUseCompression(0)
    if not storage.WriteData(copy):
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The job folder {path.parent} cannot be written to.",
            "Choose another job folder, or free some disk space.",
        )
    path.write_bytes(gzip.compress(plain.read_bytes(), 0, mtime=0))
    plain.unlink()


def _writeSpace(path: Path, t1Digest: str) -> None:
    """The record of mask and transform names the T1 by its file: the voxels are the same."""
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        record |= {"t1_sha256": t1Digest, "mask_sha256": None}
        path.write_text(json.dumps(record), encoding="utf-8")


def _writeRecords(folder: Path, key: str, body: dict[str, Any], t1: Path, t1Digest: str) -> None:
    """Sidecar, request and ``result.json`` with the digests of the files as they are now."""
    sidecar = dict(body["sidecar"])
    sidecar["Sources"] = [
        {**one, "sha256": t1Digest} if one["Role"] == "T1" else one
        for one in sidecar.get("Sources", [])
    ]
    sidecar["Outputs"] = _digests(folder)
    name = marks.file_name(key, "", ".json")
    (folder / name).write_text(json.dumps(sidecar, indent=1), encoding="utf-8")
    request = {"version": 1, "kind": "synthesize", "t1": str(t1), "tracer": key}
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    told = {k: v for k, v in body.items() if k not in ("sidecar", "voxels", "texts")}
    result = {**told, "folder": str(folder), "files": _digests(folder)}
    (folder / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
