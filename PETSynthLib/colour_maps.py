"""Colour maps, defined here by a few anchors each and interpolated in between."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Letters and banners of every page and figure, on black; the orange is that of the marks.
INK = (235, 235, 235)
QUIET = (165, 165, 165)
ORANGE = (255, 167, 60)
BANNER_BACK = (66, 34, 0)

_ANCHORS: dict[str, tuple[tuple[float, int, int, int], ...]] = {
    # Black, violet, blue, cyan, green, yellow, red: what nuclear medicine reads FDG in.
    "nih": (
        (0.00, 0, 0, 0),
        (0.08, 68, 0, 110),
        (0.18, 55, 0, 200),
        (0.28, 0, 40, 255),
        (0.40, 0, 185, 225),
        (0.52, 0, 190, 60),
        (0.62, 90, 220, 0),
        (0.73, 255, 240, 0),
        (0.84, 255, 135, 0),
        (0.94, 240, 10, 0),
        (1.00, 190, 0, 0),
    ),
    "heat": (
        (0.00, 0, 0, 0),
        (0.35, 150, 10, 0),
        (0.60, 245, 95, 0),
        (0.82, 255, 205, 40),
        (1.00, 255, 255, 235),
    ),
    "inverse_grey": ((0.00, 255, 255, 255), (1.00, 0, 0, 0)),
    # Anchors of matplotlib's inferno (van der Walt and Smith, CC0), from black.
    "uniform": (
        (0.00, 0, 0, 0),
        (0.125, 31, 12, 72),
        (0.25, 85, 15, 109),
        (0.375, 136, 34, 106),
        (0.50, 186, 54, 85),
        (0.625, 227, 89, 51),
        (0.75, 249, 140, 10),
        (0.875, 249, 201, 50),
        (1.00, 252, 255, 164),
    ),
    # Cyan, blue, black (no difference), red, yellow.
    "difference": (
        (0.00, 120, 240, 255),
        (0.25, 20, 90, 240),
        (0.50, 0, 0, 0),
        (0.75, 230, 40, 20),
        (1.00, 255, 235, 90),
    ),
}

DIFFERENCE = "difference"
"""For differences of two PETs, of either sign; black in the middle."""
COLOUR_MAPS = tuple(name for name in _ANCHORS if name != DIFFERENCE)
"""Names of the colour maps for uptake; ``uniform`` reads the same to colour-blind eyes."""


@cache
def table(name: str) -> NDArray[np.uint8]:
    """The 256 colours of a map: array (256, 3), sRGB, low to high.

    Raises
    ------
    KeyError
        When there is no map of that name.
    """
    anchors = np.array(_ANCHORS[name], dtype=np.float64)
    position = np.linspace(0.0, 1.0, 256)
    channels = [np.interp(position, anchors[:, 0], anchors[:, c]) for c in (1, 2, 3)]
    colours = np.stack(channels, axis=1).round().astype(np.uint8)
    colours.setflags(write=False)
    return colours


def colourize(
    values: NDArray[np.floating], window: tuple[float, float], name: str
) -> NDArray[np.uint8]:
    """Colours (..., 3) of ``values`` (...) shown between the two ends of ``window``."""
    low, high = window
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    colours: NDArray[np.uint8] = table(name)[(share * 255.0).round().astype(np.uint8)]
    return colours


def ticks(low: float, high: float) -> list[float]:
    """Round values from ``low`` to ``high``, between four and nine of them: the ticks of a bar."""
    step = next(s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if (high - low) / s <= 8.0 + 1e-9)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [round(step * n, 6) for n in range(first, last + 1)]
