"""The subject hierarchy: one folder a run, beside the MRI it came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PETSynthLib.tracers import Tracer

from .Attributes import ROLE, SYNTHETIC, TRACER, Role
from .Environment import SceneEnvironment


def itemOf(env: SceneEnvironment, node: Any) -> int:
    """The node's item, made when missing (the desktop makes items itself, bare MRML does not)."""
    tree = env.subjectHierarchy
    item = tree.GetItemByDataNode(node)
    return item or tree.CreateItem(tree.GetSceneItemID(), node)


def ancestorOf(env: SceneEnvironment, node: Any, level: str) -> int:
    """The ``"Study"`` or ``"Patient"`` item above a node; 0 when there is none."""
    tree = env.subjectHierarchy
    item = tree.GetItemByDataNode(node) if node is not None else 0
    return (tree.GetItemAncestorAtLevel(item, level) or 0) if item else 0


def resultFolder(env: SceneEnvironment, t1Node: Any, t1Name: str, tracer: Tracer) -> int:
    """A new folder for one run: in the T1's study when it has one, else at the top.

    An earlier folder is never used again, so nothing is overwritten.
    """
    tree = env.subjectHierarchy
    parent = ancestorOf(env, t1Node, "Study") or tree.GetSceneItemID()
    when = datetime.now().strftime("%Y-%m-%d %H%M")
    name = f"PETSynth - {t1Name} - {tracer.label} - {when}"
    folder = newSubfolder(env, parent, name)
    tree.SetItemAttribute(folder, ROLE, Role.RESULT.value)
    tree.SetItemAttribute(folder, SYNTHETIC, "1")
    tree.SetItemAttribute(folder, TRACER, tracer.key)
    return folder


def measurementFolder(env: SceneEnvironment, placeNode: Any, petName: str, tracer: Tracer) -> int:
    """A new folder for the measurements of an acquired PET, in the study of ``placeNode``."""
    tree = env.subjectHierarchy
    parent = ancestorOf(env, placeNode, "Study") or tree.GetSceneItemID()
    when = datetime.now().strftime("%Y-%m-%d %H%M")
    folder = newSubfolder(env, parent, f"PETSynth - {petName} - quantified - {when}")
    tree.SetItemAttribute(folder, ROLE, Role.RESULT.value)
    tree.SetItemAttribute(folder, TRACER, tracer.key)
    return folder


def subfolder(env: SceneEnvironment, parent: int, name: str) -> int:
    """The folder ``name`` in ``parent``, made when missing."""
    tree = env.subjectHierarchy
    return tree.GetItemChildWithName(parent, plain(name)) or tree.CreateFolderItem(
        parent, plain(name)
    )


def newSubfolder(env: SceneEnvironment, parent: int, name: str) -> int:
    """A new folder in ``parent``; where there is one of that name, with a number behind it."""
    tree = env.subjectHierarchy
    number, unique = 1, plain(name)
    while tree.GetItemChildWithName(parent, unique):
        number += 1
        unique = f"{plain(name)} ({number})"
    return tree.CreateFolderItem(parent, unique)


def put(env: SceneEnvironment, node: Any, folder: int) -> None:
    """Move a node's item into a folder."""
    env.subjectHierarchy.SetItemParent(itemOf(env, node), folder)


def folderOf(env: SceneEnvironment, node: Any) -> int:
    """The nearest result folder above a node; 0 when there is none."""
    tree = env.subjectHierarchy
    item = tree.GetItemByDataNode(node)
    while item and tree.GetItemAttribute(item, ROLE) != Role.RESULT.value:
        item = tree.GetItemParent(item)
        if item == tree.GetSceneItemID():
            return 0
    return item


def plain(words: str) -> str:
    """A name without slashes and colons (it may become a file's name)."""
    return words.replace("/", "-").replace("\\", "-").replace(":", "-").strip()
