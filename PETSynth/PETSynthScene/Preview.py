"""The emerging PET during a run: one node, hidden from lists, never saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.tracers import tracer

from .Arrangement import switchTo
from .Attributes import ROLE, SOURCE_T1, Role, mark, originOf
from .Colours import lookOf, paint
from .Environment import SceneEnvironment
from .Layouts import FUSED, columnOf
from .Slices import fillColumn, fit, takeOut
from .Volumes import discard, ijkToRas, readVolume, vtkMatrix

TRANSFORM = Path("space") / "native_to_template.tfm"


def showPreview(
    env: SceneEnvironment,
    previewPath: Path,
    t1Id: str,
    tracerKey: str,
    opacity: float = 0.5,
    *,
    switchLayout: bool = True,
) -> Any:
    """Show the newest preview over the T1; the first one is put into the views.

    Does `loadPreview`, `switchTo` and `placePreview` at once; see there.

    Parameters
    ----------
    opacity
        Of the PET over the MRI.
    switchLayout
        Whether the first preview may switch to the fused layout.
    """
    known = previewNode(env) is not None
    node = loadPreview(env, previewPath, t1Id, tracerKey)
    if node is not None and not known:
        if switchLayout:
            switchTo(env, FUSED)
        placePreview(env, opacity)
    return node


def loadPreview(env: SceneEnvironment, previewPath: Path, t1Id: str, tracerKey: str) -> Any:
    """Bring the newest preview into the scene; the first one makes the node.

    Parameters
    ----------
    env
        The scene.
    previewPath
        Preview of the worker, on the template's grid. The running job's folder lies around it and
        holds the transform to the T1.
    t1Id
        ID of the T1.
    tracerKey
        Key of the tracer registry.

    Returns
    -------
    The preview node. None when the T1 has gone, and for exploratory tracers: their middle is not
    shown without low and high, which exist only at the end.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when the preview or its transform cannot be read. A preview is worth no
        error message: catch it and go on.
    """
    t1Node = env.node(t1Id)
    key = tracer(tracerKey)
    if t1Node is None or key.exploratory:
        return None
    templateToT1 = NativeToTemplate.read(previewPath.parent.parent / TRANSFORM).inverse
    fresh = readVolume(previewPath)
    # The columns need not be at right angles; a node, unlike a file, can hold that.
    fresh.SetIJKToRASMatrix(vtkMatrix(templateToT1 @ ijkToRas(fresh)))
    node = previewNode(env)
    if node is not None:
        node.SetAndObserveImageData(fresh.GetImageData())
        node.CopyOrientation(fresh)
        return node
    fresh.SetHideFromEditors(True)
    fresh.SetSaveWithScene(False)
    node = env.scene.AddNode(fresh)
    mark(node, originOf(key), Role.PREVIEW, f"{t1Node.GetName()} {key.label} preview")
    node.SetNodeReferenceID(SOURCE_T1, t1Id)
    node.SetAndObserveTransformNodeID(t1Node.GetTransformNodeID())
    paint(env, node, *lookOf(Role.PET, key))
    node.GetDisplayNode().SetSaveWithScene(False)
    return node


def placePreview(env: SceneEnvironment, opacity: float = 0.5) -> None:
    """Put the preview into the fused layout's views, over its T1; nothing when either has gone."""
    node = previewNode(env)
    t1Node = node.GetNodeReference(SOURCE_T1) if node is not None else None
    if t1Node is None:
        return
    fillColumn(env, columnOf(FUSED, 0), t1Node)
    fillColumn(env, columnOf(FUSED, 1), node)
    fillColumn(env, columnOf(FUSED, 2), t1Node, node, opacity)
    fit(env, FUSED)


def previewNode(env: SceneEnvironment) -> Any:
    """The preview, or None when there is none."""
    for node in env.nodes("vtkMRMLScalarVolumeNode"):
        if node.GetAttribute(ROLE) == Role.PREVIEW.value:
            return node
    return None


def removePreview(env: SceneEnvironment) -> None:
    """Take the preview out of scene and views; where it lay alone the T1 takes its place."""
    node = previewNode(env)
    if node is None:
        return
    t1Node = node.GetNodeReference(SOURCE_T1)
    for composite in env.nodes("vtkMRMLSliceCompositeNode"):
        takeOut(env, composite, node, t1Node)
    discard(env.scene, node)
