"""Quick looks at the input, before the worker's own checks: what the lights of the panel show."""

from __future__ import annotations

from typing import Any

import numpy as np

from PETSynthLib.checks import Finding, Verdict, grade

from .Environment import SceneEnvironment
from .Inputs import contrastAgent, looksLikeT1, samePatient
from .Volumes import arrayOf, ijkToRas, shapeOf

SAMPLES = 48
"""Voxels looked at along each axis."""
CT_AIR = -500.0
"""No MRI has values as low as the air of a CT."""
COVER_MM = (110.0, 140.0, 100.0)
"""Least extent (left-right, front-back, up-down) that can hold a brain."""
EDGE_SHARE = 0.15
"""More tissue than this in the uppermost slice: the top of the head is not in the image."""
RIGHT_ANGLE = 1e-3


def quickFindings(env: SceneEnvironment, t1Node: Any, flairNode: Any = None) -> list[Finding]:
    """What can be told within a tenth of a second.

    Parameters
    ----------
    env
        The scene.
    t1Node, flairNode
        The chosen volumes.

    Returns
    -------
    One finding each on sequence, voxels, coverage and FLAIR, named by its check. Red means that a
    run would be refused; the worker looks more closely.
    """
    if t1Node.GetImageData() is None:
        text = "The T1 has no voxels."
        return [Finding("t1_image", 0, "an image", Verdict.RED, text)]
    return [
        _sequence(env, t1Node),
        _voxels(t1Node),
        _coverage(t1Node),
        _flair(env, t1Node, flairNode),
    ]


def _sparse(node: Any) -> np.ndarray:
    array = arrayOf(node)
    k, j, i = (max(1, n // SAMPLES) for n in array.shape)
    return array[::k, ::j, ::i]


def _sequence(env: SceneEnvironment, node: Any) -> Finding:
    lowest = float(_sparse(node).min())
    limit = "a T1-weighted MRI"
    if lowest <= CT_AIR:
        text = f"Values down to {lowest:.0f}: this looks like CT, not MRI."
        return Finding("sequence", lowest, limit, Verdict.RED, text)
    if agent := contrastAgent(env, node):
        text = "A contrast agent was given: the model has not seen such images."
        return Finding("contrast_agent", agent, "none", Verdict.RED, text)
    if looksLikeT1(node):
        return Finding("sequence", node.GetName(), limit, Verdict.GREEN, "Called a T1.")
    text = "Nothing confirms that this is a T1. The worker will look at its contrast."
    return Finding("sequence", node.GetName(), limit, Verdict.AMBER, text)


def _voxels(node: Any) -> Finding:
    axes = ijkToRas(node)[:3, :3]
    edges = np.linalg.norm(axes, axis=0)
    unit = axes / np.where(edges > 0, edges, 1)
    if not np.allclose(unit.T @ unit, np.eye(3), atol=RIGHT_ANGLE):
        text = "The image's axes are not at right angles, so positions cannot be trusted."
        return Finding("t1_right_angles", 0.0, "right angles", Verdict.RED, text)
    # The same limits as the worker's.
    verdict = grade(float(edges.max()), amber=3.0, red=6.0)
    size = " x ".join(f"{edge:.1f}" for edge in edges)
    words = {
        Verdict.GREEN: f"{size} mm.",
        Verdict.AMBER: f"{size} mm: small structures will be blurred.",
        Verdict.RED: f"{size} mm: the slices are too thick.",
    }
    parent = node.GetParentTransformNode()
    text = words[verdict]
    if parent is not None:
        text += f" Under the transform '{parent.GetName()}': the PET will be put under it too."
    limit = "green up to 3 mm, refused beyond 6 mm"
    key = f"quick_voxels.{verdict.value if parent is None else 'transformed'}"
    return Finding("t1_slice_thickness", size, limit, verdict, text, key=key)


def _coverage(node: Any) -> Finding:
    place = ijkToRas(node)[:3, :3]
    extent = np.abs(place) @ np.array(shapeOf(node), dtype=float)
    limit = "the whole brain"
    if (extent < COVER_MM).any():
        size = " x ".join(f"{mm:.0f}" for mm in extent)
        text = f"The image covers only {size} mm."
        return Finding("coverage", size, limit, Verdict.RED, text, key="quick_coverage.red")
    # Axis of the array (K, J, I) that runs upwards, and its upper end.
    axis = int(np.argmax(np.abs(place[2])))
    sparse = np.moveaxis(_sparse(node), 2 - axis, 0)
    top = sparse[-1] if place[2, axis] > 0 else sparse[0]
    tissue = (float(sparse.max()) - float(sparse.min())) * 0.2 + float(sparse.min())
    share = float((top > tissue).mean())
    if share > EDGE_SHARE:
        text = "The image ends inside the head at the top: part of the brain may be missing."
        key = "quick_coverage.amber"
        return Finding("coverage", round(share, 2), limit, Verdict.AMBER, text, key=key)
    text = "The head seems to lie inside the image."
    key = "quick_coverage.green"
    return Finding("coverage", round(share, 2), limit, Verdict.GREEN, text, key=key)


def _flair(env: SceneEnvironment, t1Node: Any, flairNode: Any) -> Finding:
    limit = "the same head"
    if flairNode is None:
        text = "None: the T1 alone is used."
        return Finding("flair", "", limit, Verdict.GREEN, text, key="flair.none")
    if flairNode is t1Node:
        text = "T1 and FLAIR are the same image."
        return Finding("flair", "", limit, Verdict.RED, text, key="flair.same_image")
    if not samePatient(env, t1Node, flairNode):
        text = "DICOM says that T1 and FLAIR belong to different patients."
        return Finding("flair", "", limit, Verdict.RED, text, key="flair.other_patient")
    if flairNode.GetImageData() is None:
        text = "The FLAIR has no voxels."
        return Finding("flair", 0, limit, Verdict.RED, text, key="flair.empty")
    apart = distanceMm(t1Node, flairNode)
    edge = max(flairNode.GetSpacing())
    if edge > 3.0:
        text = f"Slices of {edge:.1f} mm: used, but small lesions are blurred."
        value = round(edge, 1)
        return Finding("flair", value, "3 mm", Verdict.AMBER, text, key="flair.thick")
    verdict = Verdict.AMBER if apart > 40.0 else Verdict.GREEN
    text = f"Its middle lies {apart:.0f} mm from the T1's; it will be aligned."
    return Finding("flair", round(apart), limit, verdict, text, key="flair.apart")


def distanceMm(node: Any, other: Any) -> float:
    """Distance of the middles of two volumes in the world."""
    return float(np.linalg.norm(_middle(node) - _middle(other)))


def _middle(node: Any) -> np.ndarray:
    bounds = np.zeros(6)
    node.GetRASBounds(bounds)
    return (bounds[::2] + bounds[1::2]) / 2.0
