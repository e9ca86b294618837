"""Look-up tables as MRML colour nodes, and the look of a volume that uses them."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from PETSynthLib import colour_maps
from PETSynthLib.tracers import Tracer

from .Attributes import COLOUR_MAP, ROLE, Role
from .Environment import SceneEnvironment
from .Volumes import arrayOf

DIVERGING = colour_maps.DIFFERENCE
INVERTED = "inverse_grey"
DIFFERENCE_SUVR = 0.5
"""Differences are painted from minus to plus this."""
AIR = 0.05
"""Below this share of the window's upper end a PET is transparent: air and the outermost haze."""

_TITLES = {
    "nih": "PETSynth NIH",
    "heat": "PETSynth Heat",
    "inverse_grey": "PETSynth Inverse grey",
    "uniform": "PETSynth Uniform",
    DIVERGING: "PETSynth Difference",
}


def coloursOf(name: str) -> np.ndarray:
    """256 colours (256, 3), uint8, of a map of the library."""
    return colour_maps.table(name)


def colourNode(env: SceneEnvironment, name: str) -> Any:
    """The scene's colour table for a map, made when missing.

    Slicer has no such tables of its own, so they are kept in the scene and saved with it.

    Raises
    ------
    KeyError
        When there is no map of that name.
    """
    for node in env.nodes("vtkMRMLColorTableNode"):
        if node.GetAttribute(COLOUR_MAP) == name:
            return node
    colours = coloursOf(name)
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(_TITLES.get(name, f"PETSynth {name}"))
    node.SetTypeToUser()
    node.SetNumberOfColors(len(colours))
    for number, (red, green, blue) in enumerate(colours / 255.0):
        node.SetColor(number, f"{number}", red, green, blue, 1.0)
    node.SetAttribute(COLOUR_MAP, name)
    node.SetAttribute(ROLE, Role.COLOURS.value)
    node = env.scene.AddNode(node)
    node.AddDefaultStorageNode()
    return node


def paint(env: SceneEnvironment, volume: Any, name: str, window: tuple[float, float]) -> None:
    """Show ``volume`` in a colour map between the two ends of ``window``.

    Where the window begins at zero or above, what is below `AIR` becomes transparent; differences
    are shown whole.
    """
    display = volume.GetDisplayNode() or _displayNode(env, volume)
    wasModifying = display.StartModify()
    display.SetAndObserveColorNodeID(colourNode(env, name).GetID())
    display.SetInterpolate(True)
    setEnds(volume, window)
    display.EndModify(wasModifying)


def setEnds(volume: Any, window: tuple[float, float]) -> None:
    """Both ends of the colour map, and with them what counts as air."""
    display = volume.GetDisplayNode()
    wasModifying = display.StartModify()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(*window)
    display.AutoThresholdOff()
    if window[0] >= 0:
        # Looking for the highest value takes too long while a window is dragged.
        known = display.GetApplyThreshold()
        highest = display.GetUpperThreshold() if known else float(arrayOf(volume).max()) + 1.0
        display.SetThreshold(AIR * window[1], max(highest, window[1] + 1.0))
        display.ApplyThresholdOn()
    else:
        display.ApplyThresholdOff()
    display.EndModify(wasModifying)


def _displayNode(env: SceneEnvironment, volume: Any) -> Any:
    """A plain display node; Slicer's default one takes a quarter of a second for a histogram."""
    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    display.SetAutoWindowLevel(False)
    display = env.scene.AddNode(display)
    volume.SetAndObserveDisplayNodeID(display.GetID())
    return display


def windowOf(volume: Any) -> tuple[float, float]:
    """The values shown as the two ends of the colour map."""
    display = volume.GetDisplayNode()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def mapOf(volume: Any) -> str | None:
    """Name of the colour map a volume is shown in; None when the table is none of ours."""
    display = volume.GetDisplayNode()
    table = display.GetColorNode() if display is not None else None
    return table.GetAttribute(COLOUR_MAP) if table is not None else None


def lookOf(role: Role, tracer: Tracer) -> tuple[str, tuple[float, float]]:
    """Colour map and window a volume of that role starts with."""
    if role in (Role.DIFFERENCE, Role.ADDED, Role.CHANGE):
        return DIVERGING, (-DIFFERENCE_SUVR, DIFFERENCE_SUVR)
    low, high = tracer.window
    if role is Role.SD:
        return "uniform", (0.0, (high - low) / 4.0)
    return tracer.colour_map, (low, high)


def restrictToViews(display: Any, viewIds: list[str]) -> None:
    """Show a display node in the views of these IDs only (in none of an empty list)."""
    display.RemoveAllViewNodeIDs()
    for viewId in viewIds or ["vtkMRMLSliceNodePETSynthNowhere"]:
        display.AddViewNodeID(viewId)
