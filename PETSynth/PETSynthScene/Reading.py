"""What helps a reader: inverted grey, a window in units of the reference region, the resolution."""

from __future__ import annotations

import math
from typing import Any

from PETSynthLib.errors import ErrorCode, PETSynthError

from .Attributes import COLOURS_BEFORE, FWHM_MM, FWHM_OF, Role, partOf
from .Colours import INVERTED, mapOf
from .Environment import SceneEnvironment
from .Importing import ResultNodes
from .Views import setColours, setWindow
from .Volumes import arrayOf, onGridOf


def setInverted(env: SceneEnvironment, nodes: ResultNodes, inverted: bool) -> None:
    """Inverted grey (much uptake is black), or the colours from before it.

    All volumes that are compared with each other change together, in the window they have. What
    the colours were stands on the PET, so that a loaded scene can go back, too.
    """
    if inverted == isInverted(nodes):
        return
    if inverted:
        nodes.pet.SetAttribute(COLOURS_BEFORE, mapOf(nodes.pet) or nodes.tracer.colour_map)
        setColours(env, nodes, INVERTED)
    else:
        before = nodes.pet.GetAttribute(COLOURS_BEFORE)
        setColours(env, nodes, before or nodes.tracer.colour_map)


def isInverted(nodes: ResultNodes) -> bool:
    """Whether a result is shown in inverted grey."""
    return mapOf(nodes.pet) == INVERTED


def referenceMean(nodes: ResultNodes) -> float:
    """Mean SUVR of the PET in its tracer's reference region on this scan.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when the result has no such region, or shows no uptake in it.
    """
    region = nodes.tracer.reference_region.replace("_", " ")
    reference = partOf(nodes.pet, Role.REFERENCE)
    inside = None if reference is None else onGridOf(reference, nodes.pet, linear=False) > 0
    mean = float(arrayOf(nodes.pet)[inside].mean()) if inside is not None and inside.any() else 0.0
    if mean <= 0.0:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"This result does not show its reference region ({region}).",
            "Set the window by its two ends.",
        )
    return mean


def scaleToReference(env: SceneEnvironment, nodes: ResultNodes) -> float:
    """The tracer's window in units of the reference region, whose mean is then 1.0.

    A reader who scales to a reference expects that region in the same colour in every image. The
    window of the registry, made for a reference of 1, is multiplied by the mean that the reference
    region really has in this picture (1 by construction in the template; off by some per cent where
    the region lies a little differently on this scan). The numbers of the window stay SUVR: voxels
    are not divided by anything, and a value that is read off is that of the table.

    Returns
    -------
    The mean, SUVR.

    Raises
    ------
    PETSynthError
        As `referenceMean`.
    """
    mean = referenceMean(nodes)
    low, high = nodes.tracer.window
    setWindow(env, nodes, low * mean, high * mean)
    return mean


def blurredBy(node: Any, smoothingMm: float) -> None:
    """Tell that a volume was blurred by a Gaussian on top of its resolution."""
    if node.GetAttribute(FWHM_MM):
        fwhm = math.hypot(float(node.GetAttribute(FWHM_MM)), smoothingMm)
        node.SetAttribute(FWHM_MM, f"{fwhm:.1f}")


def resolutionText(node: Any) -> str:
    """The effective resolution as a corner says it; empty when it is not known."""
    fwhm = node.GetAttribute(FWHM_MM)
    if not fwhm:
        return ""
    text = f"{float(fwhm):g} mm FWHM"
    return text if node.GetAttribute(FWHM_OF) == "model" else f"{text} at best"
